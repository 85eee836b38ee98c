//! UDP, and ICMP's echo: each conversation of the container's has a socket of this machine, or shares that of the published port by
//! which it began, until nothing has been said for a while.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto};
use smoltcp::time::{Duration, Instant};

use super::net::{Kind, Net};
use super::packet::{self, Ends, Obstacle};
use super::places::Places;

/// More conversations there are never at once: the one that was silent longest makes room.
const MOST: usize = 4096;
/// Who is silent for so long has nothing more to say (RFC 4787: at least two minutes), but for who was answered by a resolver.
const SILENCE: Duration = Duration::from_secs(180);
const SILENCE_OF_NAMES: Duration = Duration::from_secs(15);
/// How often those are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// So many datagrams are taken from a socket before others have their turn.
const TURN: usize = 64;
/// No datagram is larger, in bytes.
const LARGEST: usize = 64 << 10;

#[derive(Debug, Default)]
pub struct Conversations {
    all: HashMap<u64, Conversation>,
    by_subject: HashMap<(Ends, Subject), u64>,
    swept: Option<Instant>,
    most: usize,
    buffer: Vec<u8>,
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
    Published(Rc<OwnedFd>, SocketAddr),
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
            Host::Published(socket, peer) => rustix::net::sendto(socket, data, SendFlags::DONTWAIT, peer).map(drop),
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
            self.guests -= usize::from(matches!(conversation.host, Host::Published(..)));
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

    /// Somebody has said something to a published port.
    pub fn published(&mut self, net: &mut Net, socket: &Rc<OwnedFd>, port: u16) {
        for _ in 0..TURN {
            let received = rustix::net::recvfrom(&**socket, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT);
            let Ok((count, _, Some(peer))) = received else { return };
            let Ok(peer) = SocketAddr::try_from(peer) else { continue };
            let outside = net.places.inward(peer);
            let Some(own) = net.places.container(outside.ip()) else { continue };
            let ends = Ends { inside: SocketAddr::new(own, port), outside };
            let now = net.clock.now();
            match self.by_subject.get(&(ends, Subject::Udp)).and_then(|id| self.all.get_mut(id)) {
                Some(known) => known.last = now,
                None => {
                    let host = Host::Published(Rc::clone(socket), peer);
                    let id = net.name();
                    (self.come, self.guests) = (self.come + 1, self.guests + 1);
                    self.add(net, id, Conversation { ends, subject: Subject::Udp, host, last: now, unanswered: 0 });
                }
            }
            let data = self.buffer.get(..count).unwrap_or_default();
            net.tun.write(|buffer| packet::udp(buffer, ends.outside, ends.inside, data));
        }
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
