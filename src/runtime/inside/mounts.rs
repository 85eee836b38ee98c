//! The steps beneath the root: mounts, nodes, links, covers. All by descriptor, so that no path is walked twice.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::root::{Point, resolve, resolve_or_make};
use super::{devices, secret};
use crate::host::copy;
use crate::runtime::plan::{Mount, Propagation, Source, Step};
use crate::sys::mount::{self, Attributes};
use crate::sys::{Call, Error, Result, beneath};

/// What the steps bind of the host, as detached mounts: one place a step, empty where it binds nothing.
///
/// Taken as the user, before this process becomes the container's root, who may not be let through to all of it; and before the
/// root is attached: a volume above the store would else hold the container's own root, its /proc uncovered, and twice as many
/// mounts with each further one.
///
/// `served`: what the monitor has a file system of its own for, or the content of in memory, by the number of the step.
pub fn sources(steps: &[Step], served: &[(usize, OwnedFd)]) -> Result<Vec<Option<OwnedFd>>> {
    let source = |(number, step): (usize, &Step)| match step {
        Step::Mount(mount) => match served.iter().find(|(of, _)| *of == number) {
            Some((_, tree)) => {
                restrict(tree.as_fd(), mount, true)?;
                rustix::io::fcntl_dupfd_cloexec(tree, 0).call("fcntl(F_DUPFD_CLOEXEC)").map(Some)
            }
            None => bind(mount),
        },
        Step::Device(path) => devices::source(path).map(Some),
        Step::Secret { source, .. } => match served.iter().find(|(of, _)| *of == number) {
            Some((_, content)) => rustix::io::fcntl_dupfd_cloexec(content, 0).call("fcntl(F_DUPFD_CLOEXEC)").map(Some),
            None => secret::open(source).map(Some),
        },
        _ => Ok(None),
    };
    steps.iter().enumerate().map(source).collect()
}

/// Carries the steps out in order.
pub fn carry_out(root: BorrowedFd<'_>, steps: &[Step], sources: &[Option<OwnedFd>]) -> Result<()> {
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
            Step::Secret { made_at, moved_to, owner, mode, .. } => {
                if let Some(source) = source {
                    secret::put(root, made_at, moved_to.as_deref(), source, *owner, *mode)?;
                }
            }
            Step::File(path) => drop(resolve_or_make(root, path, Point::File, true)?),
            Step::Mask(path) => mask(root, path, null.as_fd())?,
            Step::ReadOnly(path) => read_only(root, path)?,
            Step::Freeze(path) => {
                mount::set_attributes(resolve(root, path, true)?.as_fd(), Attributes::READ_ONLY, None, false)?;
            }
        }
    }
    Ok(())
}

fn mount_one(root: BorrowedFd<'_>, mount: &Mount, source: Option<BorrowedFd<'_>>) -> Result<()> {
    let new;
    let tree = match (&mount.source, source) {
        (Source::New { fstype, options, copy_up }, _) => {
            let made = match copy_up {
                true => copied_up(root, mount, fstype, options),
                false => new_instance(fstype, options, Attributes::from_bits(mount.attributes)),
            };
            match made {
                Err(_) if mount.optional => return Ok(()),
                made => {
                    new = made?;
                    new.as_fd()
                }
            }
        }
        (_, Some(source)) => source,
        // It may be missing, and is.
        (_, None) => return Ok(()),
    };
    let point = if file_type(tree)? == FileType::Directory { Point::Directory } else { Point::File };
    let target = resolve_or_make(root, &mount.target, point, mount.strict)?;
    mount::attach(tree, target.as_fd()).map_err(|error| Error::new(format!("mount on {}", mount.target), error.source))
}

/// A new instance that holds, before anybody sees it, what the directory holds that it will cover; like that directory, where the
/// options do not say otherwise.
fn copied_up(root: BorrowedFd<'_>, mount: &Mount, fstype: &str, options: &Options) -> Result<OwnedFd> {
    let attributes = Attributes::from_bits(mount.attributes);
    let how = ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let covered = match beneath::open(root, mount.target.as_str(), flags, Mode::empty(), how) {
        Err(Errno::NOENT | Errno::NOTDIR) => return new_instance(fstype, options, attributes),
        other => other.call_with(|| format!("openat2({} in the container)", mount.target))?,
    };
    let new = new_instance(fstype, options, Attributes::default())?;
    // What stands for the mount can't itself be changed, nor read.
    let top = rustix::fs::openat(&new, c".", flags | OFlags::CLOEXEC, Mode::empty()).call("open(tmpfs)")?;
    copy::tree(covered.as_fd(), top.as_fd())?;
    let stat = rustix::fs::fstat(&covered).call("fstat")?;
    let given = |wanted: &str| options.iter().any(|(key, _)| key == wanted);
    let id = |key, id| (!given(key)).then_some(id);
    match rustix::fs::fchown(&top, id("uid", stat.st_uid).map(Uid::from_raw), id("gid", stat.st_gid).map(Gid::from_raw))
    {
        // The container has no such id.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(error) => return Err(Error::new("fchown(tmpfs)", error)),
    }
    if !given("mode") {
        rustix::fs::fchmod(&top, Mode::from_raw_mode(stat.st_mode & 0o7777)).call("fchmod(tmpfs)")?;
    }
    mount::set_attributes(new.as_fd(), attributes, None, false)?;
    Ok(new)
}

/// What a file system understands itself.
type Options = [(String, Option<String>)];

/// A detached mount of a new instance of a kernel file system.
fn new_instance(fstype: &str, options: &Options, attributes: Attributes) -> Result<OwnedFd> {
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

/// A detached copy of the part of the host's tree that a mount shows, if it shows one.
fn bind(mount: &Mount) -> Result<Option<OwnedFd>> {
    let Source::Bind { path, recursive, .. } = &mount.source else { return Ok(None) };
    let name = CString::new(path.as_str()).call("bind")?;
    match mount::clone_tree(CWD, &name, *recursive) {
        Err(_) if mount.optional => Ok(None),
        Err(error) => Err(Error::new(format!("bind {path}"), error.source)),
        Ok(tree) => {
            restrict(tree.as_fd(), mount, *recursive)?;
            Ok(Some(tree))
        }
    }
}

/// Gives a detached mount the attributes that were asked for.
fn restrict(tree: BorrowedFd<'_>, mount: &Mount, recursive: bool) -> Result<()> {
    let propagation = match mount.propagation {
        Propagation::Private => mount::Propagation::Private,
        Propagation::Slave => mount::Propagation::Slave,
        Propagation::Shared => mount::Propagation::Shared,
        Propagation::Unbindable => mount::Propagation::Unbindable,
    };
    mount::set_attributes(tree, Attributes::default(), Some(propagation), recursive)?;
    let attributes = Attributes::from_bits(mount.attributes);
    if attributes != Attributes::default() {
        mount::set_attributes(tree, attributes, None, recursive)?;
    }
    Ok(())
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
        let cover = mount::clone_tree(null, c"", false)?;
        mount::set_attributes(cover.as_fd(), Attributes::READ_ONLY, Some(mount::Propagation::Private), false)?;
        cover
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
