//! Which networks this machine reaches already, so that a new one is none of those: it would hide it from containers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::host::system_file;
use crate::store::networks::Subnet;

/// The destinations of the host's routes, without those that lead everywhere.
pub fn of_host() -> Vec<Subnet> {
    let read = |path| system_file::read(path).unwrap_or_default();
    let (four, six) = (read("/proc/net/route"), read("/proc/net/ipv6_route"));
    let all = four.lines().filter_map(line_of_ipv4).chain(six.lines().filter_map(line_of_ipv6));
    all.filter(|subnet| subnet.prefix() > 0).collect()
}

/// `IFACE DESTINATION GATEWAY FLAGS … MASK …`, addresses as the machine reads them as a number (proc_net_route(5)).
fn line_of_ipv4(line: &str) -> Option<Subnet> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok();
    let mask = u32::from_be(number(7)?);
    Subnet::around(IpAddr::V4(Ipv4Addr::from_bits(u32::from_be(number(1)?))), mask.count_ones() as u8)
}

/// `DESTINATION PREFIX SOURCE PREFIX … IFACE`; those of single addresses and of multicast are no networks.
fn line_of_ipv6(line: &str) -> Option<Subnet> {
    let mut fields = line.split_ascii_whitespace();
    let address = Ipv6Addr::from_bits(u128::from_str_radix(fields.next()?, 16).ok()?);
    let prefix = u8::from_str_radix(fields.next()?, 16).ok().filter(|prefix| *prefix < 128)?;
    let is_local = address.is_unicast_link_local() || address.is_multicast();
    Subnet::around(IpAddr::V6(address), prefix).filter(|_| !is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let four = "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        assert_eq!(line_of_ipv4(four).unwrap().to_string(), "192.168.2.0/24");
        assert_eq!(line_of_ipv4("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask"), None);
        let zero = "0".repeat(32);
        let six = |address: &str| format!("{address} 40 {zero} 00 {zero} 00000100 00000001 00000000 00000001     eth0");
        let subnet = line_of_ipv6(&six("fd000001000000000000000000000000")).unwrap();
        assert_eq!(subnet.to_string(), "fd00:1::/64");
        assert_eq!(line_of_ipv6(&six("fe800000000000000000000000000000")), None);
    }
}
