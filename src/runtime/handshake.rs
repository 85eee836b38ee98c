//! What init and the monitor say to each other, over a pair of SOCK_SEQPACKET sockets that the exec of the program closes.
//!
//! ```text
//!  monitor                                  init
//!     │  Go       (ids are mapped)      ──▶  │  mounts, root, terminal
//!     │  ◀──  Terminal + the pty's master    │
//!     │  ◀──  Mounted  ──  Go           ──▶ │  … where hooks are run before the root is entered
//!     │  ◀──  Ready                          │
//!     │  Start    (recorded, on the net) ──▶ │  privileges, seccomp, execve
//!     │  Look     (a rehearsal)         ──▶  │  the same, but for execve: the program is looked for
//!     │  ◀──  Listener + its descriptor      │  … where owners are recorded
//!     │  ◀──  Failed (step, errno, what)     │  … or end of file: the program runs, or is there
//! ```

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType,
};

use crate::sys::{Call, Error, Result};

/// Longest message: a path and a few words.
const LIMIT: usize = 8192;

/// How far init had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Making the inside of the container.
    Setup,
    /// Entering the working directory.
    WorkingDirectory,
    /// Executing the program.
    Exec,
    /// Executing what the program says, in its first line or as its loader, that it is to be run by.
    Interpreter,
}

/// A failure inside: where, which error number, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub step: Step,
    pub errno: i32,
    /// The call and its arguments, as [`Error::call`] has them.
    pub call: String,
}

impl Failure {
    pub fn setup(error: &Error) -> Self {
        Self { step: Step::Setup, errno: error.errno(), call: error.call.to_string() }
    }
}

#[derive(Debug)]
pub enum FromInit {
    Terminal(OwnedFd),
    /// All that there is to be mounted, where somebody waits for that.
    Mounted,
    Ready,
    /// Who decides on the changes of owners.
    Listener(OwnedFd),
    Failed(Failure),
    /// End of file without a failure.
    Executed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToInit {
    Go,
    Start,
    Look,
}

/// A connected pair: the monitor's end and init's.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).call("socketpair")
}

/// To init.
pub fn tell(channel: BorrowedFd<'_>, message: ToInit) -> Result<()> {
    let byte = match message {
        ToInit::Go => b'G',
        ToInit::Start => b'S',
        ToInit::Look => b'L',
    };
    rustix::net::send(channel, &[byte], SendFlags::NOSIGNAL).call("send(to init)").map(drop)
}

/// In init: blocks until the monitor says one of the words that are `expected`; anything else, its death included, is an error.
pub fn await_word(channel: BorrowedFd<'_>, expected: &[ToInit]) -> Result<ToInit> {
    let mut byte = [0u8; 1];
    let (count, _) = rustix::net::recv(channel, &mut byte, RecvFlags::empty()).call("recv(from the monitor)")?;
    let told = match (count, byte) {
        (1, [b'G']) => Some(ToInit::Go),
        (1, [b'S']) => Some(ToInit::Start),
        (1, [b'L']) => Some(ToInit::Look),
        _ => None,
    };
    told.filter(|told| expected.contains(told)).ok_or_else(|| Error::new("recv(from the monitor)", Errno::PROTO))
}

/// In init: the failure; nothing is left to do if even that can't be sent.
pub fn send_failure(channel: BorrowedFd<'_>, failure: &Failure) {
    let step = match failure.step {
        Step::Setup => 0,
        Step::WorkingDirectory => 1,
        Step::Exec => 2,
        Step::Interpreter => 3,
    };
    let mut message = vec![b'F', step];
    message.extend(failure.errno.to_le_bytes());
    message.extend(failure.call.bytes().take(LIMIT - message.len()));
    let _ = rustix::net::send(channel, &message, SendFlags::NOSIGNAL);
}

/// In init: only the program is missing.
pub fn send_ready(channel: BorrowedFd<'_>) -> Result<()> {
    rustix::net::send(channel, b"R", SendFlags::NOSIGNAL).call("send(ready)").map(drop)
}

/// In init: all is mounted, and its root is about to be entered.
pub fn send_mounted(channel: BorrowedFd<'_>) -> Result<()> {
    rustix::net::send(channel, b"M", SendFlags::NOSIGNAL).call("send(mounted)").map(drop)
}

/// In init: the master of the container's terminal.
pub fn send_terminal(channel: BorrowedFd<'_>, master: BorrowedFd<'_>) -> Result<()> {
    send_with_fd(channel, b"T", master)
}

/// In init: the listener of the filter that was just loaded.
pub fn send_listener(channel: BorrowedFd<'_>, listener: BorrowedFd<'_>) -> Result<()> {
    send_with_fd(channel, b"L", listener)
}

/// One packet with one descriptor.
pub fn send_with_fd(channel: BorrowedFd<'_>, message: &[u8], fd: BorrowedFd<'_>) -> Result<()> {
    let fds = [fd];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(channel, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL).call("sendmsg").map(drop)
}

/// One packet into `buffer`, with the descriptor that came along; a length of 0 is end of file.
pub fn receive_with_fd(channel: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = loop {
        let mut slices = [IoSliceMut::new(buffer)];
        match rustix::net::recvmsg(channel, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // Reset: the other end was closed with words of ours unread. The kernel says so once, before what is still queued.
            Err(Errno::INTR | Errno::CONNRESET) => continue,
            other => break other.call("recvmsg")?,
        }
    };
    let mut fd = None;
    for ancillary in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = ancillary {
            fd = fds.into_iter().next().or(fd);
        }
    }
    Ok((message.bytes, fd))
}

/// In the monitor: the next thing that init says. Blocks.
pub fn hear(channel: BorrowedFd<'_>) -> Result<FromInit> {
    let mut buffer = [0u8; LIMIT];
    let (count, fd) = receive_with_fd(channel.as_fd(), &mut buffer)?;
    match (buffer.get(..count).unwrap_or_default(), fd) {
        ([], _) => Ok(FromInit::Executed),
        ([b'T', ..], Some(master)) => Ok(FromInit::Terminal(master)),
        ([b'M', ..], _) => Ok(FromInit::Mounted),
        ([b'R', ..], _) => Ok(FromInit::Ready),
        ([b'L', ..], Some(listener)) => Ok(FromInit::Listener(listener)),
        ([b'F', step, a, b, c, d, call @ ..], _) => Ok(FromInit::Failed(Failure {
            step: match step {
                1 => Step::WorkingDirectory,
                2 => Step::Exec,
                3 => Step::Interpreter,
                _ => Step::Setup,
            },
            errno: i32::from_le_bytes([*a, *b, *c, *d]),
            call: String::from_utf8_lossy(call).into_owned(),
        })),
        _ => Err(Error::new("recvmsg(from init)", Errno::PROTO)),
    }
}
