//! Starting a supervisor, and handing it the listener.
//!
//! Whoever holds the listener before resolves no path of a container's itself: what hangs there must not keep it from its other
//! work.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Device, Job};
use crate::host::role::{self, Role, Start};
use crate::runtime::handshake;

/// A supervisor that waits for its listener. Dropped before it has one, it ends.
#[derive(Debug)]
pub struct Supervisor {
    talk: OwnedFd,
}

impl Supervisor {
    /// `device`: that of the container's root file system.
    pub fn start(device: Device) -> Result<Self, role::Error> {
        let (ours, theirs) = handshake::pair()?;
        let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
        // Its end is reaped as any orphan's.
        Start { role: Role::Supervisor, stdio, fds: vec![theirs.as_fd()] }.run(&Job { version: 1, device })?;
        Ok(Self { talk: ours })
    }

    /// If it can't be handed over, the end of the listener tells the callers (ENOSYS).
    pub fn take_up(self, listener: OwnedFd) {
        let _ = handshake::send_listener(self.talk.as_fd(), listener.as_fd());
    }
}

/// Changes of owners that wait for an answer. Most containers never make one: a supervisor is started when the first does.
#[derive(Debug)]
pub struct Listener {
    pub fd: OwnedFd,
    /// That of the container's root file system.
    pub device: Device,
}

impl Listener {
    /// Hands it to a supervisor, if a call waits.
    pub fn hand_over(self) {
        let mut polled = [PollFd::new(&self.fd, PollFlags::IN)];
        let waits = poll(&mut polled, Some(&Timespec::default())).is_ok();
        if waits
            && polled.iter().any(|polled| polled.revents().contains(PollFlags::IN))
            && let Ok(supervisor) = Supervisor::start(self.device)
        {
            supervisor.take_up(self.fd);
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
