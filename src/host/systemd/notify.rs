//! What a service tells the manager that has started it (sd_notify(3)): datagrams of lines `NAME=value`, sent to the socket that
//! `NOTIFY_SOCKET` names. Who says it counts, so a process that speaks for another must be one that the manager listens to.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use crate::host::message;
use crate::sys::{Call, Result};

/// How long a word may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names the socket.
pub const VARIABLE: &str = "NOTIFY_SOCKET";
/// Says how often the manager wants a sign of life.
pub const WATCHDOG: &str = "WATCHDOG_USEC";

/// How long the manager waits for a sign of life before it gives the service up, in microseconds (sd_watchdog_enabled(3)). `None`: it
/// waits for none, or for another process's.
pub fn watchdog() -> Option<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let another =
        std::env::var_os("WATCHDOG_PID").is_some() && number("WATCHDOG_PID") != Some(std::process::id().into());
    number(WATCHDOG).filter(|limit| *limit > 0 && !another)
}

/// A way to the manager.
#[derive(Debug)]
pub struct Notifier {
    socket: OwnedFd,
}

impl Notifier {
    /// `None`: nobody has asked to be told, or can be.
    pub fn of_environment() -> Option<Self> {
        let address = std::env::var(VARIABLE).ok().filter(|address| !address.is_empty())?;
        match Self::connect(&address) {
            Ok(notifier) => Some(notifier),
            Err(error) => {
                message::warn(|| format!("{VARIABLE}={address} is told nothing: {error}"));
                None
            }
        }
    }

    /// `address`: a path, or `@` and an abstract name.
    fn connect(address: &str) -> Result<Self> {
        let place = match address.strip_prefix('@') {
            Some(name) => SocketAddrUnix::new_abstract_name(name.as_bytes()),
            None => SocketAddrUnix::new(address),
        };
        let place = place.call_with(|| format!("connect({address})"))?;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
            .call("socket(AF_UNIX)")?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(PATIENCE)).call("setsockopt(SO_SNDTIMEO)")?;
        rustix::net::connect(&socket, &place).call_with(|| format!("connect({address})"))?;
        Ok(Self { socket })
    }

    /// One that was handed on.
    pub fn from_fd(socket: OwnedFd) -> Self {
        Self { socket }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Says it. A manager that reads nothing holds nobody up for long.
    pub fn tell(&self, words: &str) {
        message::debug(|| format!("telling the service manager: {}", words.replace('\n', ", ")));
        while rustix::net::send(&self.socket, words.as_bytes(), SendFlags::NOSIGNAL) == Err(Errno::INTR) {}
    }
}
