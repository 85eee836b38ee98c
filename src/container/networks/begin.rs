//! The start of a container on networks: it finds N, or makes it anew, and claims its addresses.
//!
//! All containers on networks must be in one N, which belongs to one U. So whoever starts one holds `locks/namespace` until the
//! container can be found: shared where somebody is in N already, so that many start at once; else alone, and then N, and where
//! there is none, U, are made.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::{Attachment, get};
use crate::container::life::files;
use crate::container::life::start::namespace_of;
use crate::container::record::Container;
use crate::container::state::State;
use crate::container::{Error, Result, find};
use crate::host::lock::{self, Lock, PATIENCE};
use crate::host::subid::IdMaps;
use crate::network::named;
use crate::store::Store;
use crate::store::networks::Network;
use crate::store::networks::members::Member;

/// What a start on networks holds.
#[derive(Debug)]
pub struct Begun {
    /// Until the container can be found.
    pub turn: Lock,
    /// `None`: both are to be made.
    pub living: Option<Living>,
}

/// What is shared with containers on networks that run.
#[derive(Debug)]
pub struct Living {
    /// U.
    pub user: OwnedFd,
    /// N.
    pub network: OwnedFd,
}

/// Finds N and claims the container's addresses, and writes both into the files that it finds them in. Its lock is held.
pub fn begin(store: &Store, container: &Container, maps: &IdMaps) -> Result<Begun> {
    let begun = turn(store, maps)?;
    {
        let _lock = store.lock_networks()?;
        for attachment in &container.networks {
            claim(store, container, attachment)?;
        }
    }
    files::write_names(store, container)?;
    Ok(begun)
}

/// Claims addresses on one network. The caller holds the lock of networks.
pub fn claim(store: &Store, container: &Container, attachment: &Attachment) -> Result<Network> {
    let network = get(store, &attachment.network)?;
    let mac = attachment.mac.clone();
    let member = Member {
        container: container.id.clone(),
        name: container.name.clone(),
        aliases: container.aliases(attachment),
        is_known: network.dns,
        addresses: Vec::new(),
        mac: mac.unwrap_or_else(|| named::mac_text(named::mac(&network.id, &container.id))),
        interface: attachment.interface.clone(),
    };
    store.join_network(&network, &attachment.addresses, member)?;
    Ok(network)
}

fn turn(store: &Store, maps: &IdMaps) -> Result<Begun> {
    let path = store.layout().locks().join("namespace");
    let begin = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(turn) = Lock::try_shared(&path)?
            && let Some(living) = living(store, maps)?
        {
            return Ok(Begun { turn, living: Some(living) });
        }
        if let Some(turn) = Lock::try_exclusive(&path)? {
            return Ok(Begun { turn, living: living(store, maps)? });
        }
        let waited = begin.elapsed();
        if waited >= PATIENCE {
            return Err(Error::Lock(lock::Error::Timeout { path, waited }));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// The U and N of any container on networks that lives.
pub fn living(store: &Store, maps: &IdMaps) -> Result<Option<Living>> {
    for id in find::ids(store)? {
        let directory = store.layout().container(&id);
        // One that can't be read is nobody's concern here.
        let Ok(state) = State::read(&directory) else { continue };
        if state.lives()
            && state.is_here()
            && let Some(network) = state.networks.and_then(|held| held.open(state.monitor_pid))
            && let Some(user) = namespace_of(state.monitor_pid, maps, &directory)
        {
            return Ok(Some(Living { user, network }));
        }
    }
    Ok(None)
}
