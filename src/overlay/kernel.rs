//! The kernel's overlayfs, as a detached mount.
//!
//! Layers are named to the kernel through /proc/self/fd: short, and free of the characters that its option parser splits at.
//! Since 6.5 each is one `lowerdir+`; before, all must fit into one page of mount(2) options.

use std::ffi::CString;
use std::fmt::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, open_tree,
};

use super::{Error, Stack};
use crate::sys::{self, Call};

/// What mount(2) takes: one page, with the NUL that ends it.
const OPTIONS_LIMIT: usize = 4095;

fn path(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Mounts the stack; the mount hangs nowhere and vanishes with its descriptor. The caller has CAP_SYS_ADMIN in its user and
/// mount namespace.
///
/// `volatile`: nothing is synced, and the upper directory can't be mounted again by this driver: for what is thrown away.
pub fn mount(stack: &Stack, volatile: bool) -> Result<OwnedFd, Error> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).call("fsopen(overlay)")?;
    fsconfig_set_string(&context, "source", "coracle").call("fsconfig(overlay, source)")?;
    fsconfig_set_flag(&context, "userxattr").call("fsconfig(overlay, userxattr)")?;
    for lower in &stack.lowers {
        match fsconfig_set_string(&context, "lowerdir+", path(lower.as_fd())) {
            Err(Errno::INVAL) => return mount_by_options(stack, volatile),
            result => result.call("fsconfig(overlay, lowerdir+)")?,
        }
    }
    if let Some(upper) = &stack.upper {
        fsconfig_set_string(&context, "upperdir", path(upper.dir.as_fd())).call("fsconfig(overlay, upperdir)")?;
        fsconfig_set_string(&context, "workdir", path(upper.work.as_fd())).call("fsconfig(overlay, workdir)")?;
    }
    if volatile && stack.upper.is_some() {
        fsconfig_set_flag(&context, "volatile").call("fsconfig(overlay, volatile)")?;
    }
    match fsconfig_create(&context) {
        // Before 6.5 options were only collected: an unknown one shows here.
        Err(Errno::INVAL) => return mount_by_options(stack, volatile),
        result => result.call("fsconfig(overlay, create)")?,
    }
    let attributes = MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).call("fsmount(overlay)")?)
}

/// As [`mount`], on kernels before 6.5: mounted for a moment over the work (or topmost) directory in this mount namespace.
pub fn mount_by_options(stack: &Stack, volatile: bool) -> Result<OwnedFd, Error> {
    let options = options(stack, volatile)?;
    let place = match &stack.upper {
        Some(upper) => upper.work.as_fd(),
        None => stack.lowers.first().ok_or_else(|| Error::Unfit("no layer".to_owned()))?.as_fd(),
    };
    let place = path(place);
    rustix::mount::mount("coracle", &*place, "overlay", MountFlags::NODEV, Some(options.as_c_str()))
        .call_with(|| format!("mount(overlay, {})", options.to_string_lossy()))?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    // The descriptor of the directory leads below the new mount, its path from above leads into it.
    let above = std::fs::read_link(&place).call_with(|| format!("readlink({place})"))?;
    let tree = open_tree(rustix::fs::CWD, &above, flags).call("open_tree(overlay)");
    let unmounted = rustix::mount::unmount(&above, UnmountFlags::DETACH).call("umount(overlay)");
    let tree = tree?;
    unmounted?;
    Ok(tree)
}

fn options(stack: &Stack, volatile: bool) -> Result<CString, Error> {
    let mut options = String::from("userxattr");
    for (at, lower) in stack.lowers.iter().enumerate() {
        options += if at == 0 { ",lowerdir=" } else { ":" };
        options += &path(lower.as_fd());
    }
    if let Some(upper) = &stack.upper {
        let _ = write!(options, ",upperdir={},workdir={}", path(upper.dir.as_fd()), path(upper.work.as_fd()));
        options += if volatile { ",volatile" } else { "" };
    }
    if options.len() > OPTIONS_LIMIT {
        return Err(Error::Unfit(format!("{} layers do not fit into the options of mount(2)", stack.lowers.len())));
    }
    CString::new(options).map_err(|error| sys::Error::new("mount(overlay)", std::io::Error::other(error)).into())
}
