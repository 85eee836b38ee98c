//! A way out of our own: a network stack in a process of this program, for a container's network namespace.
//!
//! ```text
//!  container's network namespace       host's network namespace
//!   program ─▶ kernel ─▶ tun device ─▶ coracle-stack ─▶ ordinary sockets of this user ─▶ the world
//!                                       tcp        smoltcp inside, a socket outside
//!                                       datagrams  UDP, and ICMP's echo
//!                                       listeners  published ports
//!                                       places     which address means what
//! ```
//!
//! The monitor starts it ([`start`]) as root of U in the host's network namespace, with the container's as a descriptor. A thread of
//! it enters that namespace for as long as it takes to make the device ([`device`]); nobody without privileges could come back from
//! there, so no more than a thread goes. What it needs of the host it keeps, the rest it gives up ([`confine`]): then it says that
//! it is ready, and serves ([`serve`]) until the monitor is gone.
//!
//! What must stay true: nothing from inside makes it panic or wait; what is kept of each conversation has a limit, and so has their
//! number; this machine's loopback is not reached from inside.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod confine;
pub mod control;
mod datagrams;
mod device;
mod idle;
mod listeners;
mod net;
pub mod packet;
mod places;
mod serve;
mod tcp;
mod tun;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, recv, send, shutdown, socketpair,
};
use rustix::process::{Signal, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use self::listeners::{At, Listeners};
use self::net::Net;
use self::places::Places;
use self::serve::Stack;
use super::ports::{self, Published, SocketFile};
use crate::host::fault;
use crate::host::role::{self, Role, Start};
use crate::sys::process::{Child, raise_descriptor_limit};
use crate::sys::{self, Call, memory};

/// How much of a reason is sent.
const REASON_LIMIT: usize = 4096;
/// How long one may take to close what is open of this machine.
const GOODBYE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the network could not be set up: {0}")]
    Failed(String),
    #[error(transparent)]
    Ports(#[from] ports::Error),
    #[error(transparent)]
    Role(#[from] role::Error),
    #[error(transparent)]
    System(#[from] sys::Error),
}

impl Error {
    /// What the user or the administrator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ports(error) => error.hint(),
            Self::System(error) if error.call.contains("/dev/net/tun") => Some(
                "a way out needs /dev/net/tun (the kernel's module `tun`); `--network=none` and `--network=host` work without it"
                    .into(),
            ),
            Self::Failed(_) | Self::Role(_) | Self::System(_) => None,
        }
    }
}

/// What a way out is to be: the job of the role. Its descriptors: the network namespace, the socket to its starter, and then what
/// `passed` counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    pub version: u32,
    /// The ports of this machine that lead inside.
    pub published: Vec<Published>,
    /// How its interface is called inside; `None`: as that of this machine.
    pub interface: Option<String>,
    /// And the socket files.
    #[serde(default)]
    pub sockets: Vec<SocketFile>,
    /// The ports of the container's to which sockets lead that somebody else listens on.
    #[serde(default)]
    pub passed: Vec<u16>,
    /// The container's own, where it listens for what is wanted later.
    pub directory: PathBuf,
    /// Its starter is told when nobody has been at a published port for so many seconds; 0: never.
    #[serde(default)]
    pub idle: u32,
}

/// The packet that says that nobody is there any more.
const IDLE: u8 = 2;

/// What a way out may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Nothing,
    /// Nobody has been at a published port for as long as was asked.
    Idle,
}

/// One that is setting up.
#[derive(Debug)]
pub struct Starting(Running);

/// One that runs.
#[derive(Debug)]
pub struct Running {
    /// Its end is the end of the container's way out; the caller reaps it.
    pub child: Child,
    /// Closed, as when this process dies, it ends the other.
    socket: OwnedFd,
}

/// Starts one for the network namespace behind `namespace`.
///
/// This process must be root of a user namespace that owns, or is above, the one that owns the network namespace.
pub fn start(namespace: BorrowedFd<'_>, wanted: &Wanted, passed: &[OwnedFd]) -> Result<Starting, Error> {
    fault::point("stack: start").call("start the stack")?;
    let flags = SocketFlags::CLOEXEC;
    let (socket, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).call("socketpair")?;
    let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let mut fds = vec![namespace, theirs.as_fd()];
    fds.extend(passed.iter().map(AsFd::as_fd));
    let child = Start { role: Role::Stack, stdio, fds }.run(wanted)?;
    Ok(Starting(Running { child, socket }))
}

impl AsFd for Starting {
    /// Readable as soon as [`Starting::finish`] does not block any more.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

impl Starting {
    /// Waits until the network is there.
    pub fn finish(self) -> Result<Running, Error> {
        answer(self.0.socket.as_fd())?;
        Ok(self.0)
    }
}

/// The one packet that says how something went: a byte 0, or a byte 1 and the reason why it failed.
fn answer(socket: BorrowedFd<'_>) -> Result<(), Error> {
    let mut packet = [0; REASON_LIMIT];
    let count = loop {
        match recv(socket, &mut packet, RecvFlags::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other.call("recv(stack)")?.0,
        }
    };
    match packet.get(..count) {
        Some([0]) => Ok(()),
        Some([1, reason @ ..]) => Err(Error::Failed(String::from_utf8_lossy(reason).into_owned())),
        _ => Err(Error::Failed("its process has ended".into())),
    }
}

fn say(socket: BorrowedFd<'_>, result: &Result<(), Error>) -> sys::Result<()> {
    let mut packet = vec![u8::from(result.is_err())];
    if let Err(error) = result {
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        packet.extend(format!("{error}{hint}").bytes().take(REASON_LIMIT - 1));
    }
    send(socket, &packet, SendFlags::NOSIGNAL).call("send(stack)").map(drop)
}

impl Running {
    /// Readable when [`Running::hear`] has something to say.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What it says while it serves. `None`: nothing more will come.
    pub fn hear(&self) -> Option<Word> {
        let mut packet = [0; 1];
        match recv(&self.socket, &mut packet, RecvFlags::DONTWAIT) {
            Ok((1, _)) if packet == [IDLE] => Some(Word::Idle),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Some(Word::Nothing),
            Ok(_) | Err(_) => None,
        }
    }

    /// Ends it: nothing of this machine's leads inside any more. The process itself outlives that by the time that the kernel
    /// takes for its device, 20 ms and more, for which nobody waits.
    pub fn stop(self) -> Result<(), Error> {
        let socket = self.socket.as_fd();
        let limit =
            set_socket_timeout(socket, Timeout::Recv, Some(GOODBYE)).and_then(|()| shutdown(socket, Shutdown::Write));
        if limit.is_ok() && answer(socket).is_ok() {
            return Ok(());
        }
        match pidfd_send_signal(&self.child.pidfd, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(sys::Error::new("pidfd_send_signal(stack)", error).into()),
        }
        self.child.wait()?;
        Ok(())
    }
}

/// In the role: all of it.
///
/// `filter`: what of the kernel is left to it from its first packet on.
pub fn serve(
    wanted: &Wanted,
    namespace: OwnedFd,
    socket: &OwnedFd,
    passed: Vec<OwnedFd>,
    filter: &[libc::sock_filter],
) -> Result<(), Error> {
    let made =
        make(wanted, namespace, passed).and_then(|stack| confine::confine(filter).map(|()| stack).map_err(Error::from));
    let (stack, result) = match made {
        Ok(stack) => (Some(stack), Ok(())),
        Err(error) => (None, Err(error)),
    };
    say(socket.as_fd(), &result)?;
    let Some(stack) = stack else { return Ok(()) };
    let _device = stack.serve(socket)?;
    // A monitor that is gone needs no answer.
    let _ = say(socket.as_fd(), &Ok(()));
    Ok(())
}

fn make(wanted: &Wanted, namespace: OwnedFd, passed: Vec<OwnedFd>) -> Result<Stack, Error> {
    let mut places = Places::of_host()?;
    places.interface = wanted.interface.clone().or(places.interface);
    let tun = device::make(namespace.as_fd(), &mut places)?;
    let mut net = Net::new(tun, places)?;
    let mut listeners = Listeners::default();
    for published in &wanted.published {
        listeners.add(&mut net, published)?;
    }
    for file in &wanted.sockets {
        listeners.add_socket(&mut net, file.listen()?, file.container, At::File(file.path.clone()))?;
    }
    for (socket, container) in passed.into_iter().zip(&wanted.passed) {
        // Its other holders wait in poll(2), as this process does.
        rustix::io::ioctl_fionbio(&socket, true).call("ioctl(FIONBIO)")?;
        listeners.add_socket(&mut net, socket, *container, At::Passed)?;
    }
    let control = control::listen(&wanted.directory)?;
    let descriptors = raise_descriptor_limit();
    memory::give_pages_from(tcp::SMALLEST as i32);
    Ok(Stack::new(net, listeners, control, descriptors, wanted.idle))
}
