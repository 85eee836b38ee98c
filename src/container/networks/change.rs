//! `network connect` and `disconnect`: the record, and of a container that runs its interfaces, too. And its name on them.

use std::os::fd::{AsFd, OwnedFd};

use super::{Attachment, begin, get, link};
use crate::container::find::Found;
use crate::container::life::files;
use crate::container::life::start::namespace_of;
use crate::container::record::{Container, Network as Mode};
use crate::container::state::{State, Status};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::container::{Error, Result};
use crate::host::subid::IdMaps;
use crate::network::named::plumbing;
use crate::runtime::outside::enter;
use crate::store::networks::Network;
use crate::store::networks::members::Member;
use crate::store::{Store, records};
use crate::sys;

/// Puts a container, found to be changed, on one more network.
pub fn connect(store: &Store, found: &mut Found, mut attachment: Attachment) -> Result<()> {
    let network = get(store, &attachment.network)?;
    let container = &mut found.container;
    refuse_other_modes(container)?;
    if container.networks.iter().any(|other| other.network == network.name) {
        return Err(Error::Connected { id: container.id.clone(), network: network.name });
    }
    attachment.network.clone_from(&network.name);
    if attachment.interface.is_empty() {
        attachment.interface = container.free_interface();
    }
    container.networks.push(attachment.clone());
    let state = found.state()?;
    // Recorded first: what it had without a record could be taken from it by nobody.
    write(found)?;
    if state.lives()
        && let Err(error) = attach(store, found, &state, &attachment)
    {
        found.container.networks.pop();
        // Where that fails, `disconnect` can do it.
        let _ = detach(store, found, &state, &network, &attachment).and_then(|()| write(found));
        return Err(error);
    }
    record(found, &network, Action::Connect);
    Ok(())
}

/// Takes a container, found to be changed, off a network.
pub fn disconnect(store: &Store, found: &mut Found, network: &str) -> Result<()> {
    let network = get(store, network)?;
    let container = &mut found.container;
    refuse_other_modes(container)?;
    let place = container.networks.iter().position(|attachment| attachment.network == network.name);
    let not_connected = || Error::NotConnected { id: container.id.clone(), network: network.name.clone() };
    let attachment = container.networks.remove(place.ok_or_else(not_connected)?);
    let state = found.state()?;
    detach(store, found, &state, &network, &attachment)?;
    // Recorded last: until then it can be done again.
    write(found)?;
    record(found, &network, Action::Disconnect);
    Ok(())
}

/// Has others find a container that runs by the name that it has now, and itself, too.
pub fn rename(store: &Store, container: &Container) -> Result<()> {
    if super::members(store, container)?.is_empty() {
        return Ok(());
    }
    let lock = store.lock_networks()?;
    for (network, member) in super::members(store, container)? {
        store.write_member(&network.id, &Member { name: container.name.clone(), ..member })?;
    }
    drop(lock);
    files::write_names(store, container)
}

/// Whether it has a network of its own, and so names that [`reload`] tells it.
pub fn is_reloadable(container: &Container) -> bool {
    matches!(container.network, Mode::Named | Mode::Private)
}

/// Tells a container that runs what names mean now.
pub fn reload(store: &Store, found: &Found) -> Result<()> {
    let container = &found.container;
    if !is_reloadable(container) {
        return Err(Error::NoNetworks(container.network_mode()));
    }
    match found.state()?.status {
        Status::Running => files::write_names(store, container),
        _ => Err(Error::NoNetworkYet),
    }
}

/// Removes the bridge of a network that is gone.
pub fn unmake(store: &Store, network: &Network) -> Result<()> {
    if let Some(living) = begin::living(store, &IdMaps::of_account()?)? {
        let remove = || plumbing::disconnect(living.network.as_fd(), &network.interface).map(drop);
        enter::beside(living.user.as_fd(), remove)?;
    }
    Ok(())
}

fn refuse_other_modes(container: &Container) -> Result<()> {
    match container.network {
        Mode::Named => Ok(()),
        _ => Err(Error::NoNetworks(container.network_mode())),
    }
}

fn write(found: &Found) -> Result<()> {
    Ok(records::write(&found.directory.join("container.json"), &found.container, !found.container.remove)?)
}

fn record(found: &Found, network: &Network, action: Action) {
    let event = Event::new(Kind::Network, action, &found.container.id, &network.name);
    events::record(found.root(), &[event]);
}

/// Claims addresses for a container that runs, and connects it.
fn attach(store: &Store, found: &Found, state: &State, attachment: &Attachment) -> Result<()> {
    let container = &found.container;
    if !state.is_here() {
        return Err(Error::Elsewhere { id: container.short_id().to_owned(), host: state.host.clone() });
    }
    let network = {
        let _lock = store.lock_networks()?;
        begin::claim(store, container, attachment)?
    };
    // Without them it is between two lives, of which the next begins with all of its networks.
    if let (Some(Inside { user, network: n, container }), Some(member)) =
        (inside(found, state)?, store.member(&network.id, &container.id)?)
    {
        enter::beside(user.as_fd(), || plumbing::connect(n.as_fd(), container.as_fd(), &[link(&network, &member)]))?;
    }
    files::write_names(store, container)
}

/// Takes what [`attach`] gave, or a part of it.
fn detach(store: &Store, found: &Found, state: &State, network: &Network, attachment: &Attachment) -> Result<()> {
    let lives = state.lives();
    if lives && let Some(Inside { user, container, .. }) = inside(found, state)? {
        enter::beside(user.as_fd(), || plumbing::disconnect(container.as_fd(), &attachment.interface).map(drop))?;
    }
    store.leave_network(&network.id, &found.container.id)?;
    if lives {
        files::write_names(store, &found.container)?;
    }
    Ok(())
}

/// The namespaces of a container that runs.
struct Inside {
    user: OwnedFd,
    network: OwnedFd,
    container: OwnedFd,
}

/// `None`: its program does not run.
fn inside(found: &Found, state: &State) -> Result<Option<Inside>> {
    let Some(init) = state.pidfd().filter(|_| state.status == Status::Running) else { return Ok(None) };
    let container = plumbing::of_process(state.pid)?;
    let network = state.networks.and_then(|held| held.open(state.monitor_pid));
    let user = namespace_of(state.monitor_pid, &IdMaps::of_account()?, &found.directory);
    // Looked at after all were opened: as long as it lives, its pid means it.
    let lives = sys::signal::exists(init.as_fd());
    Ok(network.zip(user).filter(|_| lives).map(|(network, user)| Inside { user, network, container }))
}
