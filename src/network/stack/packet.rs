//! Packets: what one from inside is, and the making of those that are no TCP.

use std::net::{IpAddr, SocketAddr};

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, Icmpv6DstUnreachable, Icmpv6Packet, Icmpv6Repr, IpProtocol, IpRepr,
    Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, TcpPacket, UdpPacket, UdpRepr,
};

/// As hosts choose it.
const HOP_LIMIT: u8 = 64;
/// No error tells more of the packet that it is about, in bytes (RFC 1812 and RFC 4443 allow more than is of use).
const QUOTED: usize = 128;
/// Of an echo: type, code, checksum, identifier, number.
pub const ECHO_HEADER: usize = 8;

/// The two ends of a conversation, as the container sees them. An echo has its identifier for a port, and 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ends {
    pub inside: SocketAddr,
    pub outside: SocketAddr,
}

/// What a packet from inside brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// `opens`: it asks for a connection.
    Tcp {
        opens: bool,
    },
    Udp(&'a [u8]),
    /// Number and data of a request.
    Echo(u16, &'a [u8]),
}

/// Why something does not get where it was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody listens there.
    Port,
    /// There is no way.
    Host,
    /// It is not allowed.
    Prohibited,
}

/// Understands a packet; `None`: it is malformed, a fragment, or of a protocol that is not carried.
pub fn parse(bytes: &[u8]) -> Option<(Ends, Content<'_>)> {
    let (source, destination, protocol, payload): (IpAddr, IpAddr, _, _) = match bytes.first()? >> 4 {
        4 => {
            let packet = Ipv4Packet::new_checked(bytes).ok()?;
            if packet.more_frags() || packet.frag_offset() != 0 {
                return None;
            }
            (packet.src_addr().into(), packet.dst_addr().into(), packet.next_header(), packet.payload())
        }
        6 => {
            let packet = Ipv6Packet::new_checked(bytes).ok()?;
            (packet.src_addr().into(), packet.dst_addr().into(), packet.next_header(), packet.payload())
        }
        _ => return None,
    };
    let ends = |inside, outside| Ends {
        inside: SocketAddr::new(source, inside),
        outside: SocketAddr::new(destination, outside),
    };
    match protocol {
        IpProtocol::Tcp => {
            let packet = TcpPacket::new_checked(payload).ok()?;
            let opens = packet.syn() && !packet.ack() && !packet.rst() && !packet.fin();
            Some((ends(packet.src_port(), packet.dst_port()), Content::Tcp { opens }))
        }
        IpProtocol::Udp => {
            let packet = UdpPacket::new_checked(payload).ok()?;
            Some((ends(packet.src_port(), packet.dst_port()), Content::Udp(packet.payload())))
        }
        IpProtocol::Icmp | IpProtocol::Icmpv6 => {
            let (identifier, number, data) = echo(payload, ECHO_REQUEST)?;
            Some((ends(identifier, 0), Content::Echo(number, data)))
        }
        _ => None,
    }
}

/// The types of an echo's request and reply, of ICMP and of ICMPv6.
const ECHO_REQUEST: [u8; 2] = [8, 128];
const ECHO_REPLY: [u8; 2] = [0, 129];

fn echo(message: &[u8], kinds: [u8; 2]) -> Option<(u16, u16, &[u8])> {
    let (&[kind, code, _, _, identifier @ .., a, b], data) = message.split_first_chunk::<ECHO_HEADER>()?;
    (kinds.contains(&kind) && code == 0).then(|| (u16::from_be_bytes(identifier), u16::from_be_bytes([a, b]), data))
}

/// Number and data of a reply, as an echo socket gives it.
pub fn echo_reply_of(message: &[u8]) -> Option<(u16, &[u8])> {
    echo(message, ECHO_REPLY).map(|(_, number, data)| (number, data))
}

/// A request, as an echo socket takes it, which fills in what is missing.
pub fn echo_request(to: IpAddr, number: u16, data: &[u8]) -> Vec<u8> {
    let [four, six] = ECHO_REQUEST;
    let [a, b] = number.to_be_bytes();
    [&[if to.is_ipv4() { four } else { six }, 0, 0, 0, 0, 0, a, b], data].concat()
}

/// Makes a datagram; how long it is.
pub fn udp(buffer: &mut [u8], from: SocketAddr, to: SocketAddr, data: &[u8]) -> Option<usize> {
    let repr = UdpRepr { src_port: from.port(), dst_port: to.port() };
    let length = repr.header_len() + data.len();
    let (ip, payload) = ip(buffer, from.ip(), to.ip(), IpProtocol::Udp, length)?;
    let mut packet = UdpPacket::new_unchecked(payload);
    let fill = |place: &mut [u8]| place.copy_from_slice(data);
    repr.emit(&mut packet, &from.ip().into(), &to.ip().into(), data.len(), fill, &ChecksumCapabilities::default());
    Some(ip + length)
}

/// Makes the reply to a container's echo request.
pub fn echo_reply(buffer: &mut [u8], ends: &Ends, number: u16, data: &[u8]) -> Option<usize> {
    let ident = ends.inside.port();
    icmp(
        buffer,
        ends.outside.ip(),
        ends.inside.ip(),
        Icmpv4Repr::EchoReply { ident, seq_no: number, data },
        Icmpv6Repr::EchoReply { ident, seq_no: number, data },
    )
}

/// Makes what tells the sender of a packet that it got nowhere. The word of it comes from where it was to go.
pub fn unreachable(buffer: &mut [u8], packet: &[u8], obstacle: Obstacle) -> Option<usize> {
    let checksums = ChecksumCapabilities::ignored();
    let (reason4, reason6) = match obstacle {
        Obstacle::Port => (Icmpv4DstUnreachable::PortUnreachable, Icmpv6DstUnreachable::PortUnreachable),
        Obstacle::Host => (Icmpv4DstUnreachable::HostUnreachable, Icmpv6DstUnreachable::AddrUnreachable),
        Obstacle::Prohibited => (Icmpv4DstUnreachable::CommProhibited, Icmpv6DstUnreachable::AdminProhibit),
    };
    let quoted = |payload: &[u8]| payload.len().min(QUOTED);
    match packet.first()? >> 4 {
        4 => {
            let packet = Ipv4Packet::new_checked(packet).ok()?;
            let header = Ipv4Repr::parse(&packet, &checksums).ok()?;
            let data = packet.payload().get(..quoted(packet.payload()))?;
            let four = Icmpv4Repr::DstUnreachable { reason: reason4, header, data };
            icmp4(buffer, header.dst_addr.into(), header.src_addr.into(), &four)
        }
        _ => {
            let packet = Ipv6Packet::new_checked(packet).ok()?;
            let header = Ipv6Repr::parse(&packet).ok()?;
            let data = packet.payload().get(..quoted(packet.payload()))?;
            let six = Icmpv6Repr::DstUnreachable { reason: reason6, header, data };
            icmp6(buffer, header.dst_addr.into(), header.src_addr.into(), &six)
        }
    }
}

/// As [`unreachable`], of a datagram that was sent long ago.
pub fn unreachable_datagram(buffer: &mut [u8], ends: &Ends, obstacle: Obstacle) -> Option<usize> {
    let mut sent = [0; 64];
    let length = udp(&mut sent, ends.inside, ends.outside, &[])?;
    unreachable(buffer, sent.get(..length)?, obstacle)
}

fn icmp(buffer: &mut [u8], from: IpAddr, to: IpAddr, four: Icmpv4Repr<'_>, six: Icmpv6Repr<'_>) -> Option<usize> {
    if from.is_ipv4() { icmp4(buffer, from, to, &four) } else { icmp6(buffer, from, to, &six) }
}

fn icmp4(buffer: &mut [u8], from: IpAddr, to: IpAddr, repr: &Icmpv4Repr<'_>) -> Option<usize> {
    let (ip, payload) = ip(buffer, from, to, IpProtocol::Icmp, repr.buffer_len())?;
    repr.emit(&mut Icmpv4Packet::new_unchecked(payload), &ChecksumCapabilities::default());
    Some(ip + repr.buffer_len())
}

fn icmp6(buffer: &mut [u8], from: IpAddr, to: IpAddr, repr: &Icmpv6Repr<'_>) -> Option<usize> {
    let (IpAddr::V6(source), IpAddr::V6(destination)) = (from, to) else { return None };
    let (ip, payload) = ip(buffer, from, to, IpProtocol::Icmpv6, repr.buffer_len())?;
    let mut packet = Icmpv6Packet::new_unchecked(payload);
    repr.emit(&source, &destination, &mut packet, &ChecksumCapabilities::default());
    Some(ip + repr.buffer_len())
}

/// Writes the header of a packet; how long it is, and the place for the rest.
fn ip(buffer: &mut [u8], from: IpAddr, to: IpAddr, protocol: IpProtocol, length: usize) -> Option<(usize, &mut [u8])> {
    if from.is_ipv4() != to.is_ipv4() {
        return None;
    }
    let repr = IpRepr::new(from.into(), to.into(), protocol, length, HOP_LIMIT);
    let header = repr.header_len();
    let packet = buffer.get_mut(..header + length)?;
    repr.emit(&mut *packet, &ChecksumCapabilities::default());
    packet.get_mut(header..).map(|payload| (header, payload))
}
