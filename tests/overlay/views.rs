//! Views, as the file system shows them: owners, file capabilities and access lists have other ids above than on disk.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown};
use std::path::Path;

use coracle::host::subid::{Extent, IdMaps};
use coracle::overlay::view::View;
use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::stage::Stage;

const CAPABILITY: &str = "security.capability";
const ACL: &str = "system.posix_acl_access";

#[test]
fn ids_are_translated_both_ways() {
    super::stage::run("fuse", "ids_are_translated");
}

/// The map of a container with 2000 ids that keeps user 1000's.
fn stage_with_view(stage: &Stage) -> Stage {
    let extent = |inside, outside, count| Extent { inside, outside, count };
    let map = vec![extent(0, 1, 1000), extent(1000, 0, 1), extent(1001, 1001, 999)];
    let mut stage = stage.clone();
    stage.features.view = View::of(&IdMaps { uids: map.clone(), gids: map });
    stage
}

fn attribute(path: &Path, name: &str) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; 256];
    rustix::fs::lgetxattr(path, name, &mut value[..]).map(|length| value[..length].to_vec())
}

fn set(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

/// One permitted capability, for files of the root with this id, if another than the namespace's.
fn capability(root: Option<u32>) -> Vec<u8> {
    let mut value = vec![1, 0, 0, if root.is_some() { 3 } else { 2 }, 0, 0x20];
    value.resize(20, 0);
    value.extend(root.into_iter().flat_map(u32::to_le_bytes));
    value
}

/// Read for one user and one group beside the owner.
fn acl(user: u32, group: u32) -> Vec<u8> {
    let entries =
        [(1, 6, u32::MAX), (2, 4, user), (4, 0, u32::MAX), (8, 4, group), (16, 4, u32::MAX), (32, 0, u32::MAX)];
    let entry = |&(tag, mode, id): &(u8, u8, u32)| [[tag, 0, mode, 0], id.to_le_bytes()].concat();
    [vec![2, 0, 0, 0], entries.iter().flat_map(entry).collect()].concat()
}

fn owner(path: impl AsRef<Path>) -> (u32, u32) {
    let meta = fs::symlink_metadata(path).unwrap();
    (meta.uid(), meta.gid())
}

pub fn ids_are_translated(stage: &Stage) {
    stage.fill();
    let stage = stage_with_view(stage);
    let below = stage.place.join("lower2");
    for (name, id) in [("d/c", 33), ("h1", 1000), ("only", 5000)] {
        chown(below.join(name), Some(id), Some(id)).unwrap();
    }
    set(&below.join("f"), CAPABILITY, &capability(None));
    set(&below.join("d/c"), ACL, &acl(33, 1000));
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);

    // From the disk: the image's root is the container's, the user's own id is whom the container keeps.
    assert_eq!((owner(at("f")), owner(at("d/c")), owner(at("h1")), owner(at("s"))), ((1, 1), (34, 34), (0, 0), (1, 1)));
    // Who has no id inside is nobody, and can be made somebody.
    assert_eq!(owner(at("only")), (65_534, 65_534));
    assert_eq!(fs::write(at("only/x"), "").unwrap_err().raw_os_error(), Some(libc::EACCES));
    chown(at("only"), Some(1), Some(1)).unwrap();
    assert_eq!(attribute(&at("f"), CAPABILITY), Ok(capability(Some(1))));
    assert_eq!(attribute(&at("d/c"), ACL), Ok(acl(34, 0)));

    // To the disk.
    let upper = |name: &str| stage.place.join("upper").join(name);
    chown(at("f"), Some(34), Some(0)).unwrap();
    lchown(at("s"), Some(0), Some(1)).unwrap();
    fs::write(at("new"), "").unwrap();
    assert_eq!((owner(upper("f")), owner(upper("s")), owner(upper("new"))), ((33, 1000), (1000, 0), (1000, 1000)));
    assert_eq!((owner(at("f")), owner(upper("only"))), ((34, 0), (0, 0)));
    set(&at("new"), CAPABILITY, &capability(Some(1)));
    assert_eq!(attribute(&upper("new"), CAPABILITY), Ok(capability(None)));
    assert_eq!(attribute(&at("new"), CAPABILITY), Ok(capability(Some(1))));
    set(&at("new"), ACL, &acl(1, 34));
    assert_eq!((attribute(&upper("new"), ACL), attribute(&at("new"), ACL)), (Ok(acl(0, 33)), Ok(acl(1, 34))));
    // Carried over a copy-up as they were on disk.
    fs::write(at("d/c"), "changed").unwrap();
    assert_eq!((owner(upper("d/c")), attribute(&upper("d/c"), ACL)), ((33, 33), Ok(acl(33, 1000))));
    assert_eq!(chown(at("new"), Some(3000), None).unwrap_err().raw_os_error(), Some(libc::EOVERFLOW));

    mounted.unmount();
    // What lies on disk is what a container without a view has.
    let mut plain = stage;
    plain.features.view = None;
    let mounted = plain.mount("kernel");
    assert_eq!((owner(mounted.at.join("f")), owner(mounted.at.join("new"))), ((33, 1000), (1000, 1000)));
    mounted.unmount();
}
