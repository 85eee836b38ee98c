//! The supervisor: writes down the changes of owners that programs ask for where there is but one id, and answers them.
//!
//! ```text
//!  program ── chown ──▶ kernel ── listener ──▶ supervisor ── setxattr through the mount ──▶ mounter: writes it down
//!     ▲                    │                        │
//!     └── 0 or an error ◀──┴────────── answer ◀─────┘
//! ```
//!
//! A process of its own: the look-ups that it makes are served by the mounter, which waits for nobody, and whatever hangs in
//! the container's file systems holds up nothing but the container's own changes of owners. Started by the session of the
//! program, in the user's namespace, with the listener; it ends when no program is left.
//!
//! What must stay true: the caller's word is read once; its root, its current directory and its descriptors are reached by
//! descriptors that were opened while the call waited; files are only opened as places (O_PATH), never for what they hold; a
//! call is never let through. Changed is the container's own root file system alone: on other mounts (volumes, tmpfs) there is
//! nobody to write an owner down, and the call just succeeds.

mod call;
mod resolve;
mod start;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Statx, StatxFlags, XattrFlags, chmodat, openat, statx};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use serde::{Deserialize, Serialize};

use crate::host::role;
use crate::overlay::owners::{OWNER, OWNER_OF_OPEN};
use crate::runtime::handshake::{self, FromInit};
use crate::sys::{self, Call, seccomp};
use call::{Chown, Target};
use resolve::Caller;

pub use resolve::Device;
pub use start::{Listener, Supervisor};

/// What a supervisor is told. Its one descriptor is a socket, over which the listener comes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    pub version: u32,
    /// The device number of the container's root file system.
    pub device: Device,
}

pub fn main() -> ExitCode {
    let (Ok(job), Ok(talk)) = (role::job::<Job>(), role::inherited(0)) else { return ExitCode::FAILURE };
    match handshake::hear(talk.as_fd()) {
        Ok(FromInit::Listener(listener)) => match serve(&job, listener.as_fd()) {
            Ok(()) => ExitCode::SUCCESS,
            // The listener ends with this process, so nobody waits for ever.
            Err(_) => ExitCode::FAILURE,
        },
        // There is nothing to hear of.
        _ => ExitCode::SUCCESS,
    }
}

fn serve(job: &Job, listener: BorrowedFd<'_>) -> sys::Result<()> {
    let proc = own_proc()?;
    loop {
        let mut polled = [PollFd::from_borrowed_fd(listener, PollFlags::IN)];
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(sys::Error::new("poll(listener)", error)),
        }
        let [polled] = polled;
        if polled.revents().contains(PollFlags::IN) {
            if let Some(call) = seccomp::receive(listener)? {
                let result = decide(job, listener, proc.as_fd(), &call);
                seccomp::answer(listener, &call, result)?;
            }
        } else if !polled.revents().is_empty() {
            // Nobody is left who could ask.
            return Ok(());
        }
    }
}

/// The processes as this one's pid namespace numbers them, as the listener does; in /proc they have the host's numbers.
fn own_proc() -> sys::Result<OwnedFd> {
    let here = rustix::fs::readlinkat(CWD, c"/proc/self", Vec::new()).call("readlink(/proc/self)")?;
    if here.to_bytes() == std::process::id().to_string().as_bytes() {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        return openat(CWD, c"/proc", flags, Mode::empty()).call("open(/proc)");
    }
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC).call("fsopen(proc)")?;
    fsconfig_create(&context).call("fsconfig(proc, create)")?;
    let attributes =
        MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).call("fsmount(proc)")
}

/// What the caller is told.
fn decide(job: &Job, listener: BorrowedFd<'_>, proc: BorrowedFd<'_>, call: &seccomp::Call) -> Result<(), Errno> {
    let Some(chown) = Chown::read(call) else { return Ok(()) };
    // Who can't be looked at is ending, or in a namespace that is none of ours.
    let Ok(caller) = Caller::open(proc, call.thread, job.device) else { return Ok(()) };
    if !seccomp::still_waits(listener, call) {
        return Ok(());
    }
    let target = match chown.target {
        Target::Descriptor(number) => caller.descriptor(number)?,
        Target::Path { from, pointer, follow, or_itself } => {
            let path = caller.path(pointer)?;
            match (path.is_empty(), or_itself) {
                (true, false) => return Err(Errno::NOENT),
                (true, true) => caller.start(from)?,
                (false, _) => caller.resolve(from, &path, follow)?,
            }
        }
    };
    note(job, target.as_fd(), &chown)
}

/// Has the owner written down, through the mount on which the caller reached the file: one that is read-only refuses.
fn note(job: &Job, target: BorrowedFd<'_>, chown: &Chown) -> Result<(), Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let stat = statx(target, c"", flags, StatxFlags::TYPE | StatxFlags::MODE)?;
    if (stat.stx_dev_major, stat.stx_dev_minor) != job.device {
        return Ok(());
    }
    // The one way to an O_PATH descriptor's file itself, be it a link.
    let path = format!("/proc/self/fd/{}", target.as_raw_fd());
    let mode = u32::from(stat.stx_mode);
    let kept = without_set_ids(&stat, mode);
    if kept != mode {
        chmodat(CWD, path.as_str(), Mode::from_raw_mode(kept & 0o7777), AtFlags::empty())?;
    }
    let id = |id: Option<u32>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let owner = format!("{}:{}", id(chown.uid), id(chown.gid));
    let word = if matches!(chown.target, Target::Descriptor(_)) { OWNER_OF_OPEN } else { OWNER };
    rustix::fs::setxattr(path.as_str(), word, owner.as_bytes(), XattrFlags::empty())
}

/// What a change of owner leaves of a mode (chown(2)): nothing but a directory keeps set-user-id, and set-group-id where it is
/// meant for execution.
fn without_set_ids(stat: &Statx, mode: u32) -> u32 {
    match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::Directory | FileType::Symlink => mode,
        _ if mode & 0o010 != 0 => mode & !0o6000,
        _ => mode & !0o4000,
    }
}
