//! UDP, and ICMP's echo: each conversation of the container's has a socket of this machine, or shares that of the published port by
//! which it began, until nothing has been said for a while.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use smoltcp::time::{Duration, Instant};

use super::net::{Kind, Net};
use super::packet::{self, Ends, Obstacle};
use super::places::{Places, is_host};
use crate::sys::datagram::{self, Local, Received};

/// More conversations there are never at once: the one that was silent longest makes room.
const MOST: usize = 4096;
/// Who is silent for so long has nothing more to say (RFC 4787: at least two minutes), but for who was answered by a resolver.
const SILENCE: Duration = Duration::from_secs(180);
const SILENCE_OF_NAMES: Duration = Duration::from_secs(15);
/// How often those are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// So many datagrams are taken from a socket before others have their turn.
const TURN: usize = 64;
/// Those below are of well-known services.
const FIRST_PORT: u16 = 1024;
/// No datagram is larger, in bytes.
const LARGEST: usize = 64 << 10;

#[derive(Debug, Default)]
pub struct Conversations {
    all: HashMap<u64, Conversation>,
    by_subject: HashMap<(Ends, Subject), u64>,
    swept: Option<Instant>,
    most: usize,
    buffer: Vec<u8>,
    /// Those that began at a published port, by who came where.
    by_guest: HashMap<Guest, u64>,
    last_port: u16,
    /// How many began at a published port, and how many of them go on.
    come: u64,
    guests: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    Udp,
    Echo,
}

#[derive(Debug)]
struct Conversation {
    ends: Ends,
    subject: Subject,
    host: Host,
    last: Instant,
    /// How many questions stand unanswered, for who asks a resolver.
    unanswered: usize,
}

#[derive(Debug)]
enum Host {
    /// Connected to the other end.
    Own(OwnedFd),
    /// A published port, and who came to it.
    Published(Rc<OwnedFd>, Guest),
}

/// Who has come where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Guest {
    /// The socket's name.
    listener: u64,
    peer: SocketAddr,
    /// The address of this machine's to which it came, of a socket that is bound to all: the answer must come from there.
    at: Option<Local>,
}

impl Conversations {
    /// `descriptors`: how many this process may have.
    pub fn new(descriptors: u64) -> Self {
        let eighth = usize::try_from(descriptors / 8).unwrap_or(usize::MAX);
        Self { most: MOST.min(eighth), buffer: vec![0; LARGEST], ..Self::default() }
    }

    /// A datagram from inside; of an echo `data` is what an echo socket takes. `packet` is the whole of it.
    pub fn packet(&mut self, net: &mut Net, ends: Ends, subject: Subject, data: &[u8], packet: &[u8]) {
        if let Err(error) = self.send(net, ends, subject, data) {
            let obstacle = match error {
                Errno::CONNREFUSED => Obstacle::Port,
                Errno::ACCESS | Errno::PERM => Obstacle::Prohibited,
                Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::ADDRNOTAVAIL => Obstacle::Host,
                // Lost, as datagrams may be.
                _ => return,
            };
            net.tun.write(|buffer| packet::unreachable(buffer, packet, obstacle));
        }
    }

    fn send(&mut self, net: &mut Net, ends: Ends, subject: Subject, data: &[u8]) -> Result<(), Errno> {
        let id = match self.by_subject.get(&(ends, subject)) {
            Some(id) => *id,
            None => {
                let to = net.places.outward(ends.outside, 0).ok_or(Errno::CONNREFUSED)?;
                let host = socket(to, subject)?;
                rustix::net::connect(&host, &to)?;
                let id = net.watch(&host, Kind::Conversation, EventFlags::IN)?;
                self.add(
                    net,
                    id,
                    Conversation { ends, subject, host: Host::Own(host), last: net.clock.now(), unanswered: 0 },
                );
                id
            }
        };
        let conversation = self.all.get_mut(&id).ok_or(Errno::NOENT)?;
        conversation.last = net.clock.now();
        match &conversation.host {
            Host::Own(socket) => {
                if conversation.unanswered > 0 && Places::is_resolver(ends.outside) {
                    let next = net.places.outward(ends.outside, conversation.unanswered).ok_or(Errno::CONNREFUSED)?;
                    rustix::net::connect(socket, &next)?;
                }
                conversation.unanswered += 1;
                rustix::net::send(socket, data, SendFlags::DONTWAIT).map(drop)
            }
            Host::Published(socket, guest) => datagram::send(socket.as_fd(), data, guest.peer, guest.at),
        }
    }

    fn add(&mut self, net: &Net, id: u64, conversation: Conversation) {
        if self.all.len() >= self.most
            && let Some(oldest) = self.all.iter().min_by_key(|(_, one)| one.last).map(|(id, _)| *id)
        {
            self.remove(oldest);
        }
        self.by_subject.insert((conversation.ends, conversation.subject), id);
        self.all.insert(id, conversation);
        self.swept.get_or_insert(net.clock.now());
    }

    fn remove(&mut self, id: u64) {
        if let Some(conversation) = self.all.remove(&id) {
            if let Host::Published(_, guest) = &conversation.host {
                self.guests -= 1;
                self.by_guest.remove(guest);
            }
            self.by_subject.remove(&(conversation.ends, conversation.subject));
        }
    }

    /// The other end has said something, or can't be reached.
    pub fn ready(&mut self, net: &mut Net, id: u64) {
        let Some(conversation) = self.all.get_mut(&id) else { return };
        let Host::Own(socket) = &conversation.host else { return };
        for _ in 0..TURN {
            match rustix::net::recv(socket, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((count, _)) => {
                    let data = self.buffer.get(..count).unwrap_or_default();
                    (conversation.last, conversation.unanswered) = (net.clock.now(), 0);
                    conversation.pass_on(net, data);
                }
                Err(Errno::CONNREFUSED) => {
                    net.tun.write(|buffer| packet::unreachable_datagram(buffer, &conversation.ends, Obstacle::Port));
                }
                Err(Errno::HOSTUNREACH | Errno::NETUNREACH) => {
                    net.tun.write(|buffer| packet::unreachable_datagram(buffer, &conversation.ends, Obstacle::Host));
                }
                Err(_) => return,
            }
        }
    }

    /// Somebody has said something to a published port, at the socket of this name.
    pub fn published(&mut self, net: &mut Net, listener: u64, socket: &Rc<OwnedFd>, port: u16) {
        for _ in 0..TURN {
            let Ok(Received { count, peer, to }) = datagram::receive(socket.as_fd(), &mut self.buffer) else { return };
            let guest = Guest { listener, peer, at: to };
            let Some(ends) = self.welcome(net, socket, guest, port) else { continue };
            let data = self.buffer.get(..count).unwrap_or_default();
            net.tun.write(|buffer| packet::udp(buffer, ends.outside, ends.inside, data));
        }
    }

    /// The ends of a guest's conversation, which goes on or begins. `None`: the container has no address for it.
    fn welcome(&mut self, net: &mut Net, socket: &Rc<OwnedFd>, guest: Guest, port: u16) -> Option<Ends> {
        let now = net.clock.now();
        if let Some(known) = self.by_guest.get(&guest).and_then(|id| self.all.get_mut(id)) {
            known.last = now;
            return Some(known.ends);
        }
        let outside = net.places.inward(guest.peer);
        let own = net.places.container(outside.ip())?;
        let mut ends = Ends { inside: SocketAddr::new(own, port), outside };
        // Of this machine several may come from ports of the same number, or one to several of its addresses.
        while is_host(outside.ip()) && self.by_subject.contains_key(&(ends, Subject::Udp)) {
            self.last_port = self.last_port.checked_add(1).unwrap_or(FIRST_PORT).max(FIRST_PORT);
            ends.outside.set_port(self.last_port);
        }
        if let Some(id) = self.by_subject.get(&(ends, Subject::Udp)).copied()
            && let Some(known) = self.all.get_mut(&id)
        {
            known.last = now;
            // It has come to another of this machine's addresses or ports, and is answered from there from now on.
            if let Host::Published(_, old) = &known.host {
                self.by_guest.remove(old);
                self.by_guest.insert(guest, id);
                known.host = Host::Published(Rc::clone(socket), guest);
            }
            return Some(ends);
        }
        let id = net.name();
        (self.come, self.guests) = (self.come + 1, self.guests + 1);
        let host = Host::Published(Rc::clone(socket), guest);
        self.add(net, id, Conversation { ends, subject: Subject::Udp, host, last: now, unanswered: 0 });
        self.by_guest.insert(guest, id);
        Some(ends)
    }

    /// How many have begun at a published port.
    pub fn come(&self) -> u64 {
        self.come
    }

    /// Whether one of them goes on.
    pub fn has_guests(&self) -> bool {
        self.guests > 0
    }

    /// When those that are over are to be looked for.
    pub fn next(&self) -> Option<Instant> {
        self.swept.map(|swept| swept + SWEEP)
    }

    /// Ends those that are over.
    pub fn sweep(&mut self, net: &Net) {
        let now = net.clock.now();
        if self.next().is_none_or(|next| next > now) {
            return;
        }
        let patience = |one: &Conversation| match Places::is_resolver(one.ends.outside) {
            true => SILENCE_OF_NAMES,
            false => SILENCE,
        };
        let is_over = |one: &Conversation| now - one.last > patience(one);
        let over: Vec<u64> = self.all.iter().filter(|(_, one)| is_over(one)).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.remove(id));
        self.swept = (!self.all.is_empty()).then_some(now);
    }

    /// Ends those that began at a port that is not published any more.
    pub fn forget(&mut self, socket: &Rc<OwnedFd>) {
        let is_its = |one: &Conversation| matches!(&one.host, Host::Published(other, _) if Rc::ptr_eq(other, socket));
        let its: Vec<u64> = self.all.iter().filter(|(_, one)| is_its(one)).map(|(id, _)| *id).collect();
        its.into_iter().for_each(|id| self.remove(id));
    }
}

impl Conversation {
    fn pass_on(&self, net: &mut Net, data: &[u8]) {
        let Ends { inside, outside } = self.ends;
        net.tun.write(|buffer| match self.subject {
            Subject::Udp => packet::udp(buffer, outside, inside, data),
            Subject::Echo => {
                let (number, data) = packet::echo_reply_of(data)?;
                packet::echo_reply(buffer, &self.ends, number, data)
            }
        });
    }
}

/// Echo sockets are for the groups of `net.ipv4.ping_group_range` (icmp(7)).
fn socket(to: SocketAddr, subject: Subject) -> Result<OwnedFd, Errno> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let protocol: Option<Protocol> = match (subject, to.is_ipv4()) {
        (Subject::Udp, _) => None,
        (Subject::Echo, true) => Some(ipproto::ICMP),
        (Subject::Echo, false) => Some(ipproto::ICMPV6),
    };
    rustix::net::socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, protocol)
}
