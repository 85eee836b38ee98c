//! `--uidmap` and `--gidmap`: `[FLAGS]CONTAINER:[@]FROM[:AMOUNT]`, as podman-run(1) has them.
//!
//! `FROM` is an id of the account's namespace, where the own id is 0 and the subordinate ones follow; with `@`, an id of the
//! host. `+` takes what stands in its way out of the map so far; where nothing stands yet, out of the map of all ids. `u` and
//! `g` keep a mapping from being copied to the other kind, as it is where only one flag is given.

use crate::cli::Report;
use crate::host::id_map::{self, merged};
use crate::host::subid::{Extent, IdMaps};

/// The highest id inside, as for users.
const HIGHEST: u32 = i32::MAX as u32;

/// One mapping, its amount spelled out.
struct Mapping {
    extends: bool,
    extents: Vec<Extent>,
}

/// Users or groups.
#[derive(Clone, Copy)]
struct Kind<'a> {
    name: &'static str,
    /// The flag of the other kind.
    other: char,
    /// The map of the account's namespace.
    account: &'a [Extent],
}

/// The maps that the flags mean; at least one of them is given.
pub fn maps(uids: &[String], gids: &[String], account: &IdMaps) -> Result<IdMaps, Report> {
    let users = Kind { name: "UID", other: 'g', account: &account.uids };
    let groups = Kind { name: "GID", other: 'u', account: &account.gids };
    let of = |kind: Kind<'_>, own: &[String], others: &[String]| {
        let texts = if own.is_empty() { others } else { own };
        let mappings = texts.iter().map(|text| mapping(text, kind)).collect::<Result<Vec<_>, _>>()?;
        map(mappings.into_iter().flatten().collect(), kind)
    };
    Ok(IdMaps { uids: of(users, uids, gids)?, gids: of(groups, gids, uids)? })
}

/// `None`: it is meant for the other kind alone.
fn mapping(text: &str, kind: Kind<'_>) -> Result<Option<Mapping>, Report> {
    let malformed = || {
        Report::new(format!(
            "{} setting is malformed expected [\"[+ug]uint32:[@]uint32[:uint32]\"]: \"{text}\"",
            kind.name
        ))
    };
    let bare = text.trim_start_matches(['+', 'u', 'g']);
    let flags = text.get(..text.len() - bare.len()).unwrap_or_default();
    if flags.contains(kind.other) {
        return Ok(None);
    }
    let fields: Vec<&str> = bare.split(':').collect();
    let (inside, from, count) = match fields.as_slice() {
        [inside, from] => (*inside, *from, "1"),
        [inside, from, count] => (*inside, *from, *count),
        _ => return Err(malformed()),
    };
    let number = |text: &str| text.parse::<u32>().map_err(|_| malformed());
    let (inside, count) = (number(inside)?, number(count)?);
    let past_the_end = |first: u32| first.checked_add(count).is_none_or(|end| end > HIGHEST);
    let (host, from) = from.strip_prefix('@').map_or((false, from), |from| (true, from));
    let from = number(from)?;
    if count == 0 || past_the_end(inside) || (!host && past_the_end(from)) {
        return Err(malformed());
    }
    let mut extents = Vec::new();
    match host {
        false => extents.push(Extent { inside, outside: from, count }),
        // Each id by itself: what lies in a row on the host need not do so in the account's namespace.
        true => {
            for at in 0..count {
                let host = from.saturating_add(at);
                let outside = id_map::inward(kind.account, host).ok_or_else(|| {
                    Report::new(format!("parent ID {} {host} is not mapped/delegated", kind.name))
                        .hint("`/etc/subuid` and `/etc/subgid` say which ids this account has")
                })?;
                extents.push(Extent { inside: inside + at, outside, count: 1 });
            }
        }
    }
    Ok(Some(Mapping { extends: flags.contains('+'), extents: merged(extents) }))
}

fn map(mappings: Vec<Mapping>, kind: Kind<'_>) -> Result<Vec<Extent>, Report> {
    let fills = mappings.first().is_none_or(|first| first.extends);
    let mut map: Vec<Extent> = Vec::new();
    for mapping in mappings {
        for extent in mapping.extents {
            let clear: Vec<Extent> = map.iter().flat_map(|other| id_map::without(*other, extent)).collect();
            if !mapping.extends && clear != map {
                let Extent { inside, outside, count } = extent;
                return Err(Report::new(format!(
                    "the {} mapping {inside}:{outside}:{count} conflicts with other mappings",
                    kind.name
                ))
                .hint("a `+` before it lets it replace them"));
            }
            map = clear;
            map.push(extent);
        }
    }
    if fills {
        fill(&mut map, kind.account);
    }
    let map = merged(map);
    id_map::split(&map, kind.account).map_err(|id| {
        let count: u32 = kind.account.iter().map(|extent| extent.count).sum();
        Report::new(format!("the {} {id} is none of this account's, which has {count}, counted from 0", kind.name))
    })?;
    if id_map::outward(&map, 0).is_none() {
        return Err(Report::new(format!("container {} 0 is not mapped, and a container needs its root", kind.name)));
    }
    Ok(map)
}

/// Gives the account's ids that have no place yet the lowest numbers that are free.
fn fill(map: &mut Vec<Extent>, account: &[Extent]) {
    let all: u32 = account.iter().map(|extent| extent.count).sum();
    let numbers = id_map::free(map.iter().map(|extent| (extent.inside, extent.count)), (0, HIGHEST));
    let mut ids = id_map::free(map.iter().map(|extent| (extent.outside, extent.count)), (0, all)).into_iter();
    let mut left = ids.next();
    for (mut inside, mut room) in numbers {
        while let Some((outside, count)) = left.filter(|_| room > 0) {
            let taken = count.min(room);
            map.push(Extent { inside, outside, count: taken });
            (inside, room) = (inside + taken, room - taken);
            left = if taken < count { Some((outside + taken, count - taken)) } else { ids.next() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(numbers: &[(u32, u32, u32)]) -> Vec<Extent> {
        numbers.iter().map(|&(inside, outside, count)| Extent { inside, outside, count }).collect()
    }

    fn try_maps(uids: &[&str], gids: &[&str]) -> Result<IdMaps, Report> {
        let map = extents(&[(0, 1001, 1), (1, 100_000, 65_536)]);
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        maps(&texts(uids), &texts(gids), &IdMaps { uids: map.clone(), gids: map })
    }

    /// What Podman 5.4 makes of the same flags.
    #[test]
    fn maps_are_podmans() {
        let maps = |uids: &[&str], gids: &[&str]| {
            let maps = try_maps(uids, gids).unwrap();
            (maps.uids, maps.gids)
        };
        let both = |numbers: &[(u32, u32, u32)]| (extents(numbers), extents(numbers));
        assert_eq!(maps(&["0:1:10"], &[]), both(&[(0, 1, 10)]));
        assert_eq!(maps(&["0:1"], &[]), both(&[(0, 1, 1)]));
        assert_eq!(maps(&["0:0:1000"], &["0:5:2000"]), (extents(&[(0, 0, 1000)]), extents(&[(0, 5, 2000)])));
        let moved = [(0, 0, 1), (1, 2, 65_535), (100_000, 1, 1)];
        assert_eq!(maps(&["+100000:1:1"], &[]), both(&moved));
        assert_eq!(maps(&["+100000:@100000:1"], &[]), both(&moved));
        assert_eq!(maps(&[], &["+g100000:1:1"]), (extents(&[(0, 0, 65_537)]), extents(&moved)));
        let (uids, gids) = maps(&[], &["0:0:1000", "g2000:2000:1"]);
        assert_eq!((uids, gids), (extents(&[(0, 0, 1000)]), extents(&[(0, 0, 1000), (2000, 2000, 1)])));
        let filled = maps(&["0:0:65000", "+100000:1:1", "1:65001:1"], &[]).0;
        assert_eq!(filled, extents(&[(0, 0, 1), (1, 65_001, 1), (2, 2, 64_998), (100_000, 1, 1)]));
    }

    #[test]
    fn what_can_not_be_mapped_is_refused() {
        for bad in [
            "0:0:70000",
            "5:6:7",
            "0:0:1:2",
            "a:0:1",
            "0:@5:1",
            "0:0:0",
            "",
            "0",
            "-1:0:1",
            "0:0:4294967295",
            "0:4294967295:9",
        ] {
            assert!(try_maps(&[bad], &[]).is_err(), "{bad}");
        }
        assert!(try_maps(&["0:0:10", "5:20:10"], &[]).is_err());
        assert!(try_maps(&["0:0:10", "20:5:10"], &[]).is_err());
    }
}
