//! Named networks: what they are to be, and who is on them.
//!
//! ```text
//! networks/<name>.json                      one network, as it was asked for
//! members/<network id>/<container id>.json  what a container has on it: addresses and names      [members]
//! members/<network id>/last.json            the addresses that were given last
//! ```
//!
//! The network `podman` is always there, without a file. Who makes or removes a network, or gives an address, holds
//! `locks/networks`; readers take no lock.

pub mod members;
pub mod subnet;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::records::{self, Record};
use super::{Error, Result, Store, names};
use crate::host::change;
use crate::host::lock::{Lock, PATIENCE};
use crate::oci::Digest;
use crate::sys::Call;
pub use subnet::Subnet;

/// The network that is always there, and its other name.
pub const DEFAULT: &str = "podman";
const DEFAULT_MODE: &str = "bridge";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    pub name: String,
    /// 64 hexadecimal digits.
    pub id: String,
    /// RFC 3339, UTC.
    pub created: String,
    /// The name of its bridge.
    pub interface: String,
    pub subnets: Vec<Lan>,
    #[serde(default)]
    pub ipv6: bool,
    /// It has no way out.
    #[serde(default)]
    pub internal: bool,
    /// Names of containers are known on it.
    #[serde(default)]
    pub dns: bool,
    /// Who is asked for other names in place of the host's servers.
    #[serde(default)]
    pub dns_servers: Vec<IpAddr>,
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lan {
    pub subnet: Subnet,
    /// The bridge's own address.
    pub gateway: IpAddr,
    /// Which addresses containers get unasked, first and last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(IpAddr, IpAddr)>,
}

/// A way that containers on the network know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub destination: Subnet,
    pub gateway: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Networks {
    /// By name.
    pub found: Vec<Network>,
    /// Names of those whose record can't be read.
    pub broken: Vec<(String, Error)>,
}

impl Record for Network {
    const KIND: &'static str = "network";
    const VERSION: u32 = 1;
}

impl Network {
    /// A name's id is always the same.
    pub fn id_of(name: &str) -> String {
        Digest::of(name.as_bytes()).hex().to_owned()
    }

    /// The one that is always there.
    fn default_one() -> Self {
        let subnet = |first| Subnet::around(IpAddr::V4(first), 16);
        let lan = |subnet: Subnet| Some(Lan { gateway: subnet.nth(1)?, subnet, range: None });
        Self {
            name: DEFAULT.to_owned(),
            id: Self::id_of(DEFAULT),
            // It was never made, and is there whenever somebody looks.
            created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
            interface: "podman0".to_owned(),
            subnets: subnet(Ipv4Addr::new(10, 88, 0, 0)).and_then(lan).into_iter().collect(),
            ipv6: false,
            internal: false,
            dns: false,
            dns_servers: Vec::new(),
            routes: Vec::new(),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
        }
    }
}

impl Store {
    /// As long as it lives, nobody else makes or removes a network, or gives an address on one.
    pub fn lock_networks(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("networks"), PATIENCE)?)
    }

    /// Writes a network down, which may be new; the caller holds the lock of networks.
    pub fn write_network(&self, network: &Network) -> Result<()> {
        change::create_dir(&self.layout().networks())?;
        self.sweep_networks()?;
        records::write(&self.network_path(&network.name)?, network, true)
    }

    /// The network of this name, or the only one whose id begins so.
    pub fn network(&self, name_or_id: &str) -> Result<Option<Network>> {
        let name = if name_or_id == DEFAULT_MODE { DEFAULT } else { name_or_id };
        if names::check(name).is_ok()
            && let Some(network) = records::read(&self.network_path(name)?)?
        {
            return Ok(Some(network));
        }
        if name == DEFAULT {
            return Ok(Some(Network::default_one()));
        }
        let begins = |network: &Network| !name.is_empty() && network.id.starts_with(name);
        let mut fitting = self.networks()?.found.into_iter().filter(begins);
        match (fitting.next(), fitting.next()) {
            (Some(_), Some(_)) => Err(Error::AmbiguousNetwork(name.to_owned())),
            (found, _) => Ok(found),
        }
    }

    /// All networks, as far as they can be read.
    pub fn networks(&self) -> Result<Networks> {
        let directory = self.layout().networks();
        let mut all = Networks::default();
        for file in names_in(&directory)? {
            let Some(name) = file.strip_suffix(".json").filter(|name| names::check(name).is_ok()) else { continue };
            match records::read::<Network>(&directory.join(&file)) {
                // Removed meanwhile: none.
                Ok(network) => all.found.extend(network),
                Err(error) => all.broken.push((name.to_owned(), error)),
            }
        }
        if !all.found.iter().any(|network| network.name == DEFAULT) {
            all.found.push(Network::default_one());
        }
        all.found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Removes a network and what is known of its members; the caller holds the lock of networks. `false`: it was gone.
    pub fn remove_network(&self, name: &str) -> Result<bool> {
        let removed = change::remove_file(&self.network_path(name)?)?;
        change::remove_tree(&self.members_of(&Network::id_of(name)))?;
        self.sweep_networks()?;
        change::sync_dir(&self.layout().networks())?;
        Ok(removed)
    }

    /// Removes what somebody was writing who was killed; the caller holds the lock of networks, under which alone that is done.
    fn sweep_networks(&self) -> Result<()> {
        let directory = self.layout().networks();
        for file in names_in(&directory)?.iter().filter(|file| file.starts_with('.')) {
            change::remove_file(&directory.join(file))?;
        }
        Ok(())
    }

    fn network_path(&self, name: &str) -> Result<PathBuf> {
        names::check(name)?;
        Ok(self.layout().networks().join(format!("{name}.json")))
    }
}

/// What lies in a directory, in no order; nothing where it was never made.
fn names_in(directory: &std::path::Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.call_with(|| format!("opendir({})", directory.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.call_with(|| format!("readdir({})", directory.display()))?;
        names.extend(entry.file_name().into_string().ok());
    }
    Ok(names)
}
