//! Views: ids translated as they pass, so that any map of ids serves the same layers and not a byte of them is changed.
//!
//! ```text
//!   on disk              this server            the kernel            inside
//!   the image's ids  ⇄   a view             ⇄   ids of the user's  ⇄  the container's ids,
//!   0, 33, …             0 ⇄ 1, 33 ⇄ 34         namespace: 1, 34      mapped by the kernel: 0, 33
//! ```
//!
//! The file system belongs to the user's namespace, so what the kernel is told are ids of that; the container's own namespace,
//! nested in it, shows them by its map. A view is that map again, applied the other way round. It stands at the edge:
//! attributes that are shown, owners that are asked for, and the two extended attributes that hold ids. All else here knows
//! only the ids on disk.
//!
//! A directory of the caller's that a container is shown may have a view, too: [`View::Mine`].
//!
//! What has no id inside passes as the invalid id, and the kernel does with it what it does on an idmapped mount: shows it as
//! nobody's, and refuses to change it. An id that has no place on disk is EOVERFLOW.

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::tree::Op;
use crate::host::id_map::{inward, outward};
use crate::host::subid::IdMaps;

/// What the kernel takes for no id at all.
const INVALID: u32 = u32::MAX;

const CAPABILITY: &[u8] = b"security.capability";
/// The length of its value in revision 2.
const WITHOUT_ROOT: usize = 20;

const ACLS: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
/// The tags of the entries that have an id.
const ACL_USER: u8 = 0x02;
const ACL_GROUP: u8 = 0x08;

/// What becomes of ids on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// A container's maps: the ids on disk as `inside`, those that the kernel is told as `outside`.
    Maps(IdMaps),
    /// What is the caller's on disk, who is root here, is shown as this user's; and whoever makes something or is to have it,
    /// on disk it is the caller's.
    Mine { uid: u32, gid: u32 },
}

/// In which direction ids pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the disk to the kernel.
    Out,
    /// From the kernel to the disk.
    In,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
}

impl View {
    /// The view that a container with these maps needs; `None`: on disk lie the very ids that it has.
    pub fn of(maps: &IdMaps) -> Option<Self> {
        (!maps.is_identity()).then(|| Self::Maps(maps.clone()))
    }

    /// The user that is shown as owner of what belongs to `uid` on disk.
    pub fn shown_uid(&self, uid: u32) -> u32 {
        self.id(Kind::User, uid, Way::Out).unwrap_or(INVALID)
    }

    pub fn shown_gid(&self, gid: u32) -> u32 {
        self.id(Kind::Group, gid, Way::Out).unwrap_or(INVALID)
    }

    /// The owner on disk of what is to belong to `uid` of the kernel's.
    pub fn stored_uid(&self, uid: u32) -> Op<u32> {
        self.owner(Kind::User, uid)
    }

    pub fn stored_gid(&self, gid: u32) -> Op<u32> {
        self.owner(Kind::Group, gid)
    }

    fn owner(&self, kind: Kind, id: u32) -> Op<u32> {
        match self {
            Self::Maps(_) => self.id(kind, id, Way::In).ok_or(Errno::OVERFLOW),
            Self::Mine { .. } => Ok(0),
        }
    }

    fn id(&self, kind: Kind, id: u32, way: Way) -> Option<u32> {
        match self {
            Self::Maps(IdMaps { uids, gids }) => {
                let extents = if kind == Kind::User { uids } else { gids };
                if way == Way::Out { outward(extents, id) } else { inward(extents, id) }
            }
            Self::Mine { uid, gid } => {
                let own = if kind == Kind::User { *uid } else { *gid };
                let (from, to) = if way == Way::Out { (0, own) } else { (own, 0) };
                Some(if id == from { to } else { id })
            }
        }
    }

    /// An extended attribute as it is shown.
    pub fn shown_attribute(&self, name: &[u8], value: Vec<u8>) -> Op<Vec<u8>> {
        self.attribute(name, value, Way::Out)
    }

    /// An extended attribute as it is stored.
    pub fn stored_attribute(&self, name: &[u8], value: Vec<u8>) -> Op<Vec<u8>> {
        self.attribute(name, value, Way::In)
    }

    fn attribute(&self, name: &[u8], value: Vec<u8>, way: Way) -> Op<Vec<u8>> {
        match name {
            // In a directory of the caller's they are the caller's, as ever.
            CAPABILITY if matches!(self, Self::Maps(_)) => self.capability(value, way),
            name if ACLS.contains(&name) => self.acl(&value, way),
            _ => Ok(value),
        }
    }

    /// `security.capability` (linux/capability.h, `vfs_ns_cap_data`): the revision in the fourth byte, two pairs of sets, and in
    /// revision 3 the root in whose namespace the capabilities count; in revision 2 that is the root of the file system's.
    fn capability(&self, mut value: Vec<u8>, way: Way) -> Op<Vec<u8>> {
        let root = match *value.as_slice() {
            [_, _, _, 2, ..] if value.len() == WITHOUT_ROOT => 0,
            [_, _, _, 3, .., a, b, c, d] if value.len() == WITHOUT_ROOT + 4 => u32::from_le_bytes([a, b, c, d]),
            _ => return Ok(value),
        };
        let root = self.id(Kind::User, root, way).or((way == Way::Out).then_some(INVALID)).ok_or(Errno::OVERFLOW)?;
        value.truncate(WITHOUT_ROOT);
        if let Some(revision) = value.get_mut(3) {
            *revision = if root == 0 { 2 } else { 3 };
        }
        if root != 0 {
            value.extend(root.to_le_bytes());
        }
        Ok(value)
    }

    /// A POSIX ACL (linux/posix_acl_xattr.h): a version, then entries of a tag, permissions and an id. The kernel takes no entry
    /// with an invalid id, so one for somebody who is not inside is left out: it says nothing there.
    fn acl(&self, value: &[u8], way: Way) -> Op<Vec<u8>> {
        let (version, entries) = value.split_at_checked(4).ok_or(Errno::INVAL)?;
        let mut translated = version.to_vec();
        for entry in entries.chunks(8) {
            let &[tag, 0, _, _, a, b, c, d] = entry else { return Err(Errno::INVAL) };
            let kind = match tag {
                ACL_USER => Kind::User,
                ACL_GROUP => Kind::Group,
                _ => {
                    translated.extend(entry);
                    continue;
                }
            };
            match self.id(kind, u32::from_le_bytes([a, b, c, d]), way) {
                Some(id) => {
                    translated.extend(entry.iter().take(4));
                    translated.extend(id.to_le_bytes());
                }
                None if way == Way::Out => {}
                None => return Err(Errno::OVERFLOW),
            }
        }
        Ok(translated)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host::subid::Extent;

    /// As `keep-id` of user 1000 has it, with 2000 ids in all.
    fn view() -> View {
        let extent = |inside, outside, count| Extent { inside, outside, count };
        let map = vec![extent(0, 1, 1000), extent(1000, 0, 1), extent(1001, 1001, 999)];
        View::of(&IdMaps { uids: map.clone(), gids: map }).unwrap()
    }

    #[test]
    fn owners_pass_in_both_directions() {
        let view = view();
        assert_eq!((view.shown_uid(0), view.shown_gid(1000), view.shown_uid(2000)), (1, 0, INVALID));
        assert_eq!(
            (view.stored_uid(0), view.stored_gid(1), view.stored_uid(2000)),
            (Ok(1000), Ok(0), Err(Errno::OVERFLOW))
        );
    }

    #[test]
    fn what_is_mine_is_shown_as_the_users_and_stays_mine() {
        let view = View::Mine { uid: 34, gid: 41 };
        assert_eq!((view.shown_uid(0), view.shown_gid(0), view.shown_uid(7)), (34, 41, 7));
        assert_eq!((view.stored_uid(34), view.stored_gid(7), view.stored_uid(0)), (Ok(0), Ok(0), Ok(0)));
    }

    #[test]
    fn a_map_onto_the_same_ids_needs_no_view() {
        let same = vec![Extent { inside: 0, outside: 0, count: 7 }];
        assert_eq!(View::of(&IdMaps { uids: same.clone(), gids: same }), None);
    }

    #[test]
    fn the_root_of_a_file_capability_is_translated() {
        let sets = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        let capability = |revision: u8, root: Option<u32>| {
            let mut value = vec![1, 0, 0, revision];
            value.extend(sets);
            value.extend(root.into_iter().flat_map(u32::to_le_bytes));
            value
        };
        let view = view();
        let shown = |value| view.shown_attribute(CAPABILITY, value).unwrap();
        assert_eq!(shown(capability(2, None)), capability(3, Some(1)));
        assert_eq!(shown(capability(3, Some(1000))), capability(2, None));
        assert_eq!(shown(capability(3, Some(5000))), capability(3, Some(INVALID)));
        let stored = |value| view.stored_attribute(CAPABILITY, value);
        assert_eq!(stored(capability(3, Some(1))), Ok(capability(2, None)));
        assert_eq!(stored(capability(2, None)), Ok(capability(3, Some(1000))));
        assert_eq!(stored(capability(3, Some(5000))), Err(Errno::OVERFLOW));
        for odd in [vec![], vec![3], vec![0, 0, 0, 3], vec![0; 20], vec![0, 0, 0, 2]] {
            assert_eq!(stored(odd.clone()), Ok(odd));
        }
    }

    #[test]
    fn ids_in_access_lists_are_translated() {
        let entry =
            |tag: u8, permissions: u8, id: u32| [&[tag, 0, permissions, 0], id.to_le_bytes().as_slice()].concat();
        let list = |user, group| {
            let entries = [
                entry(1, 6, INVALID),
                entry(2, 4, user),
                entry(4, 4, INVALID),
                entry(8, 4, group),
                entry(16, 7, INVALID),
            ];
            [vec![2, 0, 0, 0], entries.concat(), entry(32, 0, INVALID)].concat()
        };
        let view = view();
        let shown = |value| view.shown_attribute(ACLS[1], value).unwrap();
        assert_eq!(shown(list(33, 1000)), list(34, 0));
        let without_user = [&list(33, 0)[..12], &list(33, 0)[20..]].concat();
        assert_eq!(shown(list(33, 5000)).len(), without_user.len());
        assert_eq!(view.stored_attribute(ACLS[0], list(34, 0)), Ok(list(33, 1000)));
        assert_eq!(view.stored_attribute(ACLS[0], list(5000, 0)), Err(Errno::OVERFLOW));
        assert_eq!(view.stored_attribute(ACLS[0], vec![2, 0, 0, 0, 1]), Err(Errno::INVAL));
    }
}
