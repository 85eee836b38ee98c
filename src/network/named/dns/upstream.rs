//! Who is asked for names that are no container's.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use super::wire::Question;
use crate::network::resolv::{self, Reach};

/// How long a server may take before the next one is asked; most clients wait for five seconds in all.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// A message is no longer (RFC 1035, 4.2.2).
pub const LARGEST: usize = 65_535;

/// Where a server is asked.
pub fn place(server: IpAddr) -> SocketAddr {
    SocketAddr::new(server, 53)
}

/// Who is asked, in this order: these servers, or else the host's as they are now.
pub fn or_of_host(servers: Vec<SocketAddr>) -> Vec<SocketAddr> {
    match servers.is_empty() {
        true => resolv::servers(&resolv::of_host(Reach::Host)).into_iter().map(place).collect(),
        false => servers,
    }
}

/// The answer of the first server that gives one over TCP, as the question came.
pub fn ask(servers: &[SocketAddr], question: &Question<'_>) -> Option<Vec<u8>> {
    servers.iter().find_map(|server| over_tcp(*server, question))
}

/// A server that does not take the connection, or does not answer, has no answer.
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
