//! Whether something is mounted in a tree, and is to stay.
//!
//! It has to be asked: to a process of another mount namespace the kernel does not say EBUSY; it takes the mount away with the name.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use crate::sys::{self, Call};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// On the name itself.
pub fn is_mounted(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<bool> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    match rustix::fs::statx(parent, name, flags, StatxFlags::empty()) {
        Err(Errno::NOENT) => Ok(false),
        found => Ok(found.call("statx")?.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
    }
}

/// On it, or anywhere in the directory that it is.
pub fn holds_mount(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<bool> {
    if is_mounted(parent, name)? {
        return Ok(true);
    }
    let mut levels: Vec<(OwnedFd, Dir)> = directory(parent, name)?.into_iter().collect();
    while let Some((level, entries)) = levels.last_mut() {
        let Some(entry) = entries.next() else {
            levels.pop();
            continue;
        };
        let entry = entry.call("getdents64")?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if is_mounted(level.as_fd(), name)? {
            return Ok(true);
        }
        if matches!(entry.file_type(), FileType::Directory | FileType::Unknown) {
            let inner = directory(level.as_fd(), name)?;
            levels.extend(inner);
        }
    }
    Ok(false)
}

/// `None`: it is no directory, or no longer.
fn directory(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<Option<(OwnedFd, Dir)>> {
    let opened = match rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        opened => opened.call("openat")?,
    };
    let entries = Dir::read_from(&opened).call("opendir")?;
    Ok(Some((opened, entries)))
}
