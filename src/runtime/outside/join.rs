//! A copy of this process in namespaces that exist already.
//!
//! Some are entered only by what is cloned afterwards, and who has entered a user namespace can't go back: so a process in between
//! enters them, clones, and hands its child over to its own parent.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns};
use rustix::net::SendFlags;
use rustix::process::Pid;

use crate::runtime::handshake;
use crate::sys::process::{self, Child, Cloned, clone_in_group, clone_single};
use crate::sys::{Call, Error, Result};

/// Namespaces to enter.
#[derive(Debug)]
pub struct Join {
    /// As clone(2) flags.
    pub flags: u64,
    /// A pidfd of a process in them, or one namespace.
    pub fd: OwnedFd,
}

/// As [`clone_in_group`] with the flags `new`, once `joins` are entered in their order. The copy is this process's own child.
pub fn clone_into(joins: &[Join], new: u64, group: Option<BorrowedFd<'_>>) -> Result<Cloned> {
    if joins.is_empty() {
        return clone_in_group(new, group);
    }
    let (ours, theirs) = handshake::pair()?;
    // In the group from here on: from another cgroup namespace it may be out of reach.
    let between = match clone_in_group(0, group)? {
        Cloned::Child => return hand_over(joins, new, &theirs),
        Cloned::Parent(child) => child,
    };
    drop(theirs);
    let mut buffer = [0; 4096];
    let (count, pidfd) = handshake::receive_with_fd(ours.as_fd(), &mut buffer)?;
    between.wait()?;
    match (pidfd, buffer.get(..count)) {
        (Some(pidfd), Some([b'P', a, b, c, d])) => {
            let pid = Pid::from_raw(i32::from_le_bytes([*a, *b, *c, *d]));
            let pid = pid.ok_or_else(|| Error::new("clone", rustix::io::Errno::SRCH))?;
            Ok(Cloned::Parent(Child { pid, pidfd }))
        }
        (_, Some([b'E', a, b, c, d, call @ ..])) => {
            let errno = rustix::io::Errno::from_raw_os_error(i32::from_le_bytes([*a, *b, *c, *d]));
            Err(Error::new(String::from_utf8_lossy(call).into_owned(), errno))
        }
        _ => Err(Error::new("clone", rustix::io::Errno::CHILD)),
    }
}

/// In the process in between: returns in the copy alone.
fn hand_over(joins: &[Join], new: u64, channel: &OwnedFd) -> Result<Cloned> {
    let enter = |join: &Join| {
        setns(&join.fd, CloneFlags::from_bits_retain(join.flags as i32))
            .call_with(|| format!("setns({:#x})", join.flags))
    };
    match joins.iter().try_for_each(enter).and_then(|()| clone_single(new | libc::CLONE_PARENT as u64)) {
        Ok(Cloned::Child) => Ok(Cloned::Child),
        Ok(Cloned::Parent(child)) => {
            let mut message = vec![b'P'];
            message.extend(child.pid.as_raw_nonzero().get().to_le_bytes());
            let sent = handshake::send_with_fd(channel.as_fd(), &message, child.pidfd.as_fd());
            process::exit_now(i32::from(sent.is_err()))
        }
        Err(error) => {
            let mut message = vec![b'E'];
            message.extend(error.errno().to_le_bytes());
            message.extend(error.call.bytes());
            let _ = rustix::net::send(channel, &message, SendFlags::NOSIGNAL);
            process::exit_now(1)
        }
    }
}

/// The mount at `path` as a process of another mount namespace sees it, detached: a process in between goes to look.
pub fn tree_of(process: &OwnedFd, path: &std::ffi::CStr) -> Result<OwnedFd> {
    let (ours, theirs) = handshake::pair()?;
    let between = match clone_single(0)? {
        Cloned::Child => {
            let tree = setns(process, CloneFlags::CLONE_NEWNS)
                .call("setns(mount)")
                .and_then(|()| crate::sys::mount::clone_tree(rustix::fs::CWD, path, false));
            let sent = tree.and_then(|tree| handshake::send_with_fd(theirs.as_fd(), b"T", tree.as_fd()));
            process::exit_now(i32::from(sent.is_err()))
        }
        Cloned::Parent(child) => child,
    };
    drop(theirs);
    let (_, tree) = handshake::receive_with_fd(ours.as_fd(), &mut [0; 8])?;
    between.wait()?;
    tree.ok_or_else(|| Error::new(format!("open_tree({})", path.to_string_lossy()), rustix::io::Errno::NOENT))
}
