//! How a registry is reached: over TLS, except on this very machine, where plain HTTP is the rule.

use std::net::{Ipv4Addr, Ipv6Addr};

/// What `--tls-verify` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVerify {
    /// Nothing: TLS, and plain HTTP first for a registry on this machine.
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
    TlsWithAnyCertificate,
    Plain,
}

/// The ways to try, in this order, until one is answered in HTTP.
pub(super) fn transports(registry: &str, verify: TlsVerify) -> &'static [Transport] {
    match verify {
        TlsVerify::Yes => &[Transport::Tls],
        TlsVerify::No => &[Transport::TlsWithAnyCertificate, Transport::Plain],
        TlsVerify::Unset if is_loopback(registry) => &[Transport::Plain, Transport::Tls],
        TlsVerify::Unset => &[Transport::Tls],
    }
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
            assert_eq!(transports(here, TlsVerify::Unset)[0], Transport::Plain, "{here}");
        }
        for there in
            ["docker.io", "localhost.evil.org", "127.0.0.1.evil.org:80", "10.0.0.1:5000", "[::2]", "mylocalhost"]
        {
            assert_eq!(transports(there, TlsVerify::Unset), [Transport::Tls], "{there}");
        }
        assert_eq!(transports("localhost", TlsVerify::Yes), [Transport::Tls]);
    }
}
