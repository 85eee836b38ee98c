//! Which address means what: of the container's copies of this machine's own, of those that only exist inside, and of those that
//! nobody inside may reach.
//!
//! ```text
//!   inside                                  outside
//!   169.254.1.1, port 53          ───▶      a resolver of this machine's, wherever it listens
//!   169.254.1.2                   ◀──▶      this machine: not its loopback, but whoever comes from there
//!   fd63:6f72:6163:6c65::2        ◀──▶      the same of IPv6, where the container has an address of that
//!   127.0.0.0/8, ::1, 0.0.0.0 ...           nothing
//!   every other                   ◀──▶      the same
//! ```

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::network::{DNS_FORWARD, HOST, HOST6, resolv};
use crate::sys;
use crate::sys::netlink::Netlink;
use crate::sys::netlink::question::Address;

const DNS: u16 = 53;
/// Addresses far away, of both kinds, to ask for the way there. Nothing is sent.
const FAR: [&str; 2] = ["9.9.9.9", "2620:fe::fe"];
/// What a container has where this machine has nothing that it could copy.
const ALONE: (Ipv4Addr, u8) = (Ipv4Addr::new(169, 254, 2, 1), 16);

/// An address of the container's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    pub address: IpAddr,
    pub prefix: u8,
    pub gateway: Option<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The first is of IPv4; at most one of each kind.
    pub own: Vec<Own>,
    /// How the container's interface is called: as that of this machine that leads away, unless it is the loopback.
    pub interface: Option<String>,
    /// Where this machine is reached, as [`HOST`] and as [`HOST6`].
    host: Option<IpAddr>,
    host6: Option<IpAddr>,
    resolvers: Vec<IpAddr>,
}

impl Places {
    /// As this machine is connected now.
    pub fn of_host() -> sys::Result<Self> {
        let netlink = Netlink::open()?;
        let addresses: Vec<Address> = netlink.addresses()?.into_iter().filter(|one| one.is_global).collect();
        let usable = |one: &&Address| !one.address.is_loopback();
        let found = FAR.iter().filter_map(|far| far.parse::<IpAddr>().ok()).filter_map(|far| {
            let route = netlink.route_to(far).ok();
            let source = route.map(|route| route.source);
            let same = addresses.iter().find(|one| Some(one.address) == source);
            // Without a way out what is near can still be reached.
            let near = addresses.iter().filter(usable).find(|one| one.address.is_ipv4() == far.is_ipv4());
            let address = same.or(near)?;
            let gateway = route.and_then(|route| route.gateway).filter(|_| same.is_some());
            Some((Own { address: address.address, prefix: address.prefix, gateway }, address.interface))
        });
        let (mut own, interfaces): (Vec<Own>, Vec<u32>) = found.unzip();
        let host = own.first().map(|own| own.address);
        let host6 = own.iter().map(|own| own.address).find(IpAddr::is_ipv6);
        if !host.is_some_and(|host| host.is_ipv4()) {
            own.insert(0, Own { address: ALONE.0.into(), prefix: ALONE.1, gateway: None });
        }
        let interface = interfaces.first().and_then(|number| netlink.name(*number).ok()).filter(|name| name != "lo");
        Ok(Self { own, interface, host, host6, resolvers: resolv::servers(&resolv::of_host(resolv::Reach::Host)) })
    }

    /// The container's own address of the kind that suits the other end.
    pub fn container(&self, other: IpAddr) -> Option<IpAddr> {
        self.own.iter().map(|own| own.address).find(|own| own.is_ipv4() == other.is_ipv4())
    }

    /// Where what is sent there from inside goes to; a resolver that did not answer is followed by the next.
    pub fn outward(&self, to: SocketAddr, attempt: usize) -> Option<SocketAddr> {
        let (address, port) = (to.ip(), to.port());
        if address == IpAddr::V4(DNS_FORWARD) {
            let resolver = self.resolvers.iter().cycle().nth(attempt % self.resolvers.len().max(1))?;
            return (port == DNS).then(|| SocketAddr::new(*resolver, port));
        }
        if address == IpAddr::V4(HOST) {
            return self.host.map(|host| SocketAddr::new(host, port));
        }
        if address == IpAddr::V6(HOST6) {
            return self.host6.map(|host| SocketAddr::new(host, port));
        }
        is_elsewhere(address).then_some(to)
    }

    /// As whom the container sees one who comes from there. Its own address would be itself, and loopback is its own.
    pub fn inward(&self, from: SocketAddr) -> SocketAddr {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let is_hidden = !is_elsewhere(from.ip()) || self.own.iter().any(|own| own.address == from.ip());
        let has_kind = self.container(from.ip()).is_some();
        match (is_hidden, from.is_ipv6() && has_kind) {
            // A program that serves IPv6 alone is not reached by the other.
            (true, true) => SocketAddr::new(HOST6.into(), from.port()),
            (false, _) if has_kind => from,
            _ => SocketAddr::new(HOST.into(), from.port()),
        }
    }

    pub fn is_resolver(to: SocketAddr) -> bool {
        to.ip() == IpAddr::V4(DNS_FORWARD)
    }
}

/// Whether it is one of those that mean this machine inside.
pub fn is_host(address: IpAddr) -> bool {
    [IpAddr::V4(HOST), IpAddr::V6(HOST6)].contains(&address)
}

/// Whether it is an address that can mean one machine, and not this one's loopback: the kernel takes the unspecified ones for that,
/// and IPv4 in the clothes of IPv6 for what is inside.
fn is_elsewhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            !(four.octets().starts_with(&[0]) || four.is_loopback() || four.is_multicast() || four.is_broadcast())
        }
        IpAddr::V6(six) => {
            !(six.is_unspecified() || six.is_loopback() || six.is_multicast() || six.to_ipv4_mapped().is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        let own = |address: &str, prefix| Own { address: address.parse().unwrap(), prefix, gateway: None };
        Places {
            own: vec![own("192.0.2.2", 24), own("2001:db8::2", 64)],
            interface: None,
            host: Some("192.0.2.2".parse().unwrap()),
            host6: Some("2001:db8::2".parse().unwrap()),
            resolvers: vec!["127.0.0.53".parse().unwrap(), "192.0.2.53".parse().unwrap()],
        }
    }

    #[test]
    fn this_machines_loopback_is_out_of_reach() {
        for bad in [
            "127.0.0.1:80",
            "127.255.0.1:80",
            "0.0.0.0:80",
            "0.1.2.3:80",
            "255.255.255.255:80",
            "224.0.0.1:80",
            "[::1]:80",
            "[::]:80",
            "[::ffff:127.0.0.1]:80",
            "[ff02::1]:80",
            "169.254.1.1:80",
        ] {
            assert_eq!(places().outward(bad.parse().unwrap(), 0), None, "{bad}");
        }
        for (inside, attempt, outside) in [
            ("198.51.100.1:80", 0, "198.51.100.1:80"),
            ("[2001:db8::1]:80", 0, "[2001:db8::1]:80"),
            ("169.254.1.2:80", 0, "192.0.2.2:80"),
            ("[fd63:6f72:6163:6c65::2]:80", 0, "[2001:db8::2]:80"),
            ("169.254.1.1:53", 0, "127.0.0.53:53"),
            ("169.254.1.1:53", 1, "192.0.2.53:53"),
            ("169.254.1.1:53", 2, "127.0.0.53:53"),
        ] {
            assert_eq!(places().outward(inside.parse().unwrap(), attempt), Some(outside.parse().unwrap()), "{inside}");
        }
    }

    #[test]
    fn who_comes_is_shown_unless_that_would_be_the_container_itself() {
        for (outside, inside) in [
            ("198.51.100.1:7", "198.51.100.1:7"),
            ("[2001:db8::1]:7", "[2001:db8::1]:7"),
            ("[::ffff:198.51.100.1]:7", "198.51.100.1:7"),
            ("127.0.0.1:7", "169.254.1.2:7"),
            ("[::1]:7", "[fd63:6f72:6163:6c65::2]:7"),
            ("192.0.2.2:7", "169.254.1.2:7"),
            ("[2001:db8::2]:7", "[fd63:6f72:6163:6c65::2]:7"),
        ] {
            assert_eq!(places().inward(outside.parse().unwrap()), inside.parse().unwrap(), "{outside}");
        }
        let four_only = Places { own: places().own.into_iter().take(1).collect(), ..places() };
        for outside in ["[2001:db8::1]:7", "[::1]:7"] {
            assert_eq!(four_only.inward(outside.parse().unwrap()), "169.254.1.2:7".parse().unwrap());
        }
    }
}
