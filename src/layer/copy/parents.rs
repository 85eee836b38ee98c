//! Directories that the path of a target lacks.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;

use super::{Owners, Root, Stream, Target, failed, last, trimmed, unreachable};
use crate::layer::Result;
use crate::store::owners::WORD;
use crate::sys::{self, Call};

const REACHED: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Makes them: all of the path where what goes there goes into a directory, else all but its last component. Symlinks on the way
/// are followed, beneath the root.
pub fn make(root: Root<'_>, target: &Target) -> Result<()> {
    let path = trimmed(&target.path);
    let into = target.stream == Stream::Archive || target.path.ends_with(b"/");
    let end = if into { path.len() } else { path.len() - last(path).len() };
    let path = path.get(..end).unwrap_or_default();
    let unreached = |error| unreachable(&target.path, &target.place, error);
    if path.is_empty() || root.open(path, REACHED).is_ok() {
        return Ok(());
    }
    let mut parent: OwnedFd = root.open(b"/", REACHED).map_err(unreached)?;
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(place, _)| place).chain([path.len()]);
    for end in ends {
        let whole = path.get(..end).unwrap_or_default();
        let name = last(whole);
        if name.is_empty() || name == b"." {
            continue;
        }
        parent = match root.open(whole, REACHED) {
            Err(Errno::NOENT) => made(target, parent.as_fd(), name).map_err(failed(whole))?,
            reached => reached.map_err(unreached)?,
        };
    }
    Ok(())
}

fn made(target: &Target, parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<OwnedFd> {
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)).call("mkdirat")?;
    let made = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()).call("openat")?;
    own(target, made.as_fd())?;
    Ok(made)
}

/// Gives a new directory that no stream speaks of to whom all is given.
pub fn own(target: &Target, directory: BorrowedFd<'_>) -> sys::Result<()> {
    let Owners::Given { uid, gid } = target.owners else { return Ok(()) };
    if target.recorded {
        let owner = format!("{uid}:{gid}");
        let set = rustix::fs::fsetxattr(directory, WORD, owner.as_bytes(), XattrFlags::empty());
        return set.call("setxattr(security.coracle.owner)");
    }
    rustix::fs::fchown(directory, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).call("fchown")
}
