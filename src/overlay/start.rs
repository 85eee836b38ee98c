//! Starting the mounter, the process that serves the FUSE overlay, and what it and its starter say to each other.
//!
//! One packet over a sequenced-packet socket: a byte 0 with the detached mount, or a byte 1 and the reason why there is none.
//! Afterwards the socket only tells each side that the other lives.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use super::{Error, Features, Stack};
use crate::host::role::{Role, Start};
use crate::sys::Call;
use crate::sys::process::Child;

/// How much of a reason is sent.
const REASON_LIMIT: usize = 4096;

/// The mounter's job. Its descriptors: the socket, upper and work if `has_upper`, the lowers (topmost first).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub version: u32,
    pub lowers: usize,
    pub has_upper: bool,
    pub features: Features,
    /// `None`: one a core.
    pub threads: Option<usize>,
}

/// What a started mounter is held by.
#[derive(Debug)]
pub struct Mounter {
    pub child: Child,
    /// The detached mount.
    pub mount: OwnedFd,
    /// Readable (end of file) when the mounter has died; closing it ends the mounter.
    pub socket: OwnedFd,
}

/// Starts a mounter and waits until its file system is mounted. The caller is root in its user namespace, with CAP_SYS_ADMIN
/// over its mount namespace; the mounter inherits both.
pub fn start_mounter(
    stack: &Stack,
    features: &Features,
    threads: Option<usize>,
    stdio: [BorrowedFd<'_>; 3],
) -> Result<Mounter, Error> {
    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).call("socketpair")?;
    let features = features.clone();
    let job = Job { version: 1, lowers: stack.lowers.len(), has_upper: stack.upper.is_some(), features, threads };
    let mut fds = vec![theirs.as_fd()];
    if let Some(upper) = &stack.upper {
        fds.extend([upper.dir.as_fd(), upper.work.as_fd()]);
    }
    fds.extend(stack.lowers.iter().map(AsFd::as_fd));
    let child = Start { role: Role::Mounter, stdio, fds }.run(&job)?;
    drop(theirs);
    let mount = receive(ours.as_fd())?;
    Ok(Mounter { child, mount, socket: ours })
}

/// Waits for the one packet of a mounter: the mount.
pub fn receive(socket: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    let mut text = [0; REASON_LIMIT];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut vectors = [IoSliceMut::new(&mut text)];
    let message = loop {
        match recvmsg(socket, &mut vectors, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result.call("recvmsg(mounter)")?,
        }
    };
    let received = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    if message.flags.contains(ReturnFlags::CTRUNC) {
        return Err(Error::Mounter("the mount was lost on the way".to_owned()));
    }
    match (text.get(..message.bytes), received) {
        (Some([0]), Some(mount)) => Ok(mount),
        (Some([1, reason @ ..]), _) => Err(Error::Mounter(String::from_utf8_lossy(reason).into_owned())),
        (Some([]), _) => Err(Error::Mounter("it ended before it had mounted".to_owned())),
        _ => Err(Error::Mounter("its answer is malformed".to_owned())),
    }
}

/// In the mounter: hands the mount over.
pub fn send_mount(socket: BorrowedFd<'_>, mount: BorrowedFd<'_>) -> Result<(), Error> {
    let fds = [mount];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(socket, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL).call("sendmsg(mount)")?;
    Ok(())
}

/// In the mounter: says why there is no mount.
pub fn send_reason(socket: BorrowedFd<'_>, reason: &str) -> Result<(), Error> {
    let mut packet = vec![1];
    packet.extend(reason.bytes().take(REASON_LIMIT - 1));
    rustix::net::send(socket, &packet, SendFlags::NOSIGNAL).call("send(reason)")?;
    Ok(())
}
