//! A FUSE session: the mount, made as a detached one on an own /dev/fuse handle, and the threads that serve it.
//!
//! Never unmounted by path: the mount is a descriptor that goes to the monitor, and ends with its mount namespace.

pub mod turns;

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex};

use fuser::{Config, Session, SessionACL};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen,
};

use self::turns::Turns;
use super::filesystem::Served;
use super::inode::lock;
use super::tree::Tree;
use super::{Error, Features, Stack};
use crate::sys::Call;

/// Threads of a session at least.
pub const FEWEST: usize = 8;

/// How a session is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads, each with its own channel to the kernel.
    pub threads: usize,
    /// How many directories may be held open.
    pub directories: usize,
    pub features: Features,
}

/// A mounted file system that nobody serves yet; requests wait in the kernel.
#[derive(Debug)]
pub struct Mounted {
    session: Session<Served>,
}

/// Mounts the stack. The caller is root in its user namespace, with CAP_SYS_ADMIN over its mount namespace and umask 0.
///
/// Returns the session to [`Mounted::serve`] and the detached mount.
pub fn mount(stack: Stack, options: Options) -> Result<(Mounted, OwnedFd), Error> {
    let stack_is_read_only = stack.upper.is_none();
    if let Some(upper) = stack.upper.as_ref().filter(|_| !stack.lowers.is_empty()) {
        // What a crash left there; no harm is done if it stays.
        let _ = super::change::whiteout::sweep(&upper.work);
    }
    let tree = Tree::new(stack, options.directories, options.features)?;
    let device = rustix::fs::open("/dev/fuse", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let device = device.call("open(/dev/fuse)").map_err(Error::Device)?;
    let context = fsopen("fuse", FsOpenFlags::FSOPEN_CLOEXEC).call("fsopen(fuse)").map_err(Error::Device)?;
    let settings = [
        ("source", "coracle".to_owned()),
        ("subtype", "coracle".to_owned()),
        ("fd", device.as_raw_fd().to_string()),
        ("rootmode", "40000".to_owned()),
        ("user_id", rustix::process::getuid().as_raw().to_string()),
        ("group_id", rustix::process::getgid().as_raw().to_string()),
    ];
    for (key, value) in &settings {
        fsconfig_set_string(&context, *key, value).call_with(|| format!("fsconfig(fuse, {key}={value})"))?;
    }
    // What can't be written must be refused by the kernel, which does not ask when a file is opened.
    let read_only = stack_is_read_only.then_some("ro");
    for flag in ["default_permissions", "allow_other"].into_iter().chain(read_only) {
        fsconfig_set_flag(&context, flag).call_with(|| format!("fsconfig(fuse, {flag})"))?;
    }
    fsconfig_create(&context).call("fsconfig(fuse, create)")?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).call("fsmount(fuse)")?;
    let mut config = Config::default();
    config.acl = SessionACL::All;
    // More than do work at once: some wait, for the disk or for what the kernel hands to another, and those that wait for a turn
    // cost nothing.
    let threads = options.threads.max(FEWEST);
    config.n_threads = Some(threads);
    config.clone_fd = true;
    let notifier = Arc::new(Mutex::new(None));
    let turns = Turns::new(device.try_clone().call("dup(/dev/fuse)")?);
    let served = Served::new(tree, notifier.clone(), turns);
    let session = Session::from_fd(served, device, SessionACL::All, config).map_err(Error::Session)?;
    *lock(&notifier) = Some(session.notifier());
    Ok((Mounted { session }, mount))
}

impl Mounted {
    /// Serves until the last reference to the mount is gone.
    pub fn serve(self) -> Result<(), Error> {
        match self.session.run() {
            // What a thread may read in the moment in which the mount goes (kernel: fuse_dev_do_read).
            Err(error) if error.raw_os_error() == Some(libc::ECONNABORTED) => Ok(()),
            ended => ended.map_err(Error::Session),
        }
    }
}
