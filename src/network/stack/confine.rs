//! What the process gives up before it reads its first packet: all files, all capabilities, all that a program could gain by
//! executing another, and every system call that it does not need. For Landlock nothing is left to hold: no file can be opened, since
//! the filter has no call for it and the root is empty, and TCP is what the process is for.

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use crate::sys::{self, Call, capability, seccomp};

/// Its root becomes an empty file system that is mounted nowhere, which nobody without capabilities leaves.
pub fn confine(filter: &[libc::sock_filter]) -> sys::Result<()> {
    let empty = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).call("fsopen(tmpfs)")?;
    fsconfig_create(&empty).call("fsconfig(tmpfs)")?;
    let flags = MountAttrFlags::MOUNT_ATTR_RDONLY | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let empty = fsmount(&empty, FsMountFlags::FSMOUNT_CLOEXEC, flags).call("fsmount(tmpfs)")?;
    rustix::process::fchdir(&empty).call("fchdir(tmpfs)")?;
    rustix::process::chroot(".").call("chroot")?;
    capability::give_up()?;
    seccomp::load_any(filter)
}
