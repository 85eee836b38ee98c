//! What a way out is told while it runs: over a socket in the container's directory, by this account's commands.
//!
//! A packet asks, as JSON; one answers, as at the start: a byte 0, or a byte 1 and the reason. A socket file is made by who asks, and
//! its socket comes with the packet: the other has no files.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, recvmsg, sendmsg, socket_with, sockopt,
};
use serde::{Deserialize, Serialize};

use super::Error;
use crate::host::change;
use crate::network::ports::{Published, SocketFile};
use crate::sys::{self, Call};

/// The socket's name in the container's directory.
const SOCKET: &str = "network";
/// No question is longer, in bytes.
const LONGEST: usize = 64 << 10;
/// Whoever has come has its question ready, or is not heard.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// For an answer.
const PATIENCE_OF_ASKER: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Let these lead inside, too.
    Add(Vec<Published>),
    /// Let these lead inside no more.
    Remove(Vec<Published>),
    /// Let this lead inside, too, on which the socket listens that comes along.
    AddFile(SocketFile),
    RemoveFiles(Vec<SocketFile>),
}

/// Listens in the directory of a container that is about to run: what lies there is nobody's any more.
pub fn listen(directory: &Path) -> sys::Result<OwnedFd> {
    change::remove_file(&directory.join(SOCKET))?;
    let socket = open(SocketFlags::NONBLOCK)?;
    rustix::net::bind(&socket, &address(directory)?.1).call("bind(network)")?;
    rustix::net::listen(&socket, 16).call("listen(network)")?;
    Ok(socket)
}

fn open(flags: SocketFlags) -> sys::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC | flags, None).call("socket(AF_UNIX)")
}

/// Through a descriptor, since an address has room for 108 bytes.
fn address(directory: &Path) -> sys::Result<(OwnedFd, SocketAddrUnix)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(directory, flags, Mode::empty()).call("open(the container's directory)")?;
    let address =
        SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd())).call("bind(network)")?;
    Ok((directory, address))
}

/// Asks the way out of the container in this directory. `along`: the socket that the request is about. `false`: it is none that
/// listens.
pub fn ask(directory: &Path, request: &Request, along: Option<BorrowedFd<'_>>) -> Result<bool, Error> {
    let socket = open(SocketFlags::empty())?;
    let (_directory, address) = address(directory)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(false),
        Err(error) => return Err(sys::Error::new("connect(network)", error).into()),
    }
    let patience = Some(PATIENCE_OF_ASKER);
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, patience).call("setsockopt(SO_RCVTIMEO)")?;
    let request = serde_json::to_vec(request).map_err(super::role::Error::from)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if along.is_some() {
        control.push(SendAncillaryMessage::ScmRights(along.as_slice()));
    }
    sendmsg(&socket, &[IoSlice::new(&request)], &mut control, SendFlags::NOSIGNAL).call("sendmsg(network)")?;
    super::answer(socket.as_fd()).map(|()| true)
}

/// Whoever has come, what it wants, and the socket that came along.
pub fn hear(listener: &OwnedFd) -> Option<(OwnedFd, Request, Option<OwnedFd>)> {
    let client = accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK).ok()?;
    poll(&mut [PollFd::new(&client, PollFlags::IN)], Some(&PATIENCE)).ok()?;
    let mut packet = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut packet)];
    let count = recvmsg(&client, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC).ok()?.bytes;
    let along = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
        _ => None,
    });
    let request = serde_json::from_slice(packet.get(..count)?).ok()?;
    Some((client, request, along))
}
