//! The steps beneath the root: mounts, nodes, links, covers. All by descriptor, so that no path is walked twice.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::devices;
use super::root::{Point, resolve, resolve_or_make};
use crate::runtime::plan::{Mount, Owners, Propagation, Source, Step};
use crate::sys::mount::{self, Attributes};
use crate::sys::{Call, Error, Result};

/// What the steps bind of the host, as detached mounts: one place a step, empty where it binds nothing.
///
/// Taken as the user, before this process becomes the container's root, who may not be let through to all of it; and before the
/// root is attached: a volume above the store would else hold the container's own root, its /proc uncovered, and twice as many
/// mounts with each further one.
///
/// `served`: what the monitor has a file system of its own for, by the number of the step.
pub fn sources(steps: &[Step], served: &[(usize, OwnedFd)]) -> Result<Vec<Option<OwnedFd>>> {
    let source = |(number, step): (usize, &Step)| match step {
        Step::Mount(Mount { source: Source::Bind { owners: Owners::Mine, .. }, attributes, .. }) => {
            let Some((_, tree)) = served.iter().find(|(of, _)| *of == number) else { return Ok(None) };
            mount::set_attributes(tree.as_fd(), Attributes::from_bits(*attributes), None, false)?;
            rustix::io::fcntl_dupfd_cloexec(tree, 0).call("fcntl(F_DUPFD_CLOEXEC)").map(Some)
        }
        Step::Mount(Mount { source: Source::Bind { path, .. }, attributes, propagation, optional, .. }) => {
            match bind(path, Attributes::from_bits(*attributes), *propagation) {
                Err(_) if *optional => Ok(None),
                other => other.map(Some),
            }
        }
        Step::Device(path) => devices::source(path).map(Some),
        _ => Ok(None),
    };
    steps.iter().enumerate().map(source).collect()
}

/// Carries the steps out in order.
pub fn carry_out(root: BorrowedFd<'_>, steps: &[Step], sources: &[Option<OwnedFd>], terminal: bool) -> Result<()> {
    // Opened while the host's /dev is still in reach, and checked: it will cover files of the container.
    let null = devices::host_node("null")?;
    for (step, source) in steps.iter().zip(sources) {
        let source = source.as_ref().map(AsFd::as_fd);
        match step {
            Step::Mount(mount) => mount_one(root, mount, source)?,
            Step::Device(path) => {
                if let Some(node) = source {
                    devices::bind(root, path, node)?;
                }
            }
            Step::Symlink { path, to } => devices::link(root, path, to)?,
            Step::Directory(path) => drop(resolve_or_make(root, path, Point::Directory, false)?),
            Step::Mask(path) => mask(root, path, null.as_fd())?,
            Step::ReadOnly(path) => read_only(root, path)?,
        }
    }
    if terminal { devices::make_console(root) } else { Ok(()) }
}

fn mount_one(root: BorrowedFd<'_>, mount: &Mount, source: Option<BorrowedFd<'_>>) -> Result<()> {
    let new;
    let tree = match (&mount.source, source) {
        (Source::New { fstype, options }, _) => {
            match new_instance(fstype, options, Attributes::from_bits(mount.attributes)) {
                Err(_) if mount.optional => return Ok(()),
                made => {
                    new = made?;
                    new.as_fd()
                }
            }
        }
        (Source::Bind { .. }, Some(source)) => source,
        // It may be missing, and is.
        (Source::Bind { .. }, None) => return Ok(()),
    };
    let point = if file_type(tree)? == FileType::Directory { Point::Directory } else { Point::File };
    let target = resolve_or_make(root, &mount.target, point, mount.strict)?;
    mount::attach(tree, target.as_fd()).map_err(|error| Error::new(format!("mount on {}", mount.target), error.source))
}

/// A detached mount of a new instance of a kernel file system.
fn new_instance(fstype: &str, options: &[(String, Option<String>)], attributes: Attributes) -> Result<OwnedFd> {
    let context =
        rustix::mount::fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC).call_with(|| format!("fsopen({fstype})"))?;
    let context = context.as_fd();
    rustix::mount::fsconfig_set_string(context, "source", fstype).call("fsconfig(source)")?;
    for (key, value) in options {
        match value {
            Some(value) => rustix::mount::fsconfig_set_string(context, key.as_str(), value.as_str()),
            None => rustix::mount::fsconfig_set_flag(context, key.as_str()),
        }
        .call_with(|| format!("fsconfig({fstype}, {key})"))?;
    }
    rustix::mount::fsconfig_create(context).call_with(|| format!("fsconfig(create {fstype})"))?;
    let attributes = MountAttrFlags::from_bits_retain(attributes.bits() as u32);
    rustix::mount::fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .call_with(|| format!("fsmount({fstype})"))
}

/// A detached copy of a part of the host's tree.
fn bind(path: &str, attributes: Attributes, propagation: Propagation) -> Result<OwnedFd> {
    let name = CString::new(path).call("bind")?;
    let tree = mount::clone_tree(CWD, &name, true).map_err(|error| Error::new(format!("bind {path}"), error.source))?;
    let propagation = match propagation {
        Propagation::Private => mount::Propagation::Private,
        Propagation::Slave => mount::Propagation::Slave,
        Propagation::Shared => mount::Propagation::Shared,
    };
    mount::set_attributes(tree.as_fd(), Attributes::default(), Some(propagation), true)?;
    if attributes != Attributes::default() {
        mount::set_attributes(tree.as_fd(), attributes, None, true)?;
    }
    Ok(tree)
}

pub fn file_type(fd: BorrowedFd<'_>) -> Result<FileType> {
    rustix::fs::fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode)).call("fstat")
}

/// Something that is not there needs no cover.
fn present(found: Result<OwnedFd>) -> Result<Option<OwnedFd>> {
    match found {
        Ok(fd) => Ok(Some(fd)),
        Err(error) if [libc::ENOENT, libc::ENOTDIR].contains(&error.errno()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn mask(root: BorrowedFd<'_>, path: &str, null: BorrowedFd<'_>) -> Result<()> {
    let Some(target) = present(resolve(root, path, false))? else { return Ok(()) };
    let cover = if file_type(target.as_fd())? == FileType::Directory {
        let options = [("size".to_owned(), Some("0".to_owned())), ("nr_inodes".to_owned(), Some("1".to_owned()))];
        new_instance("tmpfs", &options, Attributes::READ_ONLY)?
    } else {
        mount::clone_tree(null, c"", false)?
    };
    mount::attach(cover.as_fd(), target.as_fd()).map_err(|error| Error::new(format!("mask {path}"), error.source))
}

fn read_only(root: BorrowedFd<'_>, path: &str) -> Result<()> {
    let Some(target) = present(resolve(root, path, false))? else { return Ok(()) };
    let tree = mount::clone_tree(target.as_fd(), c"", true)?;
    mount::set_attributes(tree.as_fd(), Attributes::READ_ONLY, None, true)?;
    mount::attach(tree.as_fd(), target.as_fd())
        .map_err(|error| Error::new(format!("make {path} read-only"), error.source))
}
