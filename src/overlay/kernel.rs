//! The kernel's overlayfs, as a detached mount.
//!
//! Layers are named to the kernel through /proc/self/fd: short, and free of the characters that its option parser splits at.
//! Since 6.5 each is one `lowerdir+`; before, all must fit into one page of mount(2) options.

use std::ffi::{CString, OsStr};
use std::fmt::Write;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, StatVfsMountFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, open_tree,
};

use super::{Error, Stack, Upper};
use crate::host::change;
use crate::sys::{self, Call};

/// What mount(2) takes: one page, with the NUL that ends it.
const OPTIONS_LIMIT: usize = 4095;

fn path(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// One option of a mount; without a value it is a flag.
pub type Setting<'a> = (&'a str, Option<String>);

/// Mounts the stack; the mount hangs nowhere and vanishes with its descriptor. The caller has CAP_SYS_ADMIN in its user and
/// mount namespace.
///
/// `volatile`: nothing is synced: for what is thrown away. `label`: of SELinux, which all files have then.
pub fn mount(stack: &Stack, volatile: bool, label: Option<&str>) -> Result<OwnedFd, Error> {
    let mut settings: Vec<Setting<'_>> = vec![("userxattr", None)];
    settings.extend(label.map(|label| ("context", Some(label.to_owned()))));
    settings.extend(stack.lowers.iter().map(|lower| ("lowerdir+", Some(path(lower.as_fd())))));
    if let Some(upper) = &stack.upper {
        // The kernel's own corner. A `volatile` mount leaves a mark there that the next one refuses, since the disk may lack what
        // a power cut took; but what is mounted so is thrown away after one, so here only processes have ended.
        change::remove_tree_at(upper.work.as_fd(), OsStr::new("work"))?;
        settings.push(("upperdir", Some(path(upper.dir.as_fd()))));
        settings.push(("workdir", Some(path(upper.work.as_fd()))));
        if volatile {
            settings.push(("volatile", None));
        }
    }
    let mount = match rustix::system::uname().release().to_str().is_ok_and(knows_lowers_one_by_one) {
        true => with_settings(&settings)?,
        // Such a kernel is asked last: to be asked what it does not know goes into its log each time.
        false => {
            mount_by_options(stack, volatile, label).or_else(|error| with_settings(&settings).map_err(|_| error))?
        }
    };
    match &stack.upper {
        Some(upper) => writable(mount, upper),
        None => Ok(mount),
    }
}

/// Whether a kernel of this release has `lowerdir+`.
fn knows_lowers_one_by_one(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(5))
}

/// Where the kernel can't make its corner, it mounts all the same, read-only, and tells nobody why: on a full disk, above all.
fn writable(mount: OwnedFd, upper: &Upper) -> Result<OwnedFd, Error> {
    let found = rustix::fs::fstatvfs(&mount).call("fstatvfs(overlay)")?;
    if !found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(mount);
    }
    let work = upper.work.as_fd();
    rustix::fs::mkdirat(work, c"work", Mode::RWXU).call("mkdirat(the overlay's work directory)")?;
    Err(Error::Unfit("it was mounted read-only".to_owned()))
}

/// A detached overlay with these options, each given to the kernel by itself. Where it refuses, the error has its words.
pub fn with_settings(settings: &[Setting<'_>]) -> sys::Result<OwnedFd> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).call("fsopen(overlay)")?;
    let explained = |call: String| format!("{call}{}", complaint(&context));
    fsconfig_set_string(&context, "source", "coracle").call("fsconfig(overlay, source)")?;
    for (key, value) in settings {
        match value {
            Some(value) => fsconfig_set_string(&context, *key, value.as_str()),
            None => fsconfig_set_flag(&context, *key),
        }
        .call_with(|| explained(format!("fsconfig(overlay, {key})")))?;
    }
    fsconfig_create(&context).call_with(|| explained("fsconfig(overlay, create)".to_owned()))?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NODEV).call("fsmount(overlay)")
}

/// What the kernel says of a configuration that it refused: one message a read(2).
fn complaint(context: &OwnedFd) -> String {
    let mut text = String::new();
    let mut message = [0; 512];
    while let Ok(length @ 1..) = rustix::io::read(context, &mut message) {
        let line = String::from_utf8_lossy(message.get(..length).unwrap_or_default());
        // A letter for how grave it is, and a space.
        let _ = write!(text, ": {}", line.get(2..).unwrap_or_default().trim_end());
    }
    text
}

/// As [`mount`], on kernels before 6.5: mounted for a moment over the work (or topmost) directory in this mount namespace.
pub fn mount_by_options(stack: &Stack, volatile: bool, label: Option<&str>) -> Result<OwnedFd, Error> {
    let options = options(stack, volatile, label)?;
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

/// Whether a kernel that takes no layers one by one can be given these.
pub fn fits(stack: &Stack, volatile: bool, label: Option<&str>) -> bool {
    options(stack, volatile, label).is_ok()
}

fn options(stack: &Stack, volatile: bool, label: Option<&str>) -> Result<CString, Error> {
    let mut options = String::from("userxattr");
    if let Some(label) = label {
        // In quotation marks, since its categories have a comma between them.
        let _ = write!(options, ",context=\"{label}\"");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_says_how_lowers_are_given() {
        for (release, knows) in [
            ("6.18.3-cloud", true),
            ("6.5.0", true),
            ("7.0-rc1", true),
            ("6.1.0-40-amd64", false),
            ("5.15.0", false),
            ("x", false),
        ] {
            assert_eq!(knows_lowers_one_by_one(release), knows, "{release}");
        }
    }
}
