//! Named networks: containers that reach each other by address and by name.
//!
//! ```text
//!   a container's namespace                      N, one for all containers of the user
//!  ┌──────────────────────────────┐             ┌─────────────────────────────────────┐
//!  │ eth0 10.89.0.2  ─────────────┼── a pair ───┼─▶ podman1 (bridge, 10.89.0.1) ◀─────┼── other containers
//!  │ eth1 10.89.1.7  ─────────────┼── a pair ───┼─▶ podman2 (bridge, 10.89.1.1) ◀─────┼──
//!  │ out0 ─▶ its own way out, as any private network has                              │
//!  │ dns0 169.254.1.3 ────────────┼── a pair ──▶ a namespace of its companion, who answers at 169.254.1.1 [dns]
//!  └──────────────────────────────┘
//! ```
//!
//! N belongs to U, as all that makes it does, and has no process of its own: the monitor of each container on a network holds a
//! descriptor of it, so it ends with the last. Nothing is forwarded in N, so networks do not reach each other, and there is no rule of
//! a packet filter anywhere. The way out is each container's own: a published port keeps the peer's address, and nobody's end
//! breaks another's connections.
//!
//! The companion's place is not the container's own loopback: a program in there may want to serve names itself, on all addresses.

pub mod companion;
pub mod dns;
pub mod plumbing;
pub mod routes;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::oci::Digest;
use crate::store::networks::{Network, Route};

/// The interface of a container's way out; `eth0` and the like are those of networks.
pub const WAY_OUT: &str = "out0";
/// The interface that leads to the companion.
pub const NAMES: &str = "dns0";
/// Between containers nothing is gained by small packets: as large as the ways out have them.
const MTU: u32 = 65_520;
/// Names of containers are known in this domain, too.
pub const DOMAIN: &str = "dns.podman";

/// A container's connection to a network, as it is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The network's bridge, and its own addresses.
    pub bridge: String,
    pub gateways: Vec<(IpAddr, u8)>,
    pub mtu: u32,
    /// The container's end.
    pub interface: String,
    pub mac: [u8; 6],
    pub addresses: Vec<(IpAddr, u8)>,
    pub routes: Vec<Route>,
}

/// The most bytes of a packet on the network, as its option says.
pub fn mtu(network: &Network) -> u32 {
    network.options.get("mtu").and_then(|mtu| mtu.parse().ok()).unwrap_or(MTU)
}

/// An address of hardware that no other container on the network has, and this one always: of those that are given locally.
pub fn mac(network_id: &str, container: &str) -> [u8; 6] {
    let digest = Digest::of(format!("{network_id} {container}").as_bytes());
    let byte = |at: usize| digest.hex().get(2 * at..2 * at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let mut mac = [0; 6];
    for (at, place) in mac.iter_mut().enumerate() {
        *place = byte(at).unwrap_or_default();
    }
    mac[0] = mac[0] & 0xfc | 0x02;
    mac
}

/// `aa:bb:cc:dd:ee:ff`, of one machine.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let bytes: Vec<u8> = text.split([':', '-']).map(|hex| u8::from_str_radix(hex, 16).ok()).collect::<Option<_>>()?;
    let pairs = text.split([':', '-']).all(|hex| hex.len() == 2);
    bytes.try_into().ok().filter(|mac: &[u8; 6]| pairs && mac[0] & 1 == 0)
}

pub fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// As the kernel takes it, and no name that is something else's here.
pub fn is_interface(name: &str) -> bool {
    let bad = |c: char| c == '/' || c == ':' || c == '%' || c.is_whitespace() || c.is_control();
    (1..=15).contains(&name.len()) && !name.contains(bad) && !["lo", ".", "..", WAY_OUT, NAMES].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_hardware() {
        assert_eq!(mac("a", "b"), mac("a", "b"));
        assert!(mac("a", "b") != mac("a", "c") && mac("a", "b")[0] & 3 == 2);
        assert_eq!(parse_mac("02:00:00:aa:BB:cc").map(mac_text).unwrap(), "02:00:00:aa:bb:cc");
        for bad in
            ["", "02:00:00:aa:bb", "02:00:00:aa:bb:c", "02:00:00:aa:bb:cc:dd", "01:00:00:aa:bb:cc", "0+:00:00:aa:bb:cc"]
        {
            assert!(parse_mac(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn names_of_interfaces() {
        assert!(is_interface("eth0") && is_interface("a-b_c.d"));
        for bad in ["", "lo", "out0", "dns0", "..", "a/b", "a b", "a:b", "veth%d", "sixteen-letters-"] {
            assert!(!is_interface(bad), "{bad}");
        }
    }
}
