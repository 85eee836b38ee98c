//! Subnets, and the addresses in them, of both families alike: an address is a number of 32 or 128 bits.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `10.89.0.0/24`: the bits behind the prefix are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    first: IpAddr,
    prefix: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR address: {0}")]
pub struct BadSubnet(String);

impl Subnet {
    /// The one of this size that the address is in.
    pub fn around(address: IpAddr, prefix: u8) -> Option<Self> {
        let suffix = u32::from(width(address).checked_sub(prefix)?);
        let first = number(address).checked_shr(suffix).unwrap_or(0).checked_shl(suffix).unwrap_or(0);
        Some(Self { first: address_of(first, address), prefix })
    }

    pub fn prefix(self) -> u8 {
        self.prefix
    }

    pub fn is_ipv6(self) -> bool {
        self.first.is_ipv6()
    }

    pub fn contains(self, address: IpAddr) -> bool {
        Self::around(address, self.prefix).is_some_and(|other| other == self)
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }

    /// The address so many behind the first, as far as it is in the subnet.
    pub fn nth(self, number_behind: u128) -> Option<IpAddr> {
        let address = number(self.first).checked_add(number_behind)?;
        (address <= number(self.last())).then(|| address_of(address, self.first))
    }

    /// In IPv4, where there are others, the one that means all.
    pub fn last(self) -> IpAddr {
        let suffix = width(self.first) - self.prefix;
        let ones = u128::MAX.checked_shr(128 - u32::from(suffix)).unwrap_or(0);
        address_of(number(self.first) | ones, self.first)
    }

    /// Those that a machine can have, first and last: in IPv4 neither the subnet's own nor that of all.
    pub fn hosts(self) -> Option<(IpAddr, IpAddr)> {
        let behind = u128::from(!self.is_ipv6());
        let last = number(self.last()).checked_sub(behind)?;
        let first = self.nth(1)?;
        (number(first) <= last).then(|| (first, address_of(last, first)))
    }
}

impl FromStr for Subnet {
    type Err = BadSubnet;

    /// An address in it serves as its name.
    fn from_str(text: &str) -> Result<Self, BadSubnet> {
        let bad = || BadSubnet(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        Self::around(address.parse().map_err(|_| bad())?, prefix).ok_or_else(bad)
    }
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl TryFrom<String> for Subnet {
    type Error = BadSubnet;

    fn try_from(text: String) -> Result<Self, BadSubnet> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> Self {
        subnet.to_string()
    }
}

/// The address behind this one, of those from `first` to `last`, in a circle.
pub fn next(address: IpAddr, (first, last): (IpAddr, IpAddr)) -> IpAddr {
    let inside = number(first) <= number(address) && number(address) < number(last);
    if inside { address_of(number(address) + 1, first) } else { first }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv6() { 128 } else { 32 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Of the family of `like`.
fn address_of(number: u128, like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4((number as u32).into()),
        IpAddr::V6(_) => IpAddr::V6(number.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn subnets_know_their_addresses() {
        let (four, six) = (subnet("10.89.3.7/24"), subnet("fd00:1::9/64"));
        assert_eq!((four.to_string(), six.to_string()), ("10.89.3.0/24".into(), "fd00:1::/64".into()));
        let hosts = four.hosts().unwrap();
        assert_eq!(hosts, ("10.89.3.1".parse().unwrap(), "10.89.3.254".parse().unwrap()));
        assert_eq!(next(hosts.1, hosts), hosts.0);
        assert_eq!(next(hosts.0, hosts).to_string(), "10.89.3.2");
        assert_eq!(six.last().to_string(), "fd00:1::ffff:ffff:ffff:ffff");
        assert!(four.contains("10.89.3.255".parse().unwrap()) && !four.contains("10.89.4.0".parse().unwrap()));
        assert!(!four.contains("::1".parse().unwrap()) && four.nth(256).is_none());
        assert!(subnet("10.0.0.0/8").overlaps(four) && four.overlaps(subnet("10.89.3.128/25")));
        assert!(!four.overlaps(subnet("10.89.2.0/24")) && !subnet("::/0").overlaps(four));
        assert!(subnet("0.0.0.0/0").overlaps(four) && subnet("::/0").last().to_string().starts_with("ffff:"));
        assert_eq!(subnet("10.1.1.1/32").hosts(), None);
        assert_eq!(subnet("10.1.1.0/30").hosts().unwrap().1.to_string(), "10.1.1.2");
    }

    #[test]
    fn what_is_no_subnet_is_refused() {
        for bad in
            ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1"]
        {
            assert!(bad.parse::<Subnet>().is_err(), "{bad}");
        }
    }
}
