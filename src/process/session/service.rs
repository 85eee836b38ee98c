//! What the service manager is told of a container (see [`crate::container::watch::service`]): that it is ready, or whatever the program says
//! of itself.
//!
//! What must stay true: of what a program says only states of its service pass. It names no process, hands over no descriptor, and
//! changes nobody's right to speak.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType};

use super::clients::Clients;
use crate::container::watch::service::{self, Notify};
use crate::host::change;
use crate::host::systemd::notify::Notifier;
use crate::sys::{Call, Result};

/// What a program may say (sd_notify(3)).
const STATES: [&str; 10] = [
    "READY",
    "RELOADING",
    "STOPPING",
    "STATUS",
    "ERRNO",
    "BUSERROR",
    "WATCHDOG",
    "WATCHDOG_USEC",
    "EXTEND_TIMEOUT_USEC",
    "MONOTONIC_USEC",
];
/// As systemd reads no more of a datagram either.
const LONGEST: usize = 4096;

/// Readiness is said by us or by the program.
pub struct Service {
    manager: Notifier,
    notify: Notify,
    /// The launcher goes once it has told the manager that this process is the service's main one.
    alone: bool,
    /// What is to be said once the launcher is gone.
    waiting: Option<String>,
    door: Option<OwnedFd>,
    /// How often it is said that the container lives, and when next.
    watchdog: Option<(Duration, Instant)>,
}

impl Service {
    /// In the container's directory, whose lock this process holds. `watchdog`: how long the manager waits for a sign of life, in
    /// microseconds; 0: it does not.
    pub fn open(manager: Notifier, notify: Notify, alone: bool, watchdog: u64, container: &Path) -> Result<Self> {
        let door = (notify == Notify::Container).then(|| door(&service::directory(container))).transpose()?;
        // Twice in the time, as sd_watchdog_enabled(3) recommends.
        let watchdog = (watchdog > 0).then(|| (Duration::from_micros(watchdog / 2), Instant::now()));
        Ok(Self { manager, notify, alone, waiting: None, door, watchdog })
    }

    /// How long there is nothing to say. `None`: until something is heard.
    pub fn patience(&self) -> Option<Duration> {
        self.watchdog.map(|(_, due)| due.saturating_duration_since(Instant::now()))
    }

    /// Gives a sign of life when one is due, unless the container is known to be unwell: then systemd does what it was told to do.
    pub fn keep_time(&mut self, clients: &mut Clients, unwell: bool) {
        let now = Instant::now();
        let Some((pause, due)) = self.watchdog.as_mut().filter(|(_, due)| *due <= now) else { return };
        *due = now + *pause;
        // One that is being left alone has something else to say first.
        let waits = self.alone && clients.has_launcher();
        if !(unwell || waits) {
            self.tell(clients, "WATCHDOG=1".to_owned());
        }
    }

    /// Where the program speaks, unless it must wait.
    pub fn door(&self) -> Option<BorrowedFd<'_>> {
        self.door.as_ref().filter(|_| self.waiting.is_none()).map(AsFd::as_fd)
    }

    /// Passes on what the program has said.
    pub fn hear(&mut self, clients: &mut Clients) {
        if let Some(said) = self.read() {
            self.tell(clients, states(&said));
        }
    }

    /// The container is healthy.
    pub fn healthy(&mut self, clients: &mut Clients) {
        if self.notify == Notify::Healthy {
            // It is said once.
            self.notify = Notify::Ignore;
            self.tell(clients, "READY=1".to_owned());
        }
    }

    /// Says what had to wait, if it has no longer to.
    pub fn catch_up(&mut self, clients: &Clients) {
        if !clients.has_launcher() {
            self.wait_no_longer();
        }
    }

    /// The program has ended: its last words.
    pub fn finish(&mut self, clients: &mut Clients) {
        self.wait_no_longer();
        while let Some(said) = self.read() {
            self.tell(clients, states(&said));
            self.wait_no_longer();
        }
    }

    fn wait_no_longer(&mut self) {
        if let Some(words) = self.waiting.take() {
            self.manager.tell(&words);
        }
    }

    /// A datagram, if one is there.
    fn read(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; LONGEST];
        let (count, _) = rustix::net::recv(self.door.as_ref()?, &mut buffer[..], RecvFlags::DONTWAIT).ok()?;
        buffer.truncate(count);
        Some(buffer)
    }

    /// By the process that the manager listens to.
    fn tell(&mut self, clients: &mut Clients, words: String) {
        if words.is_empty() || !self.alone && clients.tell_launcher(&words) {
            return;
        }
        if self.alone && clients.has_launcher() {
            self.waiting = Some(words);
        } else {
            self.manager.tell(&words);
        }
    }
}

/// The lines that may pass.
fn states(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let may = |line: &&str| line.split_once('=').is_some_and(|(name, _)| STATES.contains(&name));
    said.lines().filter(may).collect::<Vec<_>>().join("\n")
}

/// A socket to which whoever finds it may speak: the container alone does. The path goes through a descriptor, since an address has
/// room for 108 bytes.
fn door(directory: &Path) -> Result<OwnedFd> {
    change::create_dir(directory)?;
    rustix::fs::chmod(directory, Mode::from_raw_mode(0o755)).call("chmod(notify)")?;
    change::remove_file(&directory.join(service::SOCKET))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(directory, flags, Mode::empty()).call("open(notify)")?;
    let path = format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), service::SOCKET);
    let address = SocketAddrUnix::new(path.as_str()).call("bind(notify.sock)")?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).call("socket(AF_UNIX)")?;
    rustix::net::bind(&socket, &address).call("bind(notify.sock)")?;
    rustix::fs::chmod(path.as_str(), Mode::from_raw_mode(0o777)).call("chmod(notify.sock)")?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::states;

    #[test]
    fn a_program_speaks_for_its_service_alone() {
        let said = b"MAINPID=1\nREADY=1\nFDSTORE=1\nSTATUS=half = done\nNOTIFYACCESS=all\nWATCHDOG=1\nREADY\n\xff";
        assert_eq!(states(said), "READY=1\nSTATUS=half = done\nWATCHDOG=1");
        assert_eq!(states(b"MAINPID=1"), "");
    }
}
