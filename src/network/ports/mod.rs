//! Published ports: ports of this machine that lead into a container.
//!
//! The way out listens on them as the user ([`super::pasta`]). What was asked for is made definite once, when the container is made:
//! no port of this machine stands for two of containers, and those that were left open are chosen ([`settle`]). Whether they are free
//! is known when the container starts ([`check`]), and who has one that is not, as far as an account can see ([`holder`]).

pub mod holder;
mod parse;
mod passed;
mod socket_file;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sys;

pub use parse::parse;
pub use passed::{Listening, Passed};
pub use socket_file::{SocketFile, settle_files};

/// Where the kernel says from which port on anybody may listen.
const UNPRIVILEGED: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// Ports in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    pub protocol: Protocol,
    /// The address of this machine; `None`: all that it has.
    pub address: Option<IpAddr>,
    /// The first port of this machine; 0: any that is free.
    pub host: u16,
    /// The first port in the container.
    pub container: u16,
    /// How many.
    pub count: u16,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("invalid port specification `{0}`: {1}")]
    Malformed(String, &'static str),
    #[error("invalid port specification `{0}`: {1}")]
    MalformedSocket(String, &'static str),
    #[error("no socket `{socket}` was passed to this command, as a service manager does with LISTEN_FDS")]
    NotPassed { socket: String, passed: Vec<String> },
    #[error("the socket `{socket}` that was passed {why}, so no port can be published on it")]
    NoListener { socket: String, why: &'static str },
    #[error("conflicting port mappings for host port {port} (protocol {protocol})")]
    Conflict { protocol: Protocol, port: u16 },
    #[error("`pasta` takes port {port}/{protocol} of this machine to one port of the container, whatever the address")]
    OneOfPasta { protocol: Protocol, port: u16 },
    #[error("port {port}/{protocol} of this machine is in use{}", holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default())]
    Taken { protocol: Protocol, port: u16, holder: Option<String> },
    #[error("port {0} of this machine is privileged")]
    Privileged(u16),
    #[error("{0} is no address of this machine")]
    Address(IpAddr),
    #[error("conflicting port mappings for the file `{}`", .0.display())]
    FileConflict(PathBuf),
    #[error("`pasta` does not publish ports on {0}")]
    NotOfPasta(&'static str),
    #[error("the file `{}` is there already, and somebody's", .0.display())]
    FileTaken(PathBuf),
    #[error("the file `{}` can't be listened on: {error}", path.display())]
    File { path: PathBuf, error: sys::Error },
    #[error("port {port}/{protocol} of this machine can't be listened on: {error}")]
    System { protocol: Protocol, port: u16, error: std::io::Error },
}

impl Error {
    /// What the user or the administrator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed(..) => Some(
                "`[[ADDRESS:][PORT]:]PORT[/PROTOCOL]`, as in 8080:80, 127.0.0.1::80, [::1]:53:53/udp or 8000-8010:8000-8010"
                    .into(),
            ),
            Self::MalformedSocket(..) => Some(
                "`fd:SOCKET:PORT`, with its name (FileDescriptorName= of a socket unit) or its number, as in fd:web:8080 or fd:3:8080"
                    .into(),
            ),
            Self::NotPassed { socket, passed } if passed.is_empty() => Some(format!(
                "start it from a unit with a socket, or by hand with `systemd-socket-activate --fdname={socket} -l 8080 coracle …`"
            )),
            Self::NotPassed { passed, .. } => Some(format!("there are {}", passed.join(", "))),
            Self::NoListener { .. } => Some("a socket unit listens on one with `ListenStream=`".into()),
            Self::Taken { .. } => Some("with the container's port alone, as in `-p 80`, one that is free is chosen".into()),
            Self::Privileged(port) => Some(format!(
                "publish one from {} on, or let an administrator run `sysctl -w net.ipv4.ip_unprivileged_port_start={port}`",
                first_unprivileged()
            )),
            Self::Address(_) => Some("`ip address` shows those that it has".into()),
            Self::FileTaken(_) => Some("name a file that is not there: it is made".into()),
            Self::OneOfPasta { .. } => Some("`--network=stack` takes each address to a port of its own".into()),
            Self::NotOfPasta(_) => Some("`--network=stack` does".into()),
            Self::Conflict { .. } | Self::FileConflict(_) | Self::File { .. } | Self::System { .. } => None,
        }
    }
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// Listens, and on which port.
    fn listen(self, address: IpAddr, port: u16) -> std::io::Result<(OwnedFd, u16)> {
        match self {
            Self::Tcp => {
                let listener = TcpListener::bind((address, port))?;
                let port = listener.local_addr()?.port();
                Ok((listener.into(), port))
            }
            Self::Udp => {
                let socket = UdpSocket::bind((address, port))?;
                let port = socket.local_addr()?.port();
                Ok((socket.into(), port))
            }
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Published {
    /// As `-p` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:")?,
            Some(address) => write!(f, "{address}:")?,
            None => {}
        }
        if self.host != 0 || self.address.is_some() {
            range(f, self.host, self.count)?;
            f.write_str(":")?;
        }
        range(f, self.container, self.count)?;
        write!(f, "/{}", self.protocol)
    }
}

fn range(f: &mut fmt::Formatter<'_>, first: u16, count: u16) -> fmt::Result {
    match (first, count) {
        (0, _) => Ok(()),
        (_, 1) => write!(f, "{first}"),
        _ => write!(f, "{first}-{}", first + (count - 1)),
    }
}

impl Published {
    /// Each port of this machine, with the container's.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16)> + use<> {
        let (host, container) = (self.host, self.container);
        (0..self.count).map(move |number| (host + number, container + number))
    }

    /// Each by itself.
    pub fn singles(&self) -> impl Iterator<Item = Self> {
        let host = |number| if self.host == 0 { 0 } else { self.host + number };
        (0..self.count).map(move |number| Self {
            host: host(number),
            container: self.container + number,
            count: 1,
            ..self.clone()
        })
    }

    /// Whether it means this one: a port of the container's, and a port and an address of this machine where it has them.
    pub fn means(&self, one: &Self) -> bool {
        (self.protocol, self.container) == (one.protocol, one.container)
            && (self.host == 0 || self.host == one.host)
            && self.address.is_none_or(|address| address == one.shown_address())
    }

    /// As [`Published::means`], of one on a socket file: where a port of the container's is meant wherever it is published.
    pub fn means_file(&self, file: &SocketFile) -> bool {
        (self.protocol, self.container) == (Protocol::Tcp, file.container) && self.host == 0 && self.address.is_none()
    }

    /// Whether the port of this machine is among them.
    pub fn has(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol == protocol && port >= self.host && port - self.host < self.count
    }

    /// Whether all ports of the container in `other` are among its own.
    pub fn serves(&self, other: &Self) -> bool {
        let end = |one: &Self| u32::from(one.container) + u32::from(one.count);
        self.protocol == other.protocol && self.container <= other.container && end(other) <= end(self)
    }

    /// As lists show it: all addresses are those of IPv4.
    pub fn shown_address(&self) -> IpAddr {
        self.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into())
    }

    /// Whether both need some port of this machine.
    pub fn collides(&self, other: &Self) -> bool {
        let everywhere = |one: &Self| one.address.is_none_or(|address| address.is_unspecified());
        self.shares_numbers(other) && (everywhere(self) || everywhere(other) || self.address == other.address)
    }

    fn shares_numbers(&self, other: &Self) -> bool {
        let end = |one: &Self| u32::from(one.host) + u32::from(one.count);
        self.protocol == other.protocol && u32::from(self.host) < end(other) && u32::from(other.host) < end(self)
    }

    fn leads_elsewhere(&self, other: &Self) -> bool {
        i32::from(self.host) - i32::from(self.container) != i32::from(other.host) - i32::from(other.container)
    }

    /// Takes in the row that continues it; whether that one does.
    fn grow(&mut self, next: &Self) -> bool {
        let continues = (self.protocol, self.address) == (next.protocol, next.address)
            && self.host.checked_add(self.count) == Some(next.host)
            && !self.leads_elsewhere(next);
        if continues {
            self.count += next.count;
        }
        continues
    }

    /// The addresses to listen on, and whether this machine must have it.
    pub fn addresses(&self) -> Vec<(IpAddr, bool)> {
        match self.address {
            Some(address) => vec![(address, true)],
            None => vec![(Ipv4Addr::UNSPECIFIED.into(), true), (Ipv6Addr::UNSPECIFIED.into(), false)],
        }
    }

    /// A port of its address that is free, held.
    fn free(&self) -> Result<(OwnedFd, u16), Error> {
        let address = self.shown_address();
        self.protocol.listen(address, 0).map_err(|error| self.explain(address, 0, error))
    }

    /// Why a port of it can't be had.
    pub fn explain(&self, address: IpAddr, port: u16, error: std::io::Error) -> Error {
        let protocol = self.protocol;
        match error.raw_os_error() {
            Some(libc::EADDRINUSE) => Error::Taken { protocol, port, holder: holder::find(protocol, port) },
            Some(libc::EACCES) => Error::Privileged(port),
            Some(libc::EADDRNOTAVAIL) => Error::Address(address),
            _ => Error::System { protocol, port, error },
        }
    }
}

fn first_unprivileged() -> u16 {
    crate::host::system_file::read(UNPRIVILEGED).and_then(|text| text.trim().parse().ok()).unwrap_or(1024)
}

/// What was asked for, each once and in rows as long as can be, with the ports that were left open chosen among those that are free.
pub fn settle(asked: Vec<Published>) -> Result<Vec<Published>, Error> {
    let (open, given): (Vec<_>, Vec<_>) = asked.into_iter().partition(|one| one.host == 0);
    let mut settled: Vec<Published> = Vec::new();
    for one in given {
        if settled.contains(&one) {
            continue;
        }
        if let Some(other) = settled.iter().find(|other| other.collides(&one)) {
            return Err(Error::Conflict { protocol: one.protocol, port: one.host.max(other.host) });
        }
        settled.push(one);
    }
    // Held until all are chosen, so that none is chosen twice.
    let mut held = Vec::new();
    for one in open {
        for number in 0..one.count {
            let chosen = loop {
                let (socket, host) = one.free()?;
                held.push(socket);
                let chosen = Published { host, container: one.container + number, count: 1, ..one.clone() };
                if !settled.iter().any(|other| other.shares_numbers(&chosen)) {
                    break chosen;
                }
            };
            settled.push(chosen);
        }
    }
    settled.sort_by_key(|one| (one.protocol, one.address, one.host));
    settled.dedup_by(|next, one| one.grow(next));
    Ok(settled)
}

/// Whether pasta can publish what was settled: it takes a number to one place, whatever the address.
pub fn suit_pasta(settled: &[Published]) -> Result<(), Error> {
    for (at, one) in settled.iter().enumerate() {
        let contradicts = |other: &&Published| other.shares_numbers(one) && other.leads_elsewhere(one);
        if let Some(other) = settled.iter().take(at).find(contradicts) {
            return Err(Error::OneOfPasta { protocol: one.protocol, port: one.host.max(other.host) });
        }
    }
    Ok(())
}

/// Whether all of them could be listened on now.
pub fn check(all: &[Published]) -> Result<(), Error> {
    for published in all {
        for (port, _) in published.pairs() {
            for (address, must) in published.addresses() {
                match published.protocol.listen(address, port) {
                    Ok(_) => {}
                    Err(error) if !must && error.raw_os_error() != Some(libc::EADDRINUSE) => {}
                    Err(error) => return Err(published.explain(address, port, error)),
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Vec<Published> {
        texts.iter().flat_map(|text| parse(text).unwrap()).collect()
    }

    #[test]
    fn a_port_of_this_machine_leads_to_one_place() {
        let settled = settle(all(&["8080:80", "8080:80", "8080:80/udp", "127.0.0.1:90:1", "127.0.0.2:90:1"])).unwrap();
        assert_eq!(settled.len(), 4, "{settled:?}");
        let [row] = &settle(all(&["8081-8082:81-82", "8080:80", "8083:83"])).unwrap()[..] else { panic!("one row") };
        assert_eq!((row.host, row.container, row.count), (8080, 80, 4));
        suit_pasta(&settled).unwrap();
        for bad in [&["8080:80", "8080:81"][..], &["8080:80", "127.0.0.1:8080:80"], &["8080-8090:80-90", "8085:1"]] {
            assert!(matches!(settle(all(bad)), Err(Error::Conflict { .. })), "{bad:?}");
        }
        let two = settle(all(&["127.0.0.1:90:1", "127.0.0.2:90:2"])).unwrap();
        assert!(two.len() == 2 && matches!(suit_pasta(&two), Err(Error::OneOfPasta { port: 90, .. })), "{two:?}");
    }

    #[test]
    fn free_ports_are_chosen_and_taken_ones_told() {
        let settled = settle(all(&["127.0.0.1::80-82", "127.0.0.1::80/udp"])).unwrap();
        let mut tcp: Vec<u16> =
            settled.iter().filter(|one| one.protocol == Protocol::Tcp).map(|one| one.host).collect();
        tcp.sort_unstable();
        tcp.dedup();
        assert!(settled.len() == 4 && tcp.len() == 3 && !tcp.contains(&0), "{settled:?}");
        check(&settled).unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        for text in [format!("{port}:80"), format!("127.0.0.1:{port}:80")] {
            let error = check(&parse(&text).unwrap()).unwrap_err().to_string();
            let (told, pid) = (format!("port {port}/tcp of this machine is in use by "), std::process::id());
            assert!(error.starts_with(&told) && error.ends_with(&format!("(pid {pid})")), "{error}");
        }
        check(&parse(&format!("127.0.0.1:{port}:80/udp")).unwrap()).unwrap();
        assert!(matches!(check(&parse("192.0.2.1:8080:80").unwrap()), Err(Error::Address(_))));
    }
}
