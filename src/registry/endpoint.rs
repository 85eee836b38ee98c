//! Where a registry is and where it may send us: over TLS, except on this very machine, where plain HTTP is the rule.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::oci::reference::DEFAULT_REGISTRY;

/// What `--tls-verify` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVerify {
    /// Nothing: TLS; for a registry on this machine plain HTTP, too, which is tried first where there is no secret to send.
    #[default]
    Unset,
    /// TLS with a certificate that holds, everywhere.
    Yes,
    /// TLS with any certificate, else plain HTTP.
    No,
}

/// One way to reach a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Tls,
    Plain,
}

/// The ways to try, in this order, until one is answered in HTTP. With a `secret` to send nothing goes in the clear to a port
/// that speaks TLS.
pub(super) fn transports(registry: &str, verify: TlsVerify, secret: bool) -> &'static [Transport] {
    match verify {
        TlsVerify::Yes => &[Transport::Tls],
        TlsVerify::No => &[Transport::Tls, Transport::Plain],
        TlsVerify::Unset if !is_loopback(registry) => &[Transport::Tls],
        TlsVerify::Unset if secret => &[Transport::Tls, Transport::Plain],
        TlsVerify::Unset => &[Transport::Plain, Transport::Tls],
    }
}

/// The root of a registry's API. `registry` is `host[:port]`; Docker Hub answers under another name than its images bear.
pub(super) fn root(registry: &str, transport: Transport) -> Result<Url, String> {
    let host = if registry == DEFAULT_REGISTRY { "registry-1.docker.io" } else { registry };
    let scheme = if transport == Transport::Plain { "http" } else { "https" };
    Url::parse(&format!("{scheme}://{host}/")).map_err(|error| error.to_string())
}

/// The address that a `Location` names, seen from `from`.
pub(super) fn location(from: &Url, value: &HeaderValue) -> Result<Url, String> {
    let text = value.to_str().map_err(|_| "to an address that is no text".to_owned())?;
    from.join(text).map_err(|error| format!("to an address that is none ({error})"))
}

/// Whether a server at `from` may send us on to `to`; if not, the reason ends the sentence "it sends us …".
pub(super) fn may_lead(from: &Url, to: &Url) -> Result<(), String> {
    match (from.scheme(), to.scheme()) {
        ("https", "http") => return Err(format!("from TLS to plain HTTP at `{}`", shown(to))),
        (_, "http" | "https") => {}
        (_, other) => {
            return Err(format!("to an address of the kind `{}`", other.chars().take(20).collect::<String>()));
        }
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err(format!("to `{}` with a user's name in the address", shown(to)));
    }
    match address(to) {
        Some(IpAddr::V4(address)) if address.is_link_local() || address.is_unspecified() => {
            Err(format!("to `{address}`, which is no address of a registry"))
        }
        Some(IpAddr::V6(address)) if address.is_unicast_link_local() || address.is_unspecified() => {
            Err(format!("to `{address}`, which is no address of a registry"))
        }
        _ if is_this_machine(to) && !is_this_machine(from) => Err(format!("to `{}`, this very machine", shown(to))),
        _ => Ok(()),
    }
}

/// `host[:port]`, for people: an address' path and query may hold a signature.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The same scheme, host and port: a credential for the one is meant for the other.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

fn address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    Some(match address {
        // `[::ffff:127.0.0.1]` is 127.0.0.1.
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        address => address,
    })
}

fn is_this_machine(url: &Url) -> bool {
    address(url).is_some_and(|address| address.is_loopback()) || url.host_str().is_some_and(is_loopback)
}

/// `localhost`, 127.0.0.0/8 or `[::1]`, with or without a port: whoever can listen there is on this machine already.
pub(super) fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_in_the_clear() {
        for here in ["localhost", "localhost:5000", "127.0.0.1:80", "127.9.8.7", "[::1]:5000", "[::1]"] {
            assert_eq!(transports(here, TlsVerify::Unset, false), [Transport::Plain, Transport::Tls], "{here}");
            assert_eq!(transports(here, TlsVerify::Unset, true), [Transport::Tls, Transport::Plain], "{here}");
        }
        for there in
            ["docker.io", "localhost.evil.org", "127.0.0.1.evil.org:80", "10.0.0.1:5000", "[::2]", "mylocalhost"]
        {
            assert_eq!(transports(there, TlsVerify::Unset, false), [Transport::Tls], "{there}");
        }
        assert_eq!(transports("localhost", TlsVerify::Yes, false), [Transport::Tls]);
        assert_eq!(root("docker.io", Transport::Tls).unwrap().as_str(), "https://registry-1.docker.io/");
    }

    #[test]
    fn a_server_may_lead_to_some_places() {
        let lead = |from: &str, to: &str| may_lead(&from.parse().unwrap(), &to.parse().unwrap());
        for (from, to) in [
            ("https://q.io/v2/", "https://cdn.q.io/x?signature=y"),
            ("http://q.io/", "http://cdn.q.io/"),
            ("http://q.io/", "https://q.io/"),
            ("http://localhost:5000/", "http://127.0.0.1:5001/"),
            ("https://q.io/", "https://10.0.0.1/"),
        ] {
            assert_eq!(lead(from, to), Ok(()), "{from} {to}");
        }
        for (from, to, reason) in [
            ("https://q.io/", "http://q.io/", "plain HTTP"),
            ("https://q.io/", "file:///etc/passwd", "`file`"),
            ("https://q.io/", "unix:/run/x", "`unix`"),
            ("https://q.io/", "https://me:secret@q.io/", "user's name"),
            ("https://q.io/", "https://169.254.169.254/latest", "169.254.169.254"),
            ("http://localhost/", "http://[fe80::1]/", "fe80::1"),
            ("http://localhost/", "http://0.0.0.0/", "0.0.0.0"),
            ("https://q.io/", "https://127.0.0.1/", "this very machine"),
            ("https://q.io/", "https://[::1]/", "this very machine"),
            ("https://q.io/", "https://[::ffff:127.0.0.1]/", "this very machine"),
            ("https://q.io/", "https://localhost:1/", "this very machine"),
        ] {
            let refused = lead(from, to).unwrap_err();
            assert!(refused.contains(reason) && !refused.contains("secret"), "{from} {to}: {refused}");
        }
    }
}
