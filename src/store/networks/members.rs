//! Who is on a network: a file for each container, which is its claim of addresses and what others learn of it.
//!
//! A claim lives as long as the lock of its container is held: nobody needs to give one back, and what a killed container left
//! counts for nothing and goes with the next claim on the network.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::subnet::{self, Subnet};
use super::{Lan, Network, names_in};
use crate::host::{change, lock};
use crate::store::records::{self, Record};
use crate::store::{Error, Result, Store};

/// What a container has on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its id.
    pub container: String,
    pub name: String,
    /// Under which it is found beside its name.
    pub aliases: Vec<String>,
    /// Others find it by its names.
    pub is_known: bool,
    /// One of each subnet.
    pub addresses: Vec<IpAddr>,
    pub mac: String,
    /// As the container calls it.
    pub interface: String,
}

impl Record for Member {
    const KIND: &'static str = "network member";
    const VERSION: u32 = 1;
}

/// The addresses that were given last, so that the next are others.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Last {
    addresses: Vec<IpAddr>,
}

impl Record for Last {
    const KIND: &'static str = "address";
    const VERSION: u32 = 1;
}

/// The file of [`Last`].
const LAST: &str = "last.json";

impl Store {
    /// Gives a container that is about to run its addresses on a network, those that `wanted` names or the next that are free. The
    /// caller holds the lock of networks; `member` has no addresses yet.
    pub fn join_network(&self, network: &Network, wanted: &[IpAddr], mut member: Member) -> Result<Member> {
        let directory = self.members_of(&network.id);
        change::create_dirs(&directory)?;
        let others: Vec<Member> =
            self.sweep_members(&network.id)?.into_iter().filter(|other| other.container != member.container).collect();
        let last_path = directory.join(LAST);
        // An unreadable one is as good as none.
        let last: Last = records::read(&last_path).unwrap_or_default().unwrap_or_default();
        for lan in &network.subnets {
            let asked = wanted.iter().find(|address| lan.subnet.contains(**address));
            let address = match asked {
                Some(address) => free(network, lan, *address, &others)?,
                None => next_free(network, lan, &last.addresses, &others)?,
            };
            member.addresses.push(address);
        }
        if let Some(stray) = wanted.iter().find(|wanted| !member.addresses.contains(wanted)) {
            return Err(Error::StrayAddress { address: *stray, network: network.name.clone() });
        }
        if let Some(holder) = others.iter().find(|other| other.mac == member.mac) {
            return Err(Error::MacTaken { mac: member.mac, holder: holder.name.clone() });
        }
        self.write_member(&network.id, &member)?;
        if wanted.is_empty() {
            records::write(&last_path, &Last { addresses: member.addresses.clone() }, false)?;
        }
        Ok(member)
    }

    /// Writes a claim down; the caller holds the lock of networks.
    pub fn write_member(&self, network_id: &str, member: &Member) -> Result<()> {
        records::write(&self.member_path(network_id, &member.container), member, false)
    }

    /// Ends a container's claim, if it has one.
    pub fn leave_network(&self, network_id: &str, container: &str) -> Result<()> {
        change::remove_file(&self.member_path(network_id, container))?;
        Ok(())
    }

    /// What the container has on the network as long as it runs.
    pub fn member(&self, network_id: &str, container: &str) -> Result<Option<Member>> {
        let member = records::read(&self.member_path(network_id, container))?;
        Ok(member.filter(|_| self.is_running(container)))
    }

    /// Those on the network that run, or are about to.
    pub fn members(&self, network_id: &str) -> Result<Vec<Member>> {
        Ok(self.claims(network_id)?.into_iter().filter(|member| self.is_running(&member.container)).collect())
    }

    /// All claims, of whoever; one that can't be read is none.
    pub fn claims(&self, network_id: &str) -> Result<Vec<Member>> {
        let directory = self.members_of(network_id);
        let files = names_in(&directory)?.into_iter().filter(|file| file != LAST && !file.starts_with('.'));
        Ok(files.filter_map(|file| records::read(&directory.join(file)).ok().flatten()).collect())
    }

    /// The ids of networks of which claims are known.
    pub fn networks_with_claims(&self) -> Result<Vec<String>> {
        names_in(&self.layout().members())
    }

    /// Removes the claims of containers that do not run; the others. The caller holds the lock of networks.
    pub fn sweep_members(&self, network_id: &str) -> Result<Vec<Member>> {
        let mut living = Vec::new();
        for member in self.claims(network_id)? {
            match self.is_running(&member.container) {
                true => living.push(member),
                false => self.leave_network(network_id, &member.container)?,
            }
        }
        Ok(living)
    }

    /// Where the claims on a network lie.
    pub fn members_of(&self, network_id: &str) -> PathBuf {
        self.layout().members().join(network_id)
    }

    /// The file of a claim.
    pub fn member_path(&self, network_id: &str, container: &str) -> PathBuf {
        self.members_of(network_id).join(format!("{container}.json"))
    }

    /// Whether a container runs, or is about to.
    pub fn is_running(&self, container: &str) -> bool {
        lock::is_held(&self.layout().container(container).join("lock")).unwrap_or(true)
    }
}

/// The address that was asked for, if nobody has it.
fn free(network: &Network, lan: &Lan, address: IpAddr, others: &[Member]) -> Result<IpAddr> {
    let taken =
        |holder: &str| Err(Error::AddressTaken { address, network: network.name.clone(), holder: holder.to_owned() });
    if address == lan.gateway {
        return taken("the network's gateway");
    }
    if address == lan.subnet.last() && !address.is_ipv6() || Some(address) == lan.subnet.nth(0) {
        return taken("the subnet itself");
    }
    match others.iter().find(|other| other.addresses.contains(&address)) {
        Some(holder) => taken(&format!("the container `{}`", holder.name)),
        None => Ok(address),
    }
}

/// The first that nobody has behind the one that was given last: what has just become free is not taken again at once, since
/// others may still take it for who had it.
fn next_free(network: &Network, lan: &Lan, last: &[IpAddr], others: &[Member]) -> Result<IpAddr> {
    let full = || Error::NoAddress { subnet: lan.subnet, network: network.name.clone() };
    let bounds = lan.range.or_else(|| Subnet::hosts(lan.subnet)).ok_or_else(full)?;
    let last = last.iter().copied().find(|address| lan.subnet.contains(*address));
    let begin = last.map_or(bounds.0, |last| subnet::next(last, bounds));
    let mut address = begin;
    loop {
        if address != lan.gateway && !others.iter().any(|other| other.addresses.contains(&address)) {
            return Ok(address);
        }
        address = subnet::next(address, bounds);
        if address == begin {
            return Err(full());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::lock::Lock;
    use crate::store::testing::Scratch;

    fn network(subnet: &str) -> Network {
        let subnet: Subnet = subnet.parse().unwrap();
        let lan = Lan { subnet, gateway: subnet.nth(1).unwrap(), range: None };
        Network { subnets: vec![lan], name: "net".into(), id: Network::id_of("net"), ..Network::default_one() }
    }

    /// A container that runs, until the lock goes.
    fn running(store: &Store, id: &str) -> Lock {
        change::create_dir(&store.layout().container(id)).unwrap();
        Lock::exclusive(&store.layout().container(id).join("lock")).unwrap()
    }

    fn join(store: &Store, network: &Network, id: &str, wanted: &[&str]) -> Result<String> {
        let member = Member {
            container: id.into(),
            name: id.into(),
            aliases: Vec::new(),
            is_known: true,
            addresses: Vec::new(),
            mac: format!("mac of {id}"),
            interface: "eth0".into(),
        };
        let wanted: Vec<IpAddr> = wanted.iter().map(|address| address.parse().unwrap()).collect();
        Ok(store.join_network(network, &wanted, member)?.addresses[0].to_string())
    }

    #[test]
    fn addresses_go_round_and_none_is_given_twice() {
        let scratch = Scratch::new("members");
        let (store, network) = (&scratch.store, network("10.1.2.0/29"));
        let mut locks: Vec<Lock> = ["a", "b", "c", "d", "e"].into_iter().map(|id| running(store, id)).collect();
        assert_eq!(join(store, &network, "a", &[]).unwrap(), "10.1.2.2");
        assert_eq!(join(store, &network, "b", &[]).unwrap(), "10.1.2.3");
        assert_eq!(join(store, &network, "c", &["10.1.2.5"]).unwrap(), "10.1.2.5");
        assert_eq!(join(store, &network, "d", &[]).unwrap(), "10.1.2.4");
        // The same one again has its own.
        assert_eq!(join(store, &network, "d", &["10.1.2.4"]).unwrap(), "10.1.2.4");
        let taken = join(store, &network, "e", &["10.1.2.5"]).unwrap_err();
        assert!(taken.to_string().contains("the container `c`"), "{taken}");
        for no in ["10.1.2.1", "10.1.2.0", "10.1.2.7", "10.9.9.9"] {
            assert!(join(store, &network, "e", &[no]).is_err(), "{no}");
        }
        // b and c are killed, and what they had is free; what was given last is not given next.
        locks.drain(1..3);
        assert_eq!(store.members(&network.id).unwrap().len(), 2);
        assert_eq!(join(store, &network, "e", &[]).unwrap(), "10.1.2.5");
        let lock = running(store, "f");
        assert_eq!(join(store, &network, "f", &[]).unwrap(), "10.1.2.6");
        locks.push(running(store, "g"));
        assert_eq!(join(store, &network, "g", &[]).unwrap(), "10.1.2.3");
        locks.push(running(store, "h"));
        assert!(matches!(join(store, &network, "h", &[]), Err(Error::NoAddress { .. })));
        drop(lock);
        assert_eq!(join(store, &network, "h", &[]).unwrap(), "10.1.2.6");
        store.leave_network(&network.id, "h").unwrap();
        assert_eq!((store.member(&network.id, "h").unwrap(), store.claims(&network.id).unwrap().len()), (None, 4));
    }
}
