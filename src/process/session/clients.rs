//! Whoever talks with a session (see [`crate::container::control`]): the launcher, over a socket that was inherited, and those that
//! connect to the control socket, at any time and in any number.
//!
//! What must stay true: nothing here waits, but for the last words at the end. Output that a socket has no room for is kept. The
//! launcher's is the program's own standard output, so the program waits for its reader as it would with a pipe. For any other
//! client that has fallen behind by [`MOST_BEHIND`] it waits no longer than [`PATIENCE`]: one that reads catches up in that time,
//! one that does not is let go.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::container::control::{self, CHUNK, ToClient, ToMonitor};
use crate::host::change;
use crate::runtime::handshake;
use crate::sys::{Call, Result};

/// How much output is kept for a client that is slow, in bytes.
const MOST_BEHIND: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(1);
const TOO_SLOW: &str = "output came faster than it was read, and some of it was not sent: `logs` has all of it";
/// More at once are left to wait in the socket's queue.
const MOST_CLIENTS: usize = 512;
/// How long the last words may take to anybody but the launcher.
const FAREWELL: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// All who talk with a session.
#[derive(Debug, Default)]
pub struct Clients {
    listener: Option<OwnedFd>,
    all: Vec<Client>,
}

/// One of them.
#[derive(Debug)]
pub struct Client {
    /// `None`: it is gone.
    socket: Option<OwnedFd>,
    launcher: bool,
    /// It wants the program's output.
    attached: bool,
    /// It has asked for a health check.
    awaits_health: bool,
    /// Packets that the socket had no room for.
    waiting: VecDeque<Vec<u8>>,
    behind: usize,
    /// It has been too far behind since then, and has not caught up.
    late_since: Option<Instant>,
    /// It goes once it has been told why.
    dismissed: bool,
}

/// What came from a client.
#[derive(Debug)]
pub enum Heard {
    Packet(Vec<u8>),
    Nothing,
    /// It is gone, and said nothing before.
    Gone,
}

impl Clients {
    /// The launcher alone, until [`Clients::listen`].
    pub fn of_launcher(socket: OwnedFd) -> Self {
        Self { listener: None, all: vec![Client::new(socket, true)] }
    }

    /// Opens the control socket in the container's directory, whose lock this process holds: what lies there is nobody's any more.
    ///
    /// The path goes through a descriptor, since an address has room for 108 bytes.
    pub fn listen(&mut self, directory: &Path) -> Result<()> {
        change::remove_file(&directory.join(control::SOCKET))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, Mode::empty()).call("open(the container's directory)")?;
        let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{}", directory.as_raw_fd(), control::SOCKET))
            .call("bind(control)")?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .call("socket(AF_UNIX)")?;
        rustix::net::bind(&socket, &address).call("bind(control)")?;
        rustix::net::listen(&socket, 64).call("listen(control)")?;
        self.listener = Some(socket);
        Ok(())
    }

    /// Where new clients arrive, while there is room for them.
    pub fn door(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().filter(|_| self.all.len() < MOST_CLIENTS).map(AsFd::as_fd)
    }

    /// Lets one in.
    pub fn admit(&mut self) {
        let Some(listener) = &self.listener else { return };
        match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
            Ok(socket) => self.all.push(Client::new(socket, false)),
            // It went before its turn.
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => {}
            // Out of descriptors: a door that can't be opened would be ready for ever.
            Err(_) => self.listener = None,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.all.iter()
    }

    pub fn get(&mut self, index: usize) -> Option<&mut Client> {
        self.all.get_mut(index)
    }

    /// Forgets those that are gone; the others move up.
    pub fn forget_gone(&mut self) {
        self.all.retain(|client| client.socket.is_some());
    }

    /// Whether the program's output must wait.
    pub fn is_full(&self) -> bool {
        self.all.iter().any(|client| client.late_since.is_some() || (client.launcher && client.is_behind()))
    }

    /// How long somebody who is late has to catch up.
    pub fn patience(&self) -> Option<Duration> {
        let first = self.all.iter().filter_map(|client| client.late_since).min()?;
        Some(PATIENCE.saturating_sub(first.elapsed()))
    }

    /// Lets those go that have not caught up in time.
    pub fn dismiss_late(&mut self) {
        let late = |client: &&mut Client| client.late_since.is_some_and(|since| since.elapsed() >= PATIENCE);
        self.all.iter_mut().filter(late).for_each(Client::dismiss);
    }

    /// Output, for all who want it.
    pub fn broadcast(&mut self, message: &ToClient<'_>) {
        for client in self.all.iter_mut().filter(|client| client.attached) {
            client.say(message);
        }
    }

    /// Whether the launcher is still there.
    pub fn has_launcher(&self) -> bool {
        self.all.iter().any(|client| client.launcher && client.socket.is_some())
    }

    /// What the launcher is to tell the service manager. `false`: it is gone.
    pub fn tell_launcher(&mut self, words: &str) -> bool {
        let launcher = self.all.iter_mut().find(|client| client.launcher && client.socket.is_some());
        launcher.is_some_and(|launcher| {
            launcher.say(&ToClient::Notice(words));
            true
        })
    }

    /// How a health check ended, for those who asked for it.
    pub fn tell_health(&mut self, words: &ToClient<'_>) {
        for client in self.all.iter_mut().filter(|client| client.awaits_health) {
            client.awaits_health = false;
            client.say(words);
        }
    }

    /// The program runs: a descriptor of it for the launcher, which sends signals itself, and how it was started.
    pub fn started(&mut self, program: BorrowedFd<'_>, about: &str) {
        self.all.iter_mut().for_each(|client| client.welcome(program, about));
    }

    /// Whether among all that clients have said, and nobody has heard yet, is that the program's user wants its end.
    pub fn give_up(&mut self) -> bool {
        let mut given_up = false;
        for client in &mut self.all {
            while let Heard::Packet(packet) = client.hear() {
                given_up |= ToMonitor::decode(&packet) == Some(ToMonitor::GiveUp);
            }
        }
        given_up
    }

    /// The last words to all, and the end of the talk: without limit to the launcher, whose output it is.
    pub fn part(&mut self, words: &[ToClient<'_>]) {
        for client in self.all.iter_mut().filter(|client| client.attached) {
            words.iter().for_each(|message| client.say(message));
        }
        loop {
            self.all.iter_mut().for_each(Client::flush);
            self.all.retain(|client| client.socket.is_some() && !client.waiting.is_empty());
            let launcher = self.all.iter().any(|client| client.launcher);
            let limit = (!launcher).then_some(&FAREWELL);
            let mut polled: Vec<PollFd<'_>> = self
                .all
                .iter()
                .filter_map(|client| Some(PollFd::from_borrowed_fd(client.socket()?, PollFlags::OUT)))
                .collect();
            if polled.is_empty() || poll(&mut polled, limit) == Ok(0) {
                self.all.clear();
                return;
            }
        }
    }
}

impl Client {
    fn new(socket: OwnedFd, launcher: bool) -> Self {
        Self {
            socket: Some(socket),
            launcher,
            attached: launcher,
            awaits_health: false,
            waiting: VecDeque::new(),
            behind: 0,
            late_since: None,
            dismissed: false,
        }
    }

    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    pub fn is_launcher(&self) -> bool {
        self.launcher
    }

    /// Whether output waits for room in the socket.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// It wants the output from now on.
    pub fn attach(&mut self, program: BorrowedFd<'_>) {
        self.attached = true;
        self.welcome(program, "");
    }

    /// It wants to know how the next health check ends.
    pub fn await_health(&mut self, program: BorrowedFd<'_>) {
        self.awaits_health = true;
        self.welcome(program, "");
    }

    fn welcome(&mut self, program: BorrowedFd<'_>, about: &str) {
        if let Some(socket) = &self.socket {
            let _ = handshake::send_with_fd(socket.as_fd(), &ToClient::Started(about).encode(), program);
        }
    }

    /// No more words in either direction.
    pub fn leave(&mut self) {
        self.socket = None;
        self.forgive();
    }

    /// Sends what there is room for, and keeps the rest.
    fn say(&mut self, message: &ToClient<'_>) {
        let packet = message.encode();
        self.behind += packet.len();
        self.waiting.push_back(packet);
        self.flush();
        if self.behind > MOST_BEHIND && !self.launcher && self.late_since.is_none() {
            self.late_since = Some(Instant::now());
        }
    }

    /// No more output for it; it goes once it has read why.
    fn dismiss(&mut self) {
        self.dismissed = true;
        self.attached = false;
        self.forgive();
        self.say(&ToClient::Failed { code: 125, message: TOO_SLOW });
    }

    /// Nothing waits for it any more.
    fn forgive(&mut self) {
        self.waiting.clear();
        self.behind = 0;
        self.late_since = None;
    }

    /// Tries again to send what waits.
    pub fn flush(&mut self) {
        while let (Some(socket), Some(packet)) = (&self.socket, self.waiting.front()) {
            match rustix::net::send(socket, packet, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                // That it is gone, the end of what it says will tell.
                Err(_) => {
                    self.attached = false;
                    self.forgive();
                }
                Ok(_) => {
                    self.behind -= packet.len();
                    self.waiting.pop_front();
                }
            }
        }
        self.late_since = None;
        if self.dismissed {
            self.leave();
        }
    }

    /// The next packet, if one is there.
    pub fn hear(&mut self) -> Heard {
        let Some(socket) = &self.socket else { return Heard::Nothing };
        let mut buffer = vec![0; CHUNK + 16];
        match rustix::net::recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
            // Reset: it has closed its end with words of ours unread. The kernel says so once, before what is still queued, which
            // may be the word that it detaches.
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNRESET) => Heard::Nothing,
            Err(_) | Ok((0, _)) => {
                self.leave();
                Heard::Gone
            }
            Ok((count, _)) => {
                buffer.truncate(count);
                Heard::Packet(buffer)
            }
        }
    }
}
