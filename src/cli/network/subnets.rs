//! Which addresses a new network has: those that were asked for, or some that nobody uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use clap::Args;

use crate::cli::Report;
use crate::network::named::routes;
use crate::store::networks::{Lan, Network, Subnet};

/// From 10.89.0.0 on, 256 addresses each.
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 89, 0, 0);
const POOLS: u32 = (256 - 89) * 256;
const PREFIX: u8 = 24;
const PREFIX6: u8 = 64;
/// About gateways.
const FIRST_ONE: &str = "without `--gateway` it is the subnet's first address";

#[derive(Debug, Args)]
#[group(skip)]
pub struct Subnets {
    /// The bridge's address in the subnet [default: the first]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    gateway: Vec<IpAddr>,
    /// Which addresses of the subnet containers get: `10.1.1.128/25`, or `10.1.1.128-10.1.1.159`
    #[arg(long, value_name = "RANGE")]
    ip_range: Vec<String>,
    /// Addresses of IPv6, too
    #[arg(long)]
    ipv6: bool,
    /// Its addresses, `10.1.1.0/24`; once more for others [default: the first of 10.89.0.0/24, 10.89.1.0/24, … that is free]
    #[arg(long, value_name = "SUBNET")]
    subnet: Vec<String>,
}

impl Subnets {
    /// Beside those of other networks and of the host.
    pub fn settle(&self, others: &[Network]) -> Result<Vec<Lan>, Report> {
        let mut taken: Vec<Subnet> = others.iter().flat_map(|other| &other.subnets).map(|lan| lan.subnet).collect();
        taken.extend(routes::of_host());
        if self.subnet.is_empty() && !(self.gateway.is_empty() && self.ip_range.is_empty()) {
            return Err(Report::new("cannot set gateway or range without subnet").hint("`--subnet 10.1.1.0/24`"));
        }
        let mut lans: Vec<Lan> = Vec::new();
        for text in &self.subnet {
            let subnet: Subnet = text.parse().map_err(|error| Report::new(error).hint("`--subnet 10.1.1.0/24`"))?;
            if taken.iter().any(|other| other.overlaps(subnet)) {
                return Err(Report::new(format!("subnet {subnet} is already used on the host or by another config"))
                    .hint("without `--subnet` one is found that nobody uses"));
            }
            taken.push(subnet);
            lans.push(lan(subnet)?);
        }
        if lans.is_empty() {
            lans.push(lan(free(&taken)?)?);
        }
        if self.ipv6 && !lans.iter().any(|lan| lan.subnet.is_ipv6()) {
            lans.push(lan(free_of_ipv6(&taken)?)?);
        }
        for gateway in &self.gateway {
            let mine = lans.iter_mut().find(|lan| lan.subnet.contains(*gateway));
            let subnets = self.subnet.join(", ");
            let stray = || Report::new(format!("gateway {gateway} not in subnet {subnets}"));
            let mine = mine.ok_or_else(|| stray().hint(FIRST_ONE))?;
            if !mine.subnet.hosts().is_some_and(|(first, last)| (first..=last).contains(gateway)) {
                let all = format!("gateway {gateway} is no machine's address in subnet {}", mine.subnet);
                return Err(Report::new(all).hint(FIRST_ONE));
            }
            mine.gateway = *gateway;
        }
        for text in &self.ip_range {
            let (first, last) = range(text)?;
            let mine = lans.iter_mut().find(|lan| lan.subnet.contains(first) && lan.subnet.contains(last));
            let subnets = self.subnet.join(", ");
            mine.ok_or_else(|| Report::new(format!("ip range {text} not in subnet {subnets}")))?.range =
                Some((first, last));
        }
        Ok(lans)
    }
}

fn lan(subnet: Subnet) -> Result<Lan, Report> {
    let small = || Report::new(format!("subnet {subnet} has no room for a gateway and a container"));
    // The network's own address, the gateway's and one more.
    let (gateway, _) = subnet.nth(2).and_then(|_| subnet.hosts()).ok_or_else(small)?;
    Ok(Lan { subnet, gateway, range: None })
}

fn free(taken: &[Subnet]) -> Result<Subnet, Report> {
    let pool = |number: u32| Subnet::around(IpAddr::V4(Ipv4Addr::from_bits(FIRST.to_bits() + (number << 8))), PREFIX);
    let is_free = |subnet: &Subnet| !taken.iter().any(|other| other.overlaps(*subnet));
    (0..POOLS).filter_map(pool).find(is_free).ok_or_else(|| {
        Report::new("could not find free subnet from subnet pools")
            .hint("`--subnet` names one that you know to be free")
    })
}

/// Of those that anybody may use at home, one by chance (RFC 4193).
fn free_of_ipv6(taken: &[Subnet]) -> Result<Subnet, Report> {
    loop {
        let mut bytes = [0; 16];
        let random = rustix::rand::getrandom(&mut bytes[1..8], rustix::rand::GetRandomFlags::empty());
        random.map_err(|error| Report::new(std::io::Error::from(error)))?;
        bytes[0] = 0xfd;
        let subnet = Subnet::around(IpAddr::V6(Ipv6Addr::from(bytes)), PREFIX6);
        if let Some(subnet) = subnet.filter(|subnet| !taken.iter().any(|other| other.overlaps(*subnet))) {
            return Ok(subnet);
        }
    }
}

/// First and last.
fn range(text: &str) -> Result<(IpAddr, IpAddr), Report> {
    let bad = || Report::new(format!("invalid ip range {text}")).hint("`10.1.1.128/25` or `10.1.1.128-10.1.1.159`");
    if let Some((first, last)) = text.split_once('-') {
        let (first, last): (IpAddr, IpAddr) = first.parse().ok().zip(last.parse().ok()).ok_or_else(bad)?;
        return if first <= last && first.is_ipv6() == last.is_ipv6() { Ok((first, last)) } else { Err(bad()) };
    }
    let range = text.parse::<Subnet>().map_err(|_| bad())?;
    // Of a single address there is no other.
    let single = range.nth(0).filter(|first| *first == range.last()).map(|first| (first, first));
    range.hosts().or(single).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnets(subnet: &[&str], gateway: &[&str], ip_range: &[&str]) -> Subnets {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let gateway = gateway.iter().map(|text| text.parse().unwrap()).collect();
        Subnets { gateway, ip_range: texts(ip_range), ipv6: false, subnet: texts(subnet) }
    }

    #[test]
    fn what_nobody_uses_is_found() {
        let taken: Vec<Subnet> =
            ["10.89.0.0/24", "10.89.1.128/25", "0.0.0.0/1"].map(|text| text.parse().unwrap()).into();
        assert_eq!(free(&taken[..2]).unwrap().to_string(), "10.89.2.0/24");
        assert!(free(&taken).is_err());
        assert!(free_of_ipv6(&[]).unwrap().to_string().starts_with("fd"));
    }

    #[test]
    fn what_was_asked_for_must_fit_together() {
        let lans = subnets(&["198.18.5.0/24"], &["198.18.5.9"], &["198.18.5.128/25"]).settle(&[]).unwrap();
        assert_eq!(lans[0].gateway.to_string(), "198.18.5.9");
        assert_eq!(lans[0].range.unwrap().1.to_string(), "198.18.5.254");
        let lans = subnets(&["198.18.5.0/24"], &[], &["198.18.5.5/32"]).settle(&[]).unwrap();
        let five = "198.18.5.5".parse().unwrap();
        assert_eq!(lans[0].range, Some((five, five)));
        let words = |subnets: Subnets| subnets.settle(&[]).unwrap_err().messages.join("");
        assert_eq!(words(subnets(&[], &["10.1.1.1"], &[])), "cannot set gateway or range without subnet");
        assert!(words(subnets(&["198.18.5.0/24"], &["198.18.6.1"], &[])).contains("not in subnet"));
        for no in ["198.18.5.0", "198.18.5.255"] {
            assert!(words(subnets(&["198.18.5.0/24"], &[no], &[])).contains("is no machine's address"), "{no}");
        }
        assert!(words(subnets(&["198.18.5.0/24"], &[], &["198.18.6.0/25"])).contains("not in subnet"));
        assert!(words(subnets(&["198.18.5.0/24"], &[], &["198.18.5.9-198.18.5.1"])).contains("invalid ip range"));
        assert!(words(subnets(&["198.18.5.0/24", "198.18.5.0/25"], &[], &[])).contains("already used"));
        assert!(words(subnets(&["198.18.5.0/31"], &[], &[])).contains("no room"));
        assert!(words(subnets(&["x"], &[], &[])).contains("invalid CIDR address: x"));
    }
}
