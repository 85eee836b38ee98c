//! The text of a container's /etc/hosts (hosts(5)), as Podman composes it.
//!
//! Above stands what was asked for with `--add-host`, then the host's own entries, then what the container adds: itself, the
//! loopback names, the host. A name that stands above already is not added again below, so the user's word counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::host::system_file;

/// Names under which a container reaches the machine that it runs on.
const HOST_NAMES: [&str; 2] = ["host.containers.internal", "host.docker.internal"];

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("invalid host entry `{0}`: expected `NAME:ADDRESS` or `NAME;NAME:ADDRESS`")]
    Malformed(String),
    #[error("invalid address `{address}` in host entry `{entry}`")]
    Address { entry: String, address: String },
    #[error("host entry `{0}` asks for the host's address, which this network does not have")]
    NoHostAddress(String),
}

/// What a container's file is made of.
#[derive(Debug, Clone, Default)]
pub struct Hosts<'a> {
    /// The host's file, or empty: see [`of_host`].
    pub base: &'a str,
    /// `--add-host`, as given.
    pub added: &'a [String],
    /// The host name and the name of the container.
    pub own_names: &'a [&'a str],
    /// Its addresses; 127.0.0.1 where they are not known or there is none.
    pub own_addresses: &'a [IpAddr],
    /// Under which the host can be reached from inside.
    pub host_address: Option<IpAddr>,
}

/// The host's /etc/hosts; empty where it can't be read.
pub fn of_host() -> String {
    system_file::read("/etc/hosts").unwrap_or_default()
}

/// The address with which this machine speaks to others, which a private network has, too. `None`: it has no way to them.
pub fn of_machine() -> Option<IpAddr> {
    // A datagram socket that is connected has chosen its address; nothing is sent.
    let speaks_to = |from: SocketAddr, to: SocketAddr| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    // Addresses for documentation (RFC 5737, RFC 3849): they are beyond every way out.
    let v4 = speaks_to(([0; 4], 0).into(), ([198, 51, 100, 1], 9).into());
    v4.or_else(|| speaks_to(([0u16; 8], 0).into(), ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into()))
}

impl Hosts<'_> {
    pub fn text(&self) -> Result<String, Error> {
        let mut entries = Vec::new();
        for entry in self.added {
            entries.push(self.parse_added(entry)?);
        }
        entries.extend(self.base.lines().filter_map(parse_line));
        let loopback = |address: IpAddr| (address, vec!["localhost".to_owned()]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut own = vec![loopback(Ipv4Addr::LOCALHOST.into()), loopback(Ipv6Addr::LOCALHOST.into())];
        own.extend(self.host_address.map(|address| (address, names(&HOST_NAMES))));
        let loopback = [Ipv4Addr::LOCALHOST.into()];
        let addresses = if self.own_addresses.is_empty() { &loopback } else { self.own_addresses };
        own.extend(addresses.iter().map(|address| (*address, names(self.own_names))));
        let known: Vec<String> = entries.iter().flat_map(|(_, names)| names.iter().cloned()).collect();
        for (address, mut names) in own {
            names.retain(|name| !known.contains(name));
            names.dedup();
            if !names.is_empty() {
                entries.push((address, names));
            }
        }
        Ok(entries.iter().map(|(address, names)| format!("{address}\t{}\n", names.join(" "))).collect())
    }

    /// `NAME[;NAME]:ADDRESS`, or with `=` as Docker also takes it; the address may be `host-gateway`, or IPv6 in brackets.
    fn parse_added(&self, entry: &str) -> Result<(IpAddr, Vec<String>), Error> {
        let malformed = || Error::Malformed(entry.to_owned());
        let (names, address) = entry.split_once(['=', ':']).ok_or_else(malformed)?;
        let names: Vec<String> = names.split(';').map(str::to_owned).collect();
        let is_bad = |name: &String| name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '#');
        if names.iter().any(is_bad) {
            return Err(malformed());
        }
        if address == "host-gateway" {
            let address = self.host_address.ok_or_else(|| Error::NoHostAddress(entry.to_owned()))?;
            return Ok((address, names));
        }
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let wrong = |_| Error::Address { entry: entry.to_owned(), address: address.to_owned() };
        Ok((bare.parse().map_err(wrong)?, names))
    }
}

/// One line of a hosts file; what is no entry is left out.
fn parse_line(line: &str) -> Option<(IpAddr, Vec<String>)> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_ascii_whitespace();
    let address = words.next()?.parse().ok()?;
    let names: Vec<String> = words.map(str::to_owned).collect();
    if names.is_empty() { None } else { Some((address, names)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_word_comes_first_and_nothing_twice() {
        let base = "127.0.0.1 localhost # this\n10.1.1.1\tserver box\nfe00::0 ip6-localnet\nnonsense here\n";
        let added = ["db;sql:10.2.2.2".to_owned(), "six=[::1:2]".to_owned(), "gate:host-gateway".to_owned()];
        let hosts = Hosts {
            base,
            added: &added,
            own_names: &["box", "name"],
            own_addresses: &["10.3.3.3".parse().unwrap()],
            host_address: Some("169.254.1.2".parse().unwrap()),
        };
        assert_eq!(
            hosts.text().unwrap(),
            "10.2.2.2\tdb sql\n::1:2\tsix\n169.254.1.2\tgate\n127.0.0.1\tlocalhost\n10.1.1.1\tserver box\n\
             fe00::\tip6-localnet\n169.254.1.2\thost.containers.internal host.docker.internal\n10.3.3.3\tname\n"
        );
    }

    #[test]
    fn with_nothing_there_is_still_a_loopback_and_a_name() {
        let hosts = Hosts { own_names: &["a1b2", "box"], ..Hosts::default() };
        assert_eq!(hosts.text().unwrap(), "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.0.1\ta1b2 box\n");
    }

    #[test]
    fn entries_that_would_make_another_line_are_refused() {
        for bad in [
            "",
            "name",
            ":1.2.3.4",
            "a b:1.2.3.4",
            "a\n9.9.9.9 b:1.2.3.4",
            "a#:1.2.3.4",
            "a:1.2.3",
            "a:1.2.3.4\nb",
            "a:",
        ] {
            let added = [bad.to_owned()];
            assert!(Hosts { added: &added, ..Hosts::default() }.text().is_err(), "{bad}");
        }
        let added = ["a:host-gateway".to_owned()];
        assert!(matches!(Hosts { added: &added, ..Hosts::default() }.text(), Err(Error::NoHostAddress(_))));
    }
}
