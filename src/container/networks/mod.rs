//! The networks that a container is on (see [`crate::network::named`]).
//!
//! Its record says which ([`Attachment`]); with its start it claims addresses on them ([`begin`]), which stand in the store as long as
//! it runs; its monitor makes the connections from those at the start of each life; [`change`] is `connect` and `disconnect`.

pub mod begin;
pub mod change;

use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::find::{self, Found};
use super::record::Container;
use super::{Error, Result};
use crate::network::named::companion::{Job, Names};
use crate::network::named::{self, Link};
use crate::store::Store;
use crate::store::networks::Network;
use crate::store::networks::members::Member;

/// A network that a container is to be on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// Its name.
    pub network: String,
    /// The container's end.
    pub interface: String,
    /// Names beside those that every container has.
    pub aliases: Vec<String>,
    /// Those that were asked for.
    pub addresses: Vec<IpAddr>,
    pub mac: Option<String>,
}

/// Where a monitor holds N open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The descriptor's number.
    pub fd: i32,
    /// By which N is known again.
    pub inode: u64,
}

impl Held {
    /// N, if this process holds it; whether it is the monitor that was meant, the caller asks afterwards.
    pub fn open(self, monitor: i32) -> Option<OwnedFd> {
        let path = format!("/proc/{monitor}/fd/{}", self.fd);
        let n = rustix::fs::open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        rustix::fs::fstat(&n).is_ok_and(|stat| stat.st_ino == self.inode).then_some(n)
    }
}

impl Container {
    /// The first name of an interface that it does not have.
    pub fn free_interface(&self) -> String {
        let is_free = |name: &String| self.networks.iter().all(|attachment| attachment.interface != *name);
        (0..).map(|number| format!("eth{number}")).find(is_free).unwrap_or_default()
    }

    /// Under which others on its networks find it beside its name, each once, as `inspect` lists them.
    pub fn aliases(&self, attachment: &Attachment) -> Vec<String> {
        let mut aliases: Vec<String> = Vec::new();
        for name in attachment.aliases.iter().map(String::as_str).chain([self.short_id(), &self.hostname]) {
            if !name.is_empty() && !aliases.iter().any(|known| known == name) {
                aliases.push(name.to_owned());
            }
        }
        aliases
    }
}

/// The network of this name or id, which must be there.
pub fn get(store: &Store, name: &str) -> Result<Network> {
    store.network(name)?.ok_or_else(|| Error::NoNetwork(name.to_owned()))
}

/// The containers on a network, whether they run or not.
pub fn users(store: &Store, network: &str) -> Result<Vec<Found>> {
    let uses = |found: &Found| found.container.networks.iter().any(|attachment| attachment.network == network);
    Ok(find::list(store)?.found.into_iter().filter(uses).collect())
}

/// Whether none of its networks has a way out.
pub fn is_internal(store: &Store, container: &Container) -> Result<bool> {
    for attachment in &container.networks {
        if !get(store, &attachment.network)?.internal {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether names of containers are known on any of its networks.
pub fn has_names(store: &Store, container: &Container) -> Result<bool> {
    for attachment in &container.networks {
        if get(store, &attachment.network)?.dns {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a running container has on each of its networks.
pub fn members(store: &Store, container: &Container) -> Result<Vec<(Network, Member)>> {
    let mut all = Vec::new();
    for attachment in &container.networks {
        let network = get(store, &attachment.network)?;
        if let Some(member) = store.member(&network.id, &container.id)? {
            all.push((network, member));
        }
    }
    Ok(all)
}

/// The addresses of a running container, in the order of its networks.
pub fn addresses(store: &Store, container: &Container) -> Result<Vec<IpAddr>> {
    Ok(members(store, container)?.into_iter().flat_map(|(_, member)| member.addresses).collect())
}

/// What the companion of a container that has its addresses is told.
pub fn job(store: &Store, container: &Container) -> Result<Job> {
    let members = members(store, container)?;
    let names = Names {
        root: store.layout().root().to_owned(),
        container: container.id.clone(),
        servers: (!is_internal(store, container)?).then(|| container.resolver.servers.clone()),
    };
    Ok(Job { version: 1, links: members.iter().map(|(network, member)| link(network, member)).collect(), names })
}

fn link(network: &Network, member: &Member) -> Link {
    let prefix = |address: IpAddr| {
        let lan = network.subnets.iter().find(|lan| lan.subnet.contains(address));
        lan.map(|lan| (address, lan.subnet.prefix()))
    };
    Link {
        bridge: network.interface.clone(),
        gateways: network.subnets.iter().map(|lan| (lan.gateway, lan.subnet.prefix())).collect(),
        mtu: named::mtu(network),
        interface: member.interface.clone(),
        mac: named::parse_mac(&member.mac).unwrap_or_else(|| named::mac(&network.id, &member.container)),
        addresses: member.addresses.iter().copied().filter_map(prefix).collect(),
        routes: network.routes.clone(),
    }
}

/// Ends the claims of a container that no longer runs. What can't be ended is nobody's.
pub fn leave(store: &Store, container: &Container) {
    for Attachment { network, .. } in &container.networks {
        let _ = store.leave_network(&Network::id_of(network), &container.id);
    }
}
