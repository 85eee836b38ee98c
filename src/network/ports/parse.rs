//! `-p`: `[[ADDRESS:][PORT[-PORT]]:]PORT[-PORT][/PROTOCOL[,PROTOCOL]]`.

use std::net::{IpAddr, Ipv6Addr};

use super::{Error, Protocol, Published};

/// What a text asks for: one of each protocol that it names. An address alone leaves the port of this machine open.
pub fn parse(text: &str) -> Result<Vec<Published>, Error> {
    let bad = |why| Error::Malformed(text.to_owned(), why);
    let (ports, protocols) = text.split_once('/').unwrap_or((text, "tcp"));
    let (rest, container) = ports.rsplit_once(':').map_or((None, ports), |(rest, last)| (Some(rest), last));
    let (address, host) = match rest {
        None => (None, ""),
        Some(rest) => split_address(rest).ok_or_else(|| bad("an address of IPv6 stands in brackets"))?,
    };
    let address = match address {
        None | Some("") => None,
        Some(address) => Some(parse_address(address).ok_or_else(|| bad("the address is none"))?),
    };
    let (container, count) = range(container).ok_or_else(|| bad("the container's port is none"))?;
    let host = match host {
        "" | "0" => 0,
        host => match range(host).ok_or_else(|| bad("the port of this machine is none"))? {
            (first, same) if same == count => first,
            _ => return Err(bad("the ranges of ports differ in length")),
        },
    };
    let protocol = |name: &str| match name.to_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err(bad("the protocol is neither `tcp` nor `udp`")),
    };
    let published = |name| Ok(Published { protocol: protocol(name)?, address, host, container, count });
    protocols.split(',').map(published).collect()
}

/// What stands before the container's port: an address, and the port of this machine.
fn split_address(text: &str) -> Option<(Option<&str>, &str)> {
    match text.rsplit_once(':') {
        None => Some((None, text)),
        Some((address, host)) if !address.contains(':') || is_bracketed(address) => Some((Some(address), host)),
        Some(_) => None,
    }
}

fn is_bracketed(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}

fn parse_address(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(six) => six.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

/// `PORT[-PORT]`: the first, and how many.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|port| digits && *port > 0)
    };
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then(|| (first, last - first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<String, String> {
        let all = parse(text).map_err(|error| error.to_string())?;
        let one = |one: &Published| {
            let address = one.address.map_or_else(|| "*".to_owned(), |address| address.to_string());
            format!("{address} {} {} {} {}", one.host, one.container, one.count, one.protocol)
        };
        Ok(all.iter().map(one).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn all_forms_are_understood() {
        for (text, expected) in [
            ("80", "* 0 80 1 tcp"),
            ("8080:80", "* 8080 80 1 tcp"),
            (":80", "* 0 80 1 tcp"),
            ("0:80", "* 0 80 1 tcp"),
            ("127.0.0.1:8080:80/udp", "127.0.0.1 8080 80 1 udp"),
            ("127.0.0.1::80", "127.0.0.1 0 80 1 tcp"),
            ("[::1]:8080:80", "::1 8080 80 1 tcp"),
            ("[::1]::80-81", "::1 0 80 2 tcp"),
            ("8000-8010:9000-9010/tcp,udp", "* 8000 9000 11 tcp; * 8000 9000 11 udp"),
            ("1-65535:1-65535/UDP", "* 1 1 65535 udp"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in [
            "",
            ":",
            "x",
            "0",
            "80:0",
            "65536",
            "8080:65536",
            "+80",
            "80-79",
            "1-3:1-2",
            "8080:80-81",
            "8080-8081:80",
            "80/sctp",
            "80/",
            "80/tcp/udp",
            "::1:8080:80",
            "1.2.3:80:80",
            "[1.2.3.4]:80:80",
            "a:80:80",
            "127.0.0.1:80:",
            "80-",
            "-80",
            "[::1]:80",
            " 80",
        ] {
            assert!(parse(bad).is_err(), "{bad}: {:?}", parse(bad));
        }
    }
}
