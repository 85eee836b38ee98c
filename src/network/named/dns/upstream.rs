//! Who is asked for names that are no container's.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::wire::Question;
use crate::network::resolv::{self, Reach};

/// How long a server may take before the next one is asked; most clients wait for five seconds in all.
const PATIENCE: Duration = Duration::from_secs(2);
/// A message is no longer (RFC 1035, 4.2.2).
pub const LARGEST: usize = 65_535;

/// How a question came, and goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Udp,
    Tcp,
}

/// Where a server is asked.
pub fn place(server: IpAddr) -> SocketAddr {
    SocketAddr::new(server, 53)
}

/// The answer of the first server that gives one: of `servers`, or of the host's as they are now.
pub fn ask(servers: &[SocketAddr], question: &Question<'_>, way: Way) -> Option<Vec<u8>> {
    let of_host = if servers.is_empty() { resolv::servers(&resolv::of_host(Reach::Host)) } else { Vec::new() };
    let mut all = servers.iter().copied().chain(of_host.into_iter().map(place));
    all.find_map(|server| match way {
        Way::Udp => over_udp(server, question),
        Way::Tcp => over_tcp(server, question),
    })
}

/// From a port of its own, which the kernel takes by chance: nobody else can answer in the server's place.
fn over_udp(server: SocketAddr, question: &Question<'_>) -> Option<Vec<u8>> {
    let any: IpAddr = if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(server).ok()?;
    socket.send(question.packet()).ok()?;
    let end = Instant::now() + PATIENCE;
    let mut buffer = vec![0; LARGEST];
    loop {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        socket.set_read_timeout(Some(left)).ok()?;
        let count = socket.recv(&mut buffer).ok()?;
        if question.is_answered_by(&buffer[..count]) {
            buffer.truncate(count);
            return Some(buffer);
        }
    }
}

fn over_tcp(server: SocketAddr, question: &Question<'_>) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    write_message(&mut stream, question.packet()).ok()?;
    read_message(&mut stream).ok().filter(|answer| question.is_answered_by(answer))
}

/// A message with its length before it.
pub fn read_message(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message)?;
    Ok(message)
}

pub fn write_message(stream: &mut impl Write, message: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(message.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}
