//! The names that a container knows: those of all who share a network with it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use super::super::DOMAIN;
use super::wire::{A, AAAA, Data, PTR};
use crate::store::networks::members::Member;
use crate::store::{Result, Store};

/// A directory that was changed more recently may change once more and show the same time.
const SETTLED: Duration = Duration::from_secs(1);

/// What is known of a name.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// All there is of what was asked for, which may be nothing.
    Known(Vec<Data>),
    /// It is in the domain of containers, and no container has it.
    Nobody,
    /// Others may know.
    Foreign,
}

/// The networks of one container, as they were last read.
#[derive(Debug)]
pub struct Zone {
    store: Store,
    container: String,
    /// Claims by the network's id, and when its directory was changed last.
    read: BTreeMap<String, (SystemTime, Vec<Member>)>,
}

impl Zone {
    pub fn new(store: Store, container: String) -> Self {
        Self { store, container, read: BTreeMap::new() }
    }

    /// `name`: in small letters.
    pub fn look_up(&mut self, name: &str, kind: u16) -> Result<Found> {
        self.refresh()?;
        if let Some(address) = reversed(name) {
            let named: Vec<&Member> = self.living(|member| member.addresses.contains(&address)).collect();
            if named.is_empty() {
                return Ok(Found::Foreign);
            }
            let names = named.iter().map(|member| Data::Name(format!("{}.{DOMAIN}", member.name)));
            return Ok(Found::Known(if kind == PTR { names.collect() } else { Vec::new() }));
        }
        let own = name.strip_suffix(DOMAIN).and_then(|name| name.strip_suffix('.'));
        let wanted = own.unwrap_or(name);
        let has = |member: &Member| {
            std::iter::once(&member.name).chain(&member.aliases).any(|name| name.eq_ignore_ascii_case(wanted))
        };
        let mut members = self.living(has).peekable();
        if members.peek().is_none() {
            return Ok(if own.is_some() || name == DOMAIN { Found::Nobody } else { Found::Foreign });
        }
        let fits = |address: &IpAddr| if address.is_ipv6() { kind == AAAA } else { kind == A };
        let addresses = members.flat_map(|member| member.addresses.iter().copied()).filter(fits);
        Ok(Found::Known(addresses.map(Data::Address).collect()))
    }

    /// Who is asked for names of others, as the container's networks say.
    pub fn servers(&self) -> Result<Vec<IpAddr>> {
        let mut networks = self.store.networks()?.found;
        networks.retain(|network| self.is_on(&network.id));
        Ok(networks.into_iter().flat_map(|network| network.dns_servers).collect())
    }

    fn is_on(&self, network_id: &str) -> bool {
        self.store.member_path(network_id, &self.container).exists()
    }

    /// Of those that fit, the ones that run.
    fn living(&self, fits: impl Fn(&Member) -> bool) -> impl Iterator<Item = &Member> {
        let all = self.read.values().flat_map(|(_, members)| members);
        all.filter(move |member| member.is_known && fits(member))
            .filter(|member| self.store.is_running(&member.container))
    }

    /// Reads again what may have changed.
    fn refresh(&mut self) -> Result<()> {
        let mut read = BTreeMap::new();
        for id in self.store.networks_with_claims()? {
            if !self.is_on(&id) {
                continue;
            }
            let changed = self
                .store
                .members_of(&id)
                .metadata()
                .and_then(|found| found.modified())
                .unwrap_or_else(|_| SystemTime::now());
            let settled = changed.elapsed().is_ok_and(|age| age > SETTLED);
            let known = self.read.remove(&id).filter(|(before, _)| settled && *before == changed);
            let members = match known {
                Some((_, members)) => members,
                None => self.store.claims(&id)?,
            };
            read.insert(id, (changed, members));
        }
        self.read = read;
        Ok(())
    }
}

/// The address that a name is of which asks for names (RFC 1035, 3.5, and RFC 3596, 2.5).
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(digits) = name.strip_suffix(".in-addr.arpa") {
        let forward: Vec<&str> = digits.split('.').rev().collect();
        return forward.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let digits: Vec<&str> = name.strip_suffix(".ip6.arpa")?.split('.').rev().collect();
    let whole = digits.len() == 32 && digits.iter().all(|digit| digit.len() == 1);
    u128::from_str_radix(&digits.concat(), 16).ok().filter(|_| whole).map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::change;
    use crate::store::networks::{DEFAULT, Network};
    use crate::store::testing::Scratch;

    #[test]
    fn servers_are_those_of_the_containers_networks_as_they_are() {
        let scratch = Scratch::new("servers");
        let store = &scratch.store;
        let zone = Zone::new(store.clone(), "a".into());
        let asks = |name: &str, servers: &[&str]| {
            let dns_servers = servers.iter().map(|server| server.parse().unwrap()).collect();
            let like = store.network(DEFAULT).unwrap().unwrap();
            store.write_network(&Network { name: name.into(), id: Network::id_of(name), dns_servers, ..like }).unwrap();
        };
        asks("other", &["192.0.2.9"]);
        asks("net", &["192.0.2.1"]);
        assert!(zone.servers().unwrap().is_empty());
        let claim = store.member_path(&Network::id_of("net"), "a");
        change::create_dirs(claim.parent().unwrap()).unwrap();
        std::fs::write(&claim, "").unwrap();
        assert_eq!(zone.servers().unwrap(), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        asks("net", &[]);
        assert!(zone.servers().unwrap().is_empty());
    }

    #[test]
    fn addresses_are_read_backwards() {
        assert_eq!(reversed("3.2.1.10.in-addr.arpa"), Some("10.1.2.3".parse().unwrap()));
        let six = format!("{}1.0.0.0.0.0.d.f.ip6.arpa", "1.".to_owned() + &"0.".repeat(23));
        assert_eq!(reversed(&six), Some("fd00:1::1".parse().unwrap()));
        for bad in ["in-addr.arpa", "1.in-addr.arpa", "a.b.c.d.in-addr.arpa", "1.0.ip6.arpa", "web", ".ip6.arpa"] {
            assert_eq!(reversed(bad), None, "{bad}");
        }
    }
}
