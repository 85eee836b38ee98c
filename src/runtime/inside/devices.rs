//! /dev: nodes of the host bound one by one (an unprivileged user can make none), links, the console.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::mounts::file_type;
use super::root::{Point, resolve, resolve_or_make};
use crate::sys::mount::{self, Attributes};
use crate::sys::{Call, Error, Result};

/// The host's node `/dev/NAME`; anything that is not a device is refused.
pub fn host_node(name: &str) -> Result<OwnedFd> {
    let path = format!("/dev/{name}");
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let node = rustix::fs::openat(CWD, path.as_str(), flags, Mode::empty()).call_with(|| format!("open({path})"))?;
    match file_type(node.as_fd())? {
        FileType::CharacterDevice | FileType::BlockDevice => Ok(node),
        _ => Err(Error::new(format!("{path} is no device"), Errno::NODEV)),
    }
}

/// The host's node of this path as a detached mount.
pub fn source(path: &str) -> Result<OwnedFd> {
    let name = CString::new(path).call("bind a device")?;
    let node = mount::clone_tree(CWD, &name, false)?;
    let attributes = Attributes::NO_SUID | Attributes::NO_EXEC;
    mount::set_attributes(node.as_fd(), attributes, Some(mount::Propagation::Private), false)?;
    Ok(node)
}

/// Binds a node of the host on its path in the container.
pub fn bind(root: BorrowedFd<'_>, path: &str, node: BorrowedFd<'_>) -> Result<()> {
    let target = resolve_or_make(root, path, Point::File, true)?;
    mount::attach(node, target.as_fd()).map_err(|error| Error::new(format!("mount on {path}"), error.source))
}

/// A symbolic link in the container's own /dev.
pub fn link(root: BorrowedFd<'_>, path: &str, to: &str) -> Result<()> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("/", path));
    let above = resolve(root, parent, true)?;
    rustix::fs::symlinkat(to, &above, name).call_with(|| format!("symlink({path})"))
}
