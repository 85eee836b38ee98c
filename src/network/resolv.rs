//! The text of a container's /etc/resolv.conf (resolv.conf(5)), from the host's and from what was asked for.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::DNS_FORWARD;
use super::named::DOMAIN;
use crate::host::system_file;

/// What a container can reach of the host's resolvers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It shares the host's network: all of them.
    Host,
    /// Its loopback is its own: only those with another address, and first the one where the way out forwards queries.
    Private { forward: Option<Ipv4Addr> },
    /// All through a companion, who asks them, or those that are named in their place; `names`: it knows names itself.
    Companion { names: bool },
    /// Nothing.
    None,
}

/// `--dns`, `--dns-search`, `--dns-option`: each, where given, replaces what the host has. A search of `.` alone means none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Asked {
    pub servers: Vec<IpAddr>,
    pub searches: Vec<String>,
    pub options: Vec<String>,
}

/// More servers than this are ignored by every resolver (MAXNS).
const MAX_SERVERS: usize = 3;

/// The host's configuration as a container with this reach should see it. systemd's stub resolver listens on loopback; the
/// servers behind it stand in a file of its own. A file that can't be read counts as empty.
pub fn of_host(reach: Reach) -> String {
    behind_stub(reach, |path| system_file::read(path))
}

fn behind_stub(reach: Reach, read: impl Fn(&str) -> Option<String>) -> String {
    let text = read("/etc/resolv.conf").unwrap_or_default();
    let stub = matches!(reach, Reach::Private { .. }) && Parsed::of(&text).servers.iter().all(is_loopback);
    if stub {
        let behind = read("/run/systemd/resolve/resolv.conf").unwrap_or_default();
        if !Parsed::of(&behind).servers.is_empty() {
            return behind;
        }
    }
    text
}

/// The servers that a configuration names.
pub fn servers(text: &str) -> Vec<IpAddr> {
    Parsed::of(text).servers
}

/// The text for a container. `host` is [`of_host`].
pub fn text(host: &str, reach: Reach, asked: &Asked) -> String {
    let host = Parsed::of(host);
    let mut servers: Vec<IpAddr> = match reach {
        Reach::Companion { .. } => vec![DNS_FORWARD.into()],
        _ if !asked.servers.is_empty() => asked.servers.clone(),
        Reach::Host => host.servers,
        Reach::Private { forward } => {
            let others = host.servers.into_iter().filter(|server| !is_loopback(server));
            forward.map(IpAddr::V4).into_iter().chain(others).collect()
        }
        Reach::None => Vec::new(),
    };
    servers.truncate(MAX_SERVERS);
    let mut searches = if asked.searches.is_empty() { host.searches } else { asked.searches.clone() };
    if asked.searches.is_empty() && reach == (Reach::Companion { names: true }) {
        searches.insert(0, DOMAIN.to_owned());
    }
    let options = if asked.options.is_empty() { host.options } else { asked.options.clone() };
    let mut text = String::new();
    if !searches.is_empty() && searches != ["."] {
        text += &format!("search {}\n", searches.join(" "));
    }
    for server in servers {
        text += &format!("nameserver {server}\n");
    }
    if !options.is_empty() {
        text += &format!("options {}\n", options.join(" "));
    }
    text
}

fn is_loopback(server: &IpAddr) -> bool {
    server.is_loopback()
}

/// What of the file matters here. As the resolver does, the last `search` or `domain` counts.
#[derive(Default)]
struct Parsed {
    servers: Vec<IpAddr>,
    searches: Vec<String>,
    options: Vec<String>,
}

impl Parsed {
    fn of(text: &str) -> Self {
        let mut parsed = Self::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let key = words.next().unwrap_or_default();
            let rest = words.take_while(|word| !word.starts_with(['#', ';'])).map(str::to_owned);
            match key {
                // An IPv6 address may carry an interface of the host (`%eth0`), which means nothing inside.
                "nameserver" => parsed.servers.extend(rest.take(1).filter_map(|server| server.parse::<IpAddr>().ok())),
                "search" | "domain" => parsed.searches = rest.collect(),
                "options" => parsed.options.extend(rest),
                _ => {}
            }
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "# made by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.1 # office\nnameserver fe80::1%eth0\n\
                        search a.example b.example\noptions edns0 trust-ad\n";
    const FORWARD: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);

    #[test]
    fn a_private_network_does_not_see_the_hosts_loopback() {
        let reach = Reach::Private { forward: Some(FORWARD) };
        assert_eq!(
            text(HOST, reach, &Asked::default()),
            "search a.example b.example\nnameserver 169.254.1.1\nnameserver 10.0.0.1\noptions edns0 trust-ad\n"
        );
        let host = text(HOST, Reach::Host, &Asked::default());
        assert!(host.contains("nameserver 127.0.0.53\n") && !host.contains("fe80"), "{host}");
        assert!(!text(HOST, Reach::None, &Asked::default()).contains("nameserver"));
    }

    #[test]
    fn a_companion_is_asked_and_its_names_come_first() {
        let asked = Asked { servers: vec!["9.9.9.9".parse().unwrap()], ..Asked::default() };
        assert_eq!(
            text(HOST, Reach::Companion { names: true }, &asked),
            "search dns.podman a.example b.example\nnameserver 169.254.1.1\noptions edns0 trust-ad\n"
        );
        let asked = Asked { searches: vec!["c.example".into()], ..asked };
        assert!(text(HOST, Reach::Companion { names: true }, &asked).starts_with("search c.example\n"));
        assert!(text(HOST, Reach::Companion { names: false }, &Asked::default()).starts_with("search a.example"));
    }

    #[test]
    fn systemds_stub_is_looked_behind() {
        let read = |path: &str| match path {
            "/etc/resolv.conf" => Some("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n".to_owned()),
            "/run/systemd/resolve/resolv.conf" => Some("nameserver 10.0.0.1\nnameserver 10.0.0.2\n".to_owned()),
            _ => None,
        };
        let reach = Reach::Private { forward: None };
        let inside = |read: &dyn Fn(&str) -> Option<String>| text(&behind_stub(reach, read), reach, &Asked::default());
        assert_eq!(inside(&read), "nameserver 10.0.0.1\nnameserver 10.0.0.2\n");
        assert!(behind_stub(Reach::Host, read).contains("127.0.0.53"), "its loopback is the machine's");
        // Another's stub: the way out forwards, or nothing does.
        let another = |path: &str| read(path).filter(|_| path == "/etc/resolv.conf");
        assert_eq!(inside(&another), "options edns0 trust-ad\n");
    }

    #[test]
    fn what_was_asked_for_replaces_what_the_host_has() {
        let asked = Asked {
            servers: vec!["9.9.9.9".parse().unwrap(), "::1".parse().unwrap()],
            searches: vec![".".into()],
            options: vec!["ndots:5".into()],
        };
        let expected = "nameserver 9.9.9.9\nnameserver ::1\noptions ndots:5\n";
        assert_eq!(text(HOST, Reach::Private { forward: Some(FORWARD) }, &asked), expected);
        assert_eq!(text(HOST, Reach::None, &asked), expected);
    }
}
