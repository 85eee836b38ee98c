//! The event loop of the process that is a container's way out.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::Timespec;
use rustix::event::epoll::{self, Event, EventFlags};
use rustix::io::Errno;
use rustix::net::SendFlags;

use super::control::{self, Request};
use super::datagrams::{Conversations, Subject};
use super::idle::Idle;
use super::listeners::{At, Listeners};
use super::net::{Kind, Net};
use super::packet::{self, Content};
use super::tcp::Connections;
use super::tun::MTU;
use crate::sys::{self, Call};

/// So many packets are taken from inside before others have their turn.
const TURN: usize = 64;
const EVENTS: usize = 256;

/// All that goes on.
pub struct Stack {
    net: Net,
    connections: Connections,
    conversations: Conversations,
    listeners: Listeners,
    control: OwnedFd,
    packet: Vec<u8>,
    idle: Idle,
}

impl Stack {
    /// `descriptors`: how many this process may have; `idle`: after how many seconds without anybody from outside it says so.
    pub fn new(net: Net, listeners: Listeners, control: OwnedFd, descriptors: u64, idle: u32) -> Self {
        Self {
            idle: Idle::new(idle, net.clock.now()),
            net,
            connections: Connections::new(descriptors),
            conversations: Conversations::new(descriptors),
            listeners,
            control,
            packet: vec![0; MTU],
        }
    }

    /// Serves until the other side of `monitor` is closed or shut down. Then only the device is left, whose end takes long.
    pub fn serve(mut self, monitor: &OwnedFd) -> sys::Result<OwnedFd> {
        let watch = |result: Result<u64, Errno>| result.call("epoll_ctl");
        let tun = self.net.tun.as_fd().try_clone_to_owned().call("dup(tun)")?;
        watch(self.net.watch(&tun, Kind::Tun, EventFlags::IN))?;
        watch(self.net.watch(monitor, Kind::Monitor, EventFlags::IN | EventFlags::RDHUP))?;
        watch(self.net.watch(&self.control, Kind::Control, EventFlags::IN))?;
        let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            let patience = self.patience();
            match epoll::wait(&self.net.epoll, rustix::buffer::spare_capacity(&mut events), patience.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(sys::Error::new("epoll_wait", error)),
            }
            for event in &events {
                match Net::of_event(event.data) {
                    Some((Kind::Tun, _)) => self.take_packets(),
                    Some((Kind::Connection, id)) => self.connections.ready(&mut self.net, id, event.flags),
                    Some((Kind::Conversation, id)) => self.conversations.ready(&mut self.net, id),
                    Some((Kind::Listener, id)) => {
                        let Self { net, connections, conversations, listeners, .. } = &mut self;
                        listeners.ready(net, id, connections, conversations);
                    }
                    Some((Kind::Control, _)) => self.hear(),
                    Some((Kind::Monitor, _)) | None => return Ok(tun),
                }
            }
            self.connections.carry(&mut self.net);
            self.conversations.sweep(&self.net);
            let come = self.connections.come() + self.conversations.come();
            let here = self.connections.has_guests() || self.conversations.has_guests();
            if self.idle.is_over(self.net.clock.now(), come, here) {
                // A monitor that hears nothing now hears its end.
                let _ = rustix::net::send(monitor, &[super::IDLE], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
            }
        }
    }

    /// `None`: until something happens.
    fn patience(&self) -> Option<Timespec> {
        let next =
            [self.connections.next(), self.conversations.next(), self.idle.next()].into_iter().flatten().min()?;
        let micros = (next.total_micros() - self.net.clock.now().total_micros()).max(0);
        Some(Timespec { tv_sec: micros / 1_000_000, tv_nsec: micros % 1_000_000 * 1000 })
    }

    /// Somebody of this account wants something.
    fn hear(&mut self) {
        let Some((client, request, socket)) = control::hear(&self.control) else { return };
        let Self { net, conversations, listeners, .. } = self;
        let result = match &request {
            Request::Add(published) => {
                published.iter().try_for_each(|one| listeners.add(net, one)).map_err(super::Error::from)
            }
            Request::AddFile(file) => match socket {
                Some(socket) => {
                    // Of one whose file is gone nobody hears any more.
                    listeners.remove_file(file);
                    let at = At::File(file.path.clone());
                    listeners.add_socket(net, socket, file.container, at).map_err(super::Error::from)
                }
                None => Err(super::Error::Failed("its socket was lost on the way".into())),
            },
            Request::RemoveFiles(files) => {
                files.iter().for_each(|file| listeners.remove_file(file));
                Ok(())
            }
            Request::Remove(published) => {
                let gone = published.iter().flat_map(|one| listeners.remove(one));
                gone.for_each(|socket| conversations.forget(&socket));
                Ok(())
            }
        };
        // Who does not wait for the answer needs none.
        let _ = super::say(client.as_fd(), &result);
    }

    fn take_packets(&mut self) {
        let Self { net, connections, conversations, packet, .. } = self;
        for _ in 0..TURN {
            let Some(packet) = net.tun.read(packet).and_then(|count| packet.get(..count)) else { return };
            match packet::parse(packet) {
                Some((ends, Content::Tcp { opens })) => connections.packet(net, ends, opens, packet),
                Some((ends, Content::Udp(data))) => conversations.packet(net, ends, Subject::Udp, data, packet),
                Some((ends, Content::Echo(number, data))) => {
                    let request = packet::echo_request(ends.outside.ip(), number, data);
                    conversations.packet(net, ends, Subject::Echo, &request, packet);
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, TcpPacket};

    use super::*;
    use crate::network::HOST;
    use crate::network::stack::places::Places;

    /// A packet with a good head, of which then some bytes are others.
    #[test]
    fn no_packet_makes_it_panic() {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (tun, inside) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, flags, None).unwrap();
        let net = Net::new(tun, Places::of_host().unwrap()).unwrap();
        let (control, _) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let mut stack = Stack::new(net, Listeners::default(), control, 256, 0);
        let mut state = 7_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize
        };
        // Where there is somebody who answers, for what gets as far as that.
        let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let [high, low] = listener.local_addr().unwrap().port().to_be_bytes();
        let (inside4, outside4) = (Ipv4Addr::new(192, 0, 2, 2), HOST);
        let (inside6, outside6) = (Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 7), Ipv6Addr::LOCALHOST);
        let mut buffer = vec![0; MTU];
        let mut answers = 0;
        for round in 0..100_000 {
            let is_four = random() % 4 > 0;
            let protocol = [6, 6, 6, 17, if is_four { 1 } else { 58 }][random() % 5];
            // Few ports, so that they meet; a TCP header of the length that most have, and all flags.
            let mut payload = vec![0, random() as u8 % 4, high, low];
            payload.extend((0..8).map(|_| random() as u8 % 4));
            payload.extend([0x50, random() as u8]);
            payload.resize(20 + random() % 60, random() as u8);
            let mut packet = vec![0; if is_four { 20 } else { 40 }];
            let length = payload.len();
            if is_four {
                TcpPacket::new_unchecked(&mut payload[..]).fill_checksum(&inside4.into(), &outside4.into());
                let (next_header, payload_len) = (protocol.into(), length);
                let head = Ipv4Repr { src_addr: inside4, dst_addr: outside4, next_header, payload_len, hop_limit: 64 };
                head.emit(&mut Ipv4Packet::new_unchecked(&mut packet[..]), &ChecksumCapabilities::default());
            } else {
                TcpPacket::new_unchecked(&mut payload[..]).fill_checksum(&inside6.into(), &outside6.into());
                let (next_header, payload_len) = (protocol.into(), length);
                let head = Ipv6Repr { src_addr: inside6, dst_addr: outside6, next_header, payload_len, hop_limit: 64 };
                head.emit(&mut Ipv6Packet::new_unchecked(&mut packet[..]));
            }
            packet.extend(payload);
            if round % 2 == 0 {
                for _ in 0..random() % 4 {
                    let place = random() % packet.len();
                    packet[place] = random() as u8;
                }
                packet.truncate(random() % (packet.len() * 4) + 1);
            }
            rustix::io::write(&inside, &packet).unwrap();
            stack.take_packets();
            stack.connections.carry(&mut stack.net);
            while rustix::io::read(&inside, &mut buffer).is_ok() {
                answers += 1;
            }
        }
        assert!(answers > 1000, "{answers}");
    }
}
