//! Mounts by descriptor: the calls of the new mount API that `rustix` lacks.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use rustix::mount::{MoveMountFlags, OpenTreeFlags};

use super::{Call, Error, Result};

/// What mount_setattr(2) can switch on for a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(u64);

impl Attributes {
    pub const READ_ONLY: Self = Self(libc::MOUNT_ATTR_RDONLY);
    pub const NO_SUID: Self = Self(libc::MOUNT_ATTR_NOSUID);
    pub const NO_DEV: Self = Self(libc::MOUNT_ATTR_NODEV);
    pub const NO_EXEC: Self = Self(libc::MOUNT_ATTR_NOEXEC);

    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl std::ops::BitOr for Attributes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The propagation of a mount (mount_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    Private,
    Slave,
    Shared,
    Unbindable,
}

/// Changes a mount in place; `recursive` reaches the mounts beneath it. Linux 5.12.
pub fn set_attributes(
    mount: BorrowedFd<'_>,
    set: Attributes,
    propagation: Option<Propagation>,
    recursive: bool,
) -> Result<()> {
    let arguments = libc::mount_attr {
        attr_set: set.bits(),
        attr_clr: 0,
        propagation: propagation.map_or(0, |propagation| match propagation {
            Propagation::Private => libc::MS_PRIVATE,
            Propagation::Slave => libc::MS_SLAVE,
            Propagation::Shared => libc::MS_SHARED,
            Propagation::Unbindable => libc::MS_UNBINDABLE,
        }),
        userns_fd: 0,
    };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty C string and the structure outlives the call and carries its own size.
    let status = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const arguments,
            size_of::<libc::mount_attr>(),
        )
    };
    if status == 0 { Ok(()) } else { Err(Error::new("mount_setattr", io::Error::last_os_error())) }
}

/// A detached copy of the mount at `path` (beneath `dir`), with everything mounted beneath it when `recursive`.
pub fn clone_tree(dir: BorrowedFd<'_>, path: &std::ffi::CStr, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags.set(OpenTreeFlags::AT_RECURSIVE, recursive);
    flags.set(OpenTreeFlags::AT_EMPTY_PATH, path.is_empty());
    rustix::mount::open_tree(dir, path, flags).call_with(|| format!("open_tree({})", path.to_string_lossy()))
}

/// Mounts a detached mount on what `target` (an O_PATH descriptor of this mount namespace) stands for.
pub fn attach(mount: BorrowedFd<'_>, target: BorrowedFd<'_>) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags).call("move_mount")
}

/// This program's own file on a read-only mount of its own, to be executed by whoever can be seen from inside a container: what
/// comes back through /proc/PID/exe can then be neither written, nor have its mode changed, nor be linked elsewhere.
///
/// For a process in a mount namespace of its own. Where the file has been replaced or deleted since it was started, a sealed
/// copy in memory serves instead.
pub fn own_program_read_only() -> Result<OwnedFd> {
    let running = rustix::fs::open(c"/proc/self/exe", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .call("open(/proc/self/exe)")?;
    // Through /proc/self/exe one gets the mount of the namespace where the program was started, which can't be cloned here.
    let path = rustix::fs::readlink(c"/proc/self/exe", Vec::new()).call("readlink(/proc/self/exe)")?;
    if let Ok(file) = rustix::fs::open(path.as_c_str(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        let identity = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).map(|stat| (stat.st_dev, stat.st_ino)).call("fstat");
        if identity(file.as_fd())? == identity(running.as_fd())? {
            let copy = clone_tree(file.as_fd(), c"", false)?;
            set_attributes(copy.as_fd(), Attributes::READ_ONLY, None, false)?;
            return Ok(copy);
        }
    }
    sealed_copy(running.as_fd())
}

fn sealed_copy(program: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = rustix::fs::memfd_create(c"coracle", flags).call("memfd_create")?;
    while rustix::fs::sendfile(&copy, program, None, 1 << 30).call("sendfile(/proc/self/exe)")? > 0 {}
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&copy, seals).call("fcntl(F_ADD_SEALS)")?;
    Ok(copy)
}
