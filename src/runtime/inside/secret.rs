//! A secret: a file in a tmpfs, with the content of one that only its user can read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::root::{Point, resolve, resolve_or_make};
use crate::host::copy;
use crate::sys::{Call, Error, Result, mount};

/// Opened as the user, before this process becomes the container's root.
pub fn open(path: &str) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty()).call_with(|| format!("open({path})"))
}

/// Makes the file, which must be new, and mounts it where it is wanted, if that is elsewhere.
pub fn put(
    root: BorrowedFd<'_>,
    made_at: &str,
    moved_to: Option<&str>,
    source: BorrowedFd<'_>,
    (uid, gid): (u32, u32),
    mode: u32,
) -> Result<()> {
    let (parent, name) = made_at.rsplit_once('/').unwrap_or(("", made_at));
    let above = resolve_or_make(root, parent, Point::Directory, false)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let call = || format!("make the secret {made_at}");
    let file = rustix::fs::openat(&above, name, flags, Mode::RUSR | Mode::WUSR).call_with(call)?;
    let length = rustix::fs::fstat(source).call("fstat")?.st_size as u64;
    copy::data(source, file.as_fd(), length).call_with(call)?;
    match rustix::fs::fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
        // Of an account that has one id, all files are that one's.
        Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
        Err(error) => return Err(Error::new(call(), error)),
    }
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).call_with(call)?;
    let Some(target) = moved_to else { return Ok(()) };
    let tree = mount::clone_tree(resolve(root, made_at, false)?.as_fd(), c"", false)?;
    let point = resolve_or_make(root, target, Point::File, false)?;
    mount::attach(tree.as_fd(), point.as_fd())
        .map_err(|error| Error::new(format!("mount on {target}"), error.source))?;
    rustix::fs::unlinkat(&above, name, AtFlags::empty()).call_with(call)
}
