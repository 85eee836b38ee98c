//! TCP: each connection of the container's is one of smoltcp's on the inside and a socket of this machine on the outside, and bytes
//! are carried from the buffers of one to the other, so that who does not read is not sent more.
//!
//! ```text
//!  from inside   SYN ── connect() ──┬─ established ──▶ SYN-ACK, and bytes both ways
//!                                   └─ refused ──────▶ RST; no way there: ICMP unreachable
//!  from outside  accept() ── SYN inside, from the peer's address ──┬─ SYN-ACK ──▶ bytes both ways
//!                                                                  └─ RST ──────▶ the peer is reset
//! ```
//!
//! A connection has a set of sockets of its own: smoltcp looks at every socket of a set for each packet.

use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, sockopt};
use smoltcp::iface::{Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{RecvError, Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant};

use super::net::{Kind, Net};
use super::packet::{self, Ends, Obstacle};
use super::tun::Line;

/// More connections there are never at once.
const MOST: usize = 16_384;
/// What each side of a connection may have on its way, in bytes, by how many connections there are when it begins.
const BUFFERS: [(usize, usize); 3] = [(64, 512 << 10), (1024, 64 << 10), (MOST, SMALLEST)];
/// The smallest of them.
pub const SMALLEST: usize = 8 << 10;
/// Who owes an answer and says nothing for so long is gone; who owes none may be silent for ever.
const PATIENCE: Duration = Duration::from_secs(120);
/// A container that answers requests with anything else is not asked more often.
const MOST_REQUESTS: u8 = 3;
/// Who has come by a socket that was there before the container waits for its program to listen, so long after the container's start.
const BEGINNING: Duration = Duration::from_secs(60);
/// How often the program is asked meanwhile.
const AGAIN: Duration = Duration::from_millis(50);
/// Those below are of well-known services.
const FIRST_PORT: u16 = 1024;
/// Nothing is looked at again before, in microseconds.
const SOONEST: i64 = 1000;

#[derive(Debug, Default)]
pub struct Connections {
    all: HashMap<u64, Connection>,
    by_ends: HashMap<Ends, u64>,
    /// When to look at one again; one that has been looked at meanwhile is looked at once more.
    timers: BTreeSet<(Instant, u64)>,
    /// Those with which something happened.
    stirred: Vec<u64>,
    most: usize,
    last_port: u16,
    /// How many came from outside, and how many of them are here.
    come: u64,
    guests: usize,
}

#[derive(Debug)]
struct Connection {
    ends: Ends,
    host: OwnedFd,
    stage: Stage,
    /// As far as is known: the kernel tells of changes alone.
    readable: bool,
    writable: bool,
    /// The other end has nothing more to say.
    ended: bool,
    /// The other end was told that the container has nothing more to say.
    shut: bool,
    failed: bool,
    /// It came from outside.
    guest: bool,
    /// Until then a program that does not listen is asked again.
    until: Option<Instant>,
    /// The program has taken it.
    taken: bool,
    /// How often the container was asked once more.
    requests: u8,
    /// When the container said something.
    heard: Instant,
    /// Since when it owes an answer.
    owes: Option<Instant>,
    is_stirred: bool,
    timer: Option<Instant>,
}

#[derive(Debug)]
enum Stage {
    /// The packet that asked for it is kept, so that the answer is that of the other end.
    Connecting {
        request: Vec<u8>,
    },
    /// Nobody inside has taken it, and somebody may do so soon.
    Refused,
    Open {
        sockets: SocketSet<'static>,
        handle: SocketHandle,
    },
}

impl Connections {
    /// `descriptors`: how many this process may have.
    pub fn new(descriptors: u64) -> Self {
        let share = usize::try_from(descriptors / 4 * 3).unwrap_or(usize::MAX);
        Self { most: MOST.min(share), ..Self::default() }
    }

    /// A packet from inside.
    pub fn packet(&mut self, net: &mut Net, ends: Ends, opens: bool, packet: &[u8]) {
        if let Some(id) = self.by_ends.get(&ends).copied() {
            self.take_in(net, id, packet);
        } else if !opens {
            reject(net, packet);
        } else if let Err(error) = self.open(net, ends, packet) {
            answer(net, error, packet);
        }
    }

    fn take_in(&mut self, net: &mut Net, id: u64, packet: &[u8]) {
        // The request is sent again while the other end has not answered.
        let Some(connection) = self.all.get_mut(&id) else { return };
        let Stage::Open { sockets, handle } = &mut connection.stage else { return };
        let asks = |sockets: &SocketSet<'_>| sockets.get::<Socket<'_>>(*handle).state() == State::SynSent;
        let Net { interface, tun, clock, .. } = net;
        let asked = asks(sockets);
        connection.heard = clock.now();
        interface.poll_ingress_single(clock.now(), &mut Line { tun, incoming: Some(packet) }, sockets);
        if asked && asks(sockets) && connection.requests < MOST_REQUESTS {
            connection.requests += 1;
            self.ask_again(net, id);
        }
        self.stir(id);
    }

    /// The container answers for a connection of old between the same ends, which the reset that it got has made it forget. Without
    /// another request it would hear of this one after a second.
    fn ask_again(&mut self, net: &mut Net, id: u64) {
        let mut socket = self.socket();
        let Some(connection) = self.all.get_mut(&id) else { return };
        let Ends { inside, outside } = connection.ends;
        if socket.connect(net.interface.context(), inside, outside).is_ok() {
            connection.stage = open(socket);
        }
    }

    /// The container asks for a connection.
    fn open(&mut self, net: &mut Net, ends: Ends, request: &[u8]) -> Result<(), Errno> {
        let to = net.places.outward(ends.outside, 0).ok_or(Errno::CONNREFUSED)?;
        if self.all.len() >= self.most {
            return Err(Errno::CONNREFUSED);
        }
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let host = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        prepare(&host);
        match rustix::net::connect(&host, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error),
        }
        self.add(net, ends, host, false, Stage::Connecting { request: request.to_vec() })
    }

    /// For who has none of its own: each in turn, so that none is soon used again.
    pub fn free_port(&mut self) -> u16 {
        self.last_port = self.last_port.checked_add(1).unwrap_or(FIRST_PORT).max(FIRST_PORT);
        self.last_port
    }

    /// Somebody has come to a published port; `early`: perhaps before the program inside listens.
    pub fn accept(&mut self, net: &mut Net, host: OwnedFd, ends: Ends, early: bool) -> Result<(), Errno> {
        // Its peer has let go of it, or could not come from the same port again.
        if let Some(old) = self.by_ends.get(&ends).copied() {
            self.abandon(net, old);
        }
        if self.all.len() >= self.most {
            return Err(Errno::MFILE);
        }
        prepare(&host);
        let mut socket = self.socket();
        let connected = socket.connect(net.interface.context(), ends.inside, ends.outside);
        connected.map_err(|_| Errno::INVAL)?;
        self.add(net, ends, host, true, open(socket))?;
        (self.come, self.guests) = (self.come + 1, self.guests + 1);
        let until = Instant::ZERO + BEGINNING;
        if let Some(connection) = self.by_ends.get(&ends).and_then(|id| self.all.get_mut(id)) {
            connection.until = Some(until).filter(|until| early && *until > net.clock.now());
        }
        Ok(())
    }

    fn abandon(&mut self, net: &mut Net, id: u64) {
        if let Some(connection) = self.all.get_mut(&id) {
            connection.failed = true;
            connection.carry(net);
        }
        self.remove(id);
    }

    /// How many have come from outside since the beginning.
    pub fn come(&self) -> u64 {
        self.come
    }

    /// Whether somebody from outside is here.
    pub fn has_guests(&self) -> bool {
        self.guests > 0
    }

    /// Whether there is one between these.
    pub fn has(&self, ends: &Ends) -> bool {
        self.by_ends.contains_key(ends)
    }

    fn add(&mut self, net: &mut Net, ends: Ends, host: OwnedFd, guest: bool, stage: Stage) -> Result<(), Errno> {
        let id =
            net.watch(&host, Kind::Connection, EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET)?;
        let connection = Connection {
            ends,
            host,
            stage,
            readable: false,
            writable: false,
            ended: false,
            shut: false,
            failed: false,
            guest,
            until: None,
            taken: false,
            requests: 0,
            heard: net.clock.now(),
            owes: None,
            is_stirred: false,
            timer: None,
        };
        self.all.insert(id, connection);
        self.by_ends.insert(ends, id);
        self.stir(id);
        Ok(())
    }

    fn socket(&self) -> Socket<'static> {
        let count = self.all.len();
        let size = BUFFERS.iter().find(|(most, _)| count < *most).map_or(0, |(_, size)| *size);
        let buffer = || SocketBuffer::new(vec![0; size]);
        let mut socket = Socket::new(buffer(), buffer());
        // No cable between the two ends: nothing to be gained by waiting.
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        socket
    }

    fn stir(&mut self, id: u64) {
        if let Some(connection) = self.all.get_mut(&id).filter(|connection| !connection.is_stirred) {
            connection.is_stirred = true;
            self.stirred.push(id);
        }
    }

    /// Something has happened outside.
    pub fn ready(&mut self, net: &mut Net, id: u64, flags: EventFlags) {
        let Some(connection) = self.all.get_mut(&id) else { return };
        let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        connection.readable |= broken || flags.intersects(EventFlags::IN | EventFlags::RDHUP);
        connection.writable |= broken || flags.contains(EventFlags::OUT);
        connection.failed |= connection.ended && flags.contains(EventFlags::ERR);
        if let Stage::Connecting { request } = &mut connection.stage {
            let request = std::mem::take(request);
            match sockopt::socket_error(&connection.host) {
                Ok(Ok(())) => self.establish(net, id, &request),
                Ok(Err(error)) | Err(error) => {
                    self.remove(id);
                    answer(net, error, &request);
                }
            }
        }
        self.stir(id);
    }

    /// The other end has taken the connection, so the container's is.
    fn establish(&mut self, net: &mut Net, id: u64, request: &[u8]) {
        let mut socket = self.socket();
        let Some(connection) = self.all.get_mut(&id) else { return };
        // The port can't be 0: nobody connects there.
        if socket.listen(connection.ends.outside).is_err() {
            return self.remove(id);
        }
        connection.stage = open(socket);
        self.take_in(net, id, request);
    }

    /// Carries what can be carried, of all with which something happened.
    pub fn carry(&mut self, net: &mut Net) {
        let now = net.clock.now();
        while let Some((_, id)) = self.timers.first().copied().filter(|(time, _)| *time <= now) {
            self.timers.pop_first();
            if let Some(connection) = self.all.get_mut(&id) {
                connection.timer = None;
            }
            self.stir(id);
        }
        for id in std::mem::take(&mut self.stirred) {
            let Some(connection) = self.all.get_mut(&id) else { continue };
            connection.is_stirred = false;
            if matches!(connection.stage, Stage::Refused) {
                self.ask_again(net, id);
            }
            let Some(connection) = self.all.get_mut(&id) else { continue };
            if !connection.carry(net) {
                if connection.is_early(now) {
                    connection.stage = Stage::Refused;
                    connection.timer = Some(now + AGAIN);
                    self.timers.insert((now + AGAIN, id));
                } else {
                    self.remove(id);
                }
                continue;
            }
            let next = connection.next(&mut net.interface, now);
            if let Some(next) = next.filter(|next| connection.timer.is_none_or(|timer| *next < timer)) {
                if let Some(timer) = connection.timer.replace(next) {
                    self.timers.remove(&(timer, id));
                }
                self.timers.insert((next, id));
            }
        }
    }

    /// When something is to be done though nothing happens.
    pub fn next(&self) -> Option<Instant> {
        self.timers.first().map(|(time, _)| *time)
    }

    /// Whoever is at the other end is reset, unless both ends have said that they are done.
    fn remove(&mut self, id: u64) {
        let Some(connection) = self.all.remove(&id) else { return };
        self.by_ends.remove(&connection.ends);
        self.guests -= usize::from(connection.guest);
        if let Some(timer) = connection.timer {
            self.timers.remove(&(timer, id));
        }
        if !(connection.ended && connection.shut) || connection.failed {
            let _ = sockopt::set_socket_linger(&connection.host, Some(std::time::Duration::ZERO));
        }
    }
}

/// Nothing is held back for more to come. An end that is gone without a word is found out by the kernel, since what the program
/// inside asks of its own connection is answered here.
fn prepare(host: &OwnedFd) {
    let _ = sockopt::set_tcp_nodelay(host, true);
    let _ = sockopt::set_socket_keepalive(host, true);
}

fn open(socket: Socket<'static>) -> Stage {
    let mut sockets = SocketSet::new(Vec::with_capacity(1));
    let handle = sockets.add(socket);
    Stage::Open { sockets, handle }
}

impl Connection {
    /// Whether there is more to come.
    fn carry(&mut self, net: &mut Net) -> bool {
        let Stage::Open { sockets, handle } = &mut self.stage else { return true };
        let socket = sockets.get_mut::<Socket<'_>>(*handle);
        let host = self.host.as_fd();
        while self.writable && socket.can_recv() {
            let sent = socket.recv(|bytes| {
                let sent = rustix::net::send(host, bytes, SendFlags::NOSIGNAL);
                (sent.unwrap_or(0), sent)
            });
            match sent {
                Ok(Ok(_) | Err(Errno::INTR)) => {}
                Ok(Err(Errno::AGAIN)) => self.writable = false,
                _ => (self.writable, self.failed) = (false, true),
            }
        }
        if !self.shut && socket.peek(1) == Err(RecvError::Finished) {
            self.shut = rustix::net::shutdown(host, Shutdown::Write).is_ok();
        }
        while self.readable && socket.can_send() {
            let received = socket.send(|bytes| {
                let received = rustix::net::recv(host, bytes, RecvFlags::empty()).map(|(count, _)| count);
                (received.unwrap_or(0), received)
            });
            match received {
                Ok(Ok(0)) => {
                    (self.readable, self.ended) = (false, true);
                    socket.close();
                }
                Ok(Ok(_) | Err(Errno::INTR)) => {}
                Ok(Err(Errno::AGAIN)) => self.readable = false,
                _ => (self.readable, self.failed) = (false, true),
            }
        }
        let Net { interface, tun, clock, .. } = net;
        let now = clock.now();
        self.owes = owes(socket).then(|| self.owes.unwrap_or(now));
        self.failed |= self.owes.is_some_and(|since| now >= since.max(self.heard) + PATIENCE);
        if self.failed {
            socket.abort();
        }
        let mut line = Line { tun, incoming: None };
        while interface.poll_egress(now, &mut line, sockets) == PollResult::SocketStateChanged {}
        let socket = sockets.get::<Socket<'_>>(*handle);
        self.taken |= !matches!(socket.state(), State::Closed | State::SynSent);
        match socket.state() {
            // What is still to go out goes out.
            State::Closed | State::TimeWait => self.ended && !self.failed && socket.can_recv(),
            _ => true,
        }
    }

    /// Whether it may be that nobody inside has taken it since nobody listens yet.
    fn is_early(&self, now: Instant) -> bool {
        !(self.taken || self.failed) && self.until.is_some_and(|until| now < until)
    }

    fn next(&self, interface: &mut Interface, now: Instant) -> Option<Instant> {
        let Stage::Open { sockets, .. } = &self.stage else { return None };
        interface.poll_at(now, sockets).map(|next| next.max(now + Duration::from_micros(SOONEST as u64)))
    }
}

/// Whether something that was said to the container wants its acknowledgement. What repeats it wakes us meanwhile; smoltcp's own
/// time limit will not do, since it counts silence where nothing is owed.
fn owes(socket: &Socket<'_>) -> bool {
    let asks = matches!(
        socket.state(),
        State::SynSent | State::SynReceived | State::FinWait1 | State::Closing | State::LastAck
    );
    asks || socket.send_queue() > 0
}

/// Tells the container what became of its request.
fn answer(net: &mut Net, error: Errno, request: &[u8]) {
    let obstacle = match error {
        Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::ADDRNOTAVAIL => Obstacle::Host,
        Errno::ACCESS | Errno::PERM => Obstacle::Prohibited,
        // It has waited as long itself.
        Errno::TIMEDOUT => return,
        _ => return reject(net, request),
    };
    net.tun.write(|buffer| packet::unreachable(buffer, request, obstacle));
}

/// Resets what belongs to no connection.
fn reject(net: &mut Net, packet: &[u8]) {
    let Net { interface, tun, clock, .. } = net;
    let mut none = SocketSet::new(Vec::new());
    interface.poll_ingress_single(clock.now(), &mut Line { tun, incoming: Some(packet) }, &mut none);
}
