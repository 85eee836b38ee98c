//! The ids of a container: which of the account's it has, and as which numbers.
//!
//! ```text
//!   host              U, the account's namespace        the container
//!   1000  (own)    ─▶ 0                              ┐  `host`      0 1 2 …        all of U's, the same
//!   100000 …       ─▶ 1 … (the subordinate ids)      ├▶ `keep-id`   1000 ← 0, the others around it
//!                                                    │  `nomap`     0 ← 1, 1 ← 2, … without the own id
//!                                                    ┘  `auto`      0 … 1023 ← a run that no other container has
//! ```
//!
//! A container's own maps are settled when it is made and stand in its record; the records together are the allocation of
//! `auto`. Layers are the same for all of them (see [`crate::overlay::view`]).

use std::os::fd::AsFd;

use serde::{Deserialize, Serialize};

use super::{Error, Result, find};
use crate::host::id_map::{self, Run};
use crate::host::subid::{Extent, IdMaps};
use crate::overlay::open_directory;
use crate::runtime::identity::{Accounts, Login};
use crate::store::Store;
use crate::store::layers::Mode;

/// The fewest ids that `auto` gives unasked.
const AUTO: u32 = 1024;

/// A container's own ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserNamespace {
    /// As `--userns` names it; empty: the maps were given.
    pub mode: String,
    /// Inside: the container's ids. Outside: those of U.
    pub maps: IdMaps,
    /// Whom `keep-id` makes known inside.
    pub login: Option<Login>,
}

/// What was asked for, other than the account's namespace as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The account's own ids become these.
    KeepId {
        uid: u32,
        gid: u32,
        size: Option<u32>,
    },
    NoMap,
    /// What `fixed` maps is mapped so in any case.
    Auto {
        size: Option<u32>,
        fixed: IdMaps,
    },
    Maps(IdMaps),
}

impl Asked {
    /// The maps, for an account with the ids `account`. `taken`: ids of U that `auto` must not take;
    /// `estimate`: how many it takes where the user does not say.
    pub fn maps(
        &self,
        account: &IdMaps,
        taken: impl FnOnce() -> Result<Vec<Run>>,
        estimate: impl FnOnce() -> Result<u32>,
    ) -> Result<IdMaps> {
        if account.is_single() && !matches!(self, Self::KeepId { .. }) {
            return Err(Error::NoSubordinateIds);
        }
        let (users, groups) = (subordinate(&account.uids), subordinate(&account.gids));
        Ok(match self {
            Self::KeepId { uid, gid, size } => {
                IdMaps { uids: around(*uid, users, *size), gids: around(*gid, groups, *size) }
            }
            Self::NoMap => {
                let others = |count| vec![Extent { inside: 0, outside: 1, count }];
                IdMaps { uids: others(users), gids: others(groups) }
            }
            Self::Auto { size, fixed } => {
                let size = size.map_or_else(estimate, Ok)?;
                let fixed_ids = fixed.uids.iter().chain(&fixed.gids).map(|extent| (extent.outside, extent.count));
                let used: Vec<Run> = taken()?.into_iter().chain(fixed_ids).collect();
                // From the end: the ids that whole maps, such as those of `keep-id`, use first are the low ones.
                let run =
                    id_map::free(used, (1, users.min(groups))).into_iter().rev().find(|(_, count)| *count >= size);
                let (first, count) = run.ok_or(Error::NotEnoughIds { wanted: size })?;
                let run = Extent { inside: 0, outside: first + count - size, count: size };
                IdMaps { uids: beside(run, &fixed.uids), gids: beside(run, &fixed.gids) }
            }
            Self::Maps(maps) => maps.clone(),
        })
    }
}

fn count(extents: &[Extent]) -> u32 {
    extents.iter().map(|extent| extent.count).sum()
}

/// How many ids of U there are beside the account's own.
fn subordinate(account: &[Extent]) -> u32 {
    count(account).saturating_sub(1)
}

/// `keep-id`: the own id as `id`, the subordinate ones as the numbers around it, `size` ids in all.
fn around(id: u32, others: u32, size: Option<u32>) -> Vec<Extent> {
    let others = size.map_or(others, |size| others.min(size.saturating_sub(1)));
    let below = Extent { inside: 0, outside: 1, count: id.min(others) };
    let own = Extent { inside: id, outside: 0, count: 1 };
    let above = Extent { inside: id + 1, outside: id + 1, count: others.saturating_sub(id) };
    [below, own, above].into_iter().filter(|extent| extent.count > 0).collect()
}

/// A run where nothing is mapped already.
fn beside(run: Extent, fixed: &[Extent]) -> Vec<Extent> {
    let rest = fixed
        .iter()
        .fold(vec![run], |parts, other| parts.into_iter().flat_map(|part| id_map::without(part, *other)).collect());
    id_map::merged([rest, fixed.to_vec()].concat())
}

/// The ids of U that other containers have for themselves. One that has all there are keeps them from nobody.
///
/// The caller holds the store's lock of ids until its own container is on disk.
pub fn taken(store: &Store, account: &IdMaps) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for found in find::all(store)? {
        let Some(UserNamespace { maps, .. }) = found.container.user_namespace else { continue };
        for (extents, account) in [(maps.uids, &account.uids), (maps.gids, &account.gids)] {
            if count(&extents) < subordinate(account) {
                runs.extend(extents.iter().map(|extent| (extent.outside, extent.count)));
            }
        }
    }
    Ok(runs)
}

/// How many ids an image of these layers (lowest first) needs, as its account files tell; at least `least`.
pub fn estimate(store: &Store, mode: Mode, layers: &[crate::oci::Digest], least: u32) -> Result<u32> {
    let (mut passwd, mut group) = (None, None);
    for layer in layers.iter().rev() {
        let path = store.layer_fs(mode, layer);
        let root = open_directory(path.as_path()).map_err(|error| Error::Spec(error.to_string()))?;
        let accounts = Accounts::read(root.as_fd())?;
        passwd = passwd.or(Some(accounts.passwd).filter(|text| !text.is_empty()));
        group = group.or(Some(accounts.group).filter(|text| !text.is_empty()));
    }
    let accounts = Accounts { passwd: passwd.unwrap_or_default(), group: group.unwrap_or_default() };
    Ok(accounts.highest().saturating_add(1).max(least).max(AUTO))
}

impl UserNamespace {
    /// The maps as the kernel takes them, in a U that has the ids `account`.
    pub fn nested(&self, account: &IdMaps) -> Result<IdMaps> {
        let split = |extents: &[Extent], around: &[Extent]| {
            id_map::split(extents, around).map_err(|id| Error::MissingId { id, count: count(around) })
        };
        Ok(IdMaps { uids: split(&self.maps.uids, &account.uids)?, gids: split(&self.maps.gids, &account.gids)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(numbers: &[(u32, u32, u32)]) -> Vec<Extent> {
        numbers.iter().map(|&(inside, outside, count)| Extent { inside, outside, count }).collect()
    }

    fn account(subordinate: u32) -> IdMaps {
        let map = match subordinate {
            0 => extents(&[(0, 1000, 1)]),
            count => extents(&[(0, 1000, 1), (1, 100_000, count)]),
        };
        IdMaps { uids: map.clone(), gids: map }
    }

    fn uids(asked: &Asked, taken: &[Run]) -> Result<Vec<Extent>> {
        Ok(asked.maps(&account(65_536), || Ok(taken.to_vec()), || Ok(1024))?.uids)
    }

    /// The maps that Podman 5.4 makes of the same flags.
    #[test]
    fn keep_id_puts_the_others_around_the_own_id() {
        let kept = |uid, size| uids(&Asked::KeepId { uid, gid: uid, size }, &[]).unwrap();
        assert_eq!(kept(1001, None), extents(&[(0, 1, 1001), (1001, 0, 1), (1002, 1002, 64_535)]));
        assert_eq!(kept(1001, Some(2000)), extents(&[(0, 1, 1001), (1001, 0, 1), (1002, 1002, 998)]));
        assert_eq!(kept(1001, Some(500)), extents(&[(0, 1, 499), (1001, 0, 1)]));
        assert_eq!(kept(0, None), extents(&[(0, 0, 1), (1, 1, 65_536)]));
        assert_eq!(kept(100_000, None), extents(&[(0, 1, 65_536), (100_000, 0, 1)]));
        assert_eq!(uids(&Asked::NoMap, &[]).unwrap(), extents(&[(0, 1, 65_536)]));
    }

    #[test]
    fn auto_takes_a_run_that_nobody_has() {
        let fixed = IdMaps { uids: extents(&[(100, 5, 10)]), gids: Vec::new() };
        let auto = |size, fixed: &IdMaps, taken: &[Run]| uids(&Asked::Auto { size, fixed: fixed.clone() }, taken);
        let none = IdMaps { uids: Vec::new(), gids: Vec::new() };
        assert_eq!(auto(None, &none, &[]).unwrap(), extents(&[(0, 64_513, 1024)]));
        assert_eq!(auto(Some(10), &none, &[(65_000, 1000)]).unwrap(), extents(&[(0, 64_990, 10)]));
        assert_eq!(
            auto(Some(200), &fixed, &[]).unwrap(),
            extents(&[(0, 65_337, 100), (100, 5, 10), (110, 65_447, 90)])
        );
        assert!(matches!(auto(Some(40_000), &none, &[(30_000, 1)]), Err(Error::NotEnoughIds { wanted: 40_000 })));
    }

    #[test]
    fn one_id_can_be_kept_and_nothing_else() {
        let maps = |asked: Asked| asked.maps(&account(0), || Ok(Vec::new()), || Ok(1024));
        let kept = maps(Asked::KeepId { uid: 1000, gid: 1000, size: None }).unwrap();
        assert_eq!(kept.uids, extents(&[(1000, 0, 1)]));
        assert!(matches!(maps(Asked::NoMap), Err(Error::NoSubordinateIds)));
    }
}
