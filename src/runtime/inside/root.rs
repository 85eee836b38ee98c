//! The root: attached, resolved beneath, entered.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use crate::sys::mount::{self, Attributes};
use crate::sys::{Call, Error, Result, beneath};

/// How many dangling links of an image are followed to where a mount point has to be made.
const LINKS: usize = 8;

/// Attaches the detached root file system at `path` of this mount namespace; the descriptor is the mounted root.
pub fn attach(file_system: BorrowedFd<'_>, path: &str) -> Result<OwnedFd> {
    let open = || {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(CWD, path, flags, Mode::empty()).call_with(|| format!("open({path})"))
    };
    let point = open()?;
    mount::attach(file_system, point.as_fd())?;
    open()
}

/// Makes the attached root the root of this process, and lets go of the host's.
pub fn enter(root: BorrowedFd<'_>, read_only: bool) -> Result<()> {
    if read_only {
        mount::set_attributes(root, Attributes::READ_ONLY, None, false)?;
    }
    rustix::process::fchdir(root).call("fchdir(root)")?;
    rustix::process::pivot_root(c".", c".").call("pivot_root")?;
    // The old root is stacked on the new one; detached, it goes when nothing in it is open any more.
    rustix::mount::unmount(c".", UnmountFlags::DETACH).call("umount2(old root)")?;
    rustix::process::chdir(c"/").call("chdir(/)")
}

/// What a mount point must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Directory,
    File,
}

/// An O_PATH descriptor of `path` beneath the root; symbolic links of the image lead inside, links of /proc nowhere. `strict`: of the
/// kernel's own file systems and devices, whose places no link of the image may move.
pub fn resolve(root: BorrowedFd<'_>, path: &str, strict: bool) -> Result<OwnedFd> {
    let mut how = ResolveFlags::NO_MAGICLINKS;
    how.set(ResolveFlags::NO_SYMLINKS, strict);
    beneath::open(root, path, OFlags::PATH, Mode::empty(), how)
        .call_with(|| format!("openat2({path} in the container)"))
}

/// As [`resolve`], but what is missing is made: directories 0755, a file empty.
pub fn resolve_or_make(root: BorrowedFd<'_>, path: &str, point: Point, strict: bool) -> Result<OwnedFd> {
    find_or_make(root, path, point, strict, LINKS)
}

fn find_or_make(root: BorrowedFd<'_>, path: &str, point: Point, strict: bool, links: usize) -> Result<OwnedFd> {
    match resolve(root, path, strict) {
        Err(error) if error.errno() == libc::ENOENT => make(root, &normal(path), point, strict, links),
        other => other,
    }
}

/// The path without `.`, `..` and empty parts, from `/` on, as Go's path.Clean has it: what is missing is no link, so the text alone
/// decides.
pub fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Makes the last part of a normal path in the directory above it, which is found or made in the same way. A link that takes the
/// name meanwhile is not followed.
fn make(root: BorrowedFd<'_>, path: &str, point: Point, strict: bool, links: usize) -> Result<OwnedFd> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let above = match parent {
        "" => resolve(root, "/", false)?,
        parent => find_or_make(root, parent, Point::Directory, strict, links)?,
    };
    let made = match point {
        Point::Directory => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(0o755))
                .and_then(|()| rustix::fs::openat(&above, name, flags, Mode::empty()))
        }
        Point::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&above, name, flags, Mode::from_raw_mode(0o644))
        }
    };
    match made {
        Ok(made) => Ok(made),
        // Something is there that leads nowhere: a dangling link. Make what it points to, inside.
        Err(Errno::EXIST) if links > 0 && !strict => {
            let to = match rustix::fs::readlinkat(&above, name, Vec::new()) {
                // No link any more: somebody inside is changing the tree meanwhile.
                Err(Errno::INVAL | Errno::NOENT) => return find_or_make(root, path, point, strict, links - 1),
                other => other.call_with(|| format!("readlink({path})"))?,
            };
            let to = to.to_str().map_err(|_| Error::new(format!("readlink({path})"), Errno::ILSEQ))?;
            let to = if to.starts_with('/') { to.to_owned() } else { format!("{parent}/{to}") };
            find_or_make(root, &to, point, strict, links - 1)
        }
        Err(error) => Err(Error::new(format!("make {path} in the container"), error)),
    }
}
