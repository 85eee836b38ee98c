//! What the kernel still caches of a container's FUSE mount reaches the upper directory.
//!
//! With the write-back cache the data of files that are open for writing, and size and times with them, may be in the kernel
//! alone. syncfs(2) through the mount begins to write all of it, but does not wait for a file system that an unprivileged user
//! serves (measured on Linux 6.18: data came up to 50 ms later). sync_file_range(2) waits, file by file, and asks the server for
//! nothing more than the data; so every file of the upper directory is waited for. fsync(2) would wait for the disk, too.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::merged::{Entry, Merged};
use super::shown;
use crate::host::fault;
use crate::sys::{self, Call, file};

/// What may be in the way from the upper directory to the mount: files that the container covers or has just removed.
const NOT_THERE: [Errno; 5] = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::XDEV, Errno::NXIO];

/// A directory of the upper, and the same directory seen through the mount.
struct Level {
    mount: OwnedFd,
    upper: Merged,
    entries: std::vec::IntoIter<Entry>,
}

/// `mount`: the root of the container, as one of its processes sees it. `upper`: its upper directory.
pub fn settle(mount: BorrowedFd<'_>, upper: Merged) -> sys::Result<()> {
    let mount = beneath(mount, b".", OFlags::DIRECTORY).call("openat2(the container's root)")?;
    fault::point("settle: syncfs").call("syncfs(the container's root)")?;
    rustix::fs::syncfs(&mount).call("syncfs(the container's root)")?;
    let mut levels = vec![level(mount, upper)?];
    while let Some(Level { mount, upper, entries }) = levels.last_mut() {
        let Some(entry) = entries.next() else {
            levels.pop();
            continue;
        };
        let inner = match entry.kind() {
            FileType::RegularFile => {
                wait_for(mount.as_fd(), &entry.name)?;
                continue;
            }
            FileType::Directory => upper.enter(&entry.name)?,
            _ => None,
        };
        let Some(inner) = inner else { continue };
        if let Some(mount) = there(mount.as_fd(), &entry.name, OFlags::DIRECTORY)? {
            levels.push(level(mount, inner)?);
        }
    }
    Ok(())
}

fn level(mount: OwnedFd, upper: Merged) -> sys::Result<Level> {
    let entries = upper.top_entries()?.into_iter();
    Ok(Level { mount, upper, entries })
}

fn wait_for(directory: BorrowedFd<'_>, name: &[u8]) -> sys::Result<()> {
    // A FIFO or device of that name, by now, must not hold this process up.
    match there(directory, name, OFlags::NONBLOCK | OFlags::NOCTTY)? {
        // Anything but a file has no pages.
        Some(opened) => {
            fault::one_of_many("settle: write back").call("sync_file_range")?;
            match file::write_back(opened.as_fd()) {
                Err(error) if error.errno() == libc::ESPIPE => Ok(()),
                other => other,
            }
        }
        None => Ok(()),
    }
}

/// What the mount shows under this name; `None`: nothing of the upper directory's.
fn there(directory: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> sys::Result<Option<OwnedFd>> {
    match beneath(directory, name, flags) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if NOT_THERE.contains(&error) => Ok(None),
        Err(error) => Err(sys::Error::new(format!("openat2({} in the container)", shown(name)), error)),
    }
}

/// One name in a directory of the mount, and nothing that is mounted there.
fn beneath(directory: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    sys::beneath::open(directory, name, flags | OFlags::RDONLY | OFlags::NOFOLLOW, Mode::empty(), resolve)
}
