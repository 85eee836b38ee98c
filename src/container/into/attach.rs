//! `attach`: a talk with the monitor of a container that runs.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::container::control::{self, ToMonitor};
use crate::container::find::Found;
use crate::container::state::Status;
use crate::container::watch::events::{self, Action};
use crate::container::{Error, Result};
use crate::sys::{self, Call};

/// How long a monitor may take to answer: longer than one that is alive ever needs.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A new talk over the control socket, already attached: [`control::ToClient::Started`] is what comes first.
pub fn attach(found: &Found) -> Result<OwnedFd> {
    let short = || found.container.short_id().to_owned();
    let state = found.state()?;
    if state.status != Status::Running || state.paused {
        return Err(Error::NotAttachable(short()));
    }
    if !state.is_here() {
        return Err(Error::Elsewhere { id: short(), host: state.host });
    }
    // `None`: it ended between the two calls.
    let talk = open(found, &ToMonitor::Attach)?.ok_or_else(|| Error::NotAttachable(short()))?;
    await_answer(found, &talk, PATIENCE)?;
    events::record_of(found.root(), &found.container, &[Action::Attach], None);
    Ok(talk)
}

/// A new talk over the control socket, which begins with this word. `None`: the monitor has just ended.
pub fn open(found: &Found, word: &ToMonitor<'_>) -> Result<Option<OwnedFd>> {
    let talk = match connect(found) {
        // No socket, or nobody behind it.
        Err(error) if matches!(error.errno(), libc::ENOENT | libc::ECONNREFUSED) => {
            Err(Error::Unreachable(found.container.short_id().to_owned()))
        }
        other => Ok(other?),
    }?;
    match rustix::net::send(&talk, &word.encode(), SendFlags::NOSIGNAL) {
        Err(Errno::PIPE | Errno::CONNRESET) => Ok(None),
        other => Ok(other.map(|_| Some(talk)).call("send(to the monitor)")?),
    }
}

/// Until the monitor has something to say, or is gone: one that was stopped says nothing, and must hold nobody up.
pub fn await_answer(found: &Found, talk: &OwnedFd, patience: Duration) -> Result<()> {
    let limit = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
    match poll(&mut [PollFd::new(talk, PollFlags::IN)], Some(&limit)).call("poll")? {
        0 => Err(Error::Silent(found.container.short_id().to_owned())),
        _ => Ok(()),
    }
}

/// Through a descriptor of the directory: a socket's address has room for 108 bytes.
fn connect(found: &Found) -> sys::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(&found.directory, flags, Mode::empty())
        .call_with(|| format!("open({})", found.directory.display()))?;
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), control::SOCKET))
        .call("connect(control)")?;
    let talk = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .call("socket(AF_UNIX)")?;
    rustix::net::connect(&talk, &address).call("connect(control)")?;
    Ok(talk)
}
