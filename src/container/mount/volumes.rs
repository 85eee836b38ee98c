//! The volumes of containers: made for them, used by them, removed with them.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use super::{Mount, Source, Volume};
use crate::container::record::Container;
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::container::{Error, Result, state};
use crate::container::{find, job};
use crate::host::subid::IdMaps;
use crate::layer::pack::Form;
use crate::layer::read::{self, Layer, Tree};
use crate::layer::worker;
use crate::store::layers::Mode;
use crate::store::volumes::{self, meaning};
use crate::store::{self, Store, Tmp};

/// Makes a volume, empty. `false`: there is one of this name.
pub fn create(store: &Store, volume: &volumes::Volume) -> Result<bool> {
    let made = store.create_volume(volume)?;
    if made {
        tell(store, Action::Create, &volume.name);
    }
    Ok(made)
}

fn tell(store: &Store, action: Action, name: &str) {
    events::record(store.layout().root(), &[Event::new(Kind::Volume, action, "", name)]);
}

/// Makes the volumes that a container names and that are not there, and learns of each where its files are. The caller holds the
/// lock of volumes, shared, until the container is written down.
///
/// After a failure nothing is left that nobody has named.
pub fn settle(store: &Store, container: &mut Container) -> Result<()> {
    let settled = container.mounts.iter_mut().try_for_each(|mount| settle_one(store, mount));
    if settled.is_err() {
        discard(store, &container.mounts);
    }
    settled
}

/// Removes the anonymous volumes of a container that could not be made.
pub fn discard(store: &Store, mounts: &[Mount]) {
    for volume in anonymous(mounts) {
        // The first failure is what the user must know; `volume prune` removes what is left.
        let _ = take_away(store, &volume.name);
    }
}

fn settle_one(store: &Store, mount: &mut Mount) -> Result<()> {
    let Source::Volume(volume) = &mut mount.source else { return Ok(()) };
    let of_store = loop {
        if let Some(found) = store.volume(&volume.name)? {
            break found;
        }
        // Somebody else may be quicker, and somebody may remove theirs.
        create(store, &new(volume))?;
    };
    let meaning = meaning::of(&of_store.options)?;
    match &meaning.backing {
        meaning::Backing::Data => {}
        meaning::Backing::Tmpfs(own) | meaning::Backing::Directory { options: own, .. } => {
            let said: Vec<String> = own.iter().filter(|option| !mount.options.contains(option)).cloned().collect();
            mount.options.extend(said);
        }
    }
    // It may be another container's that lends it.
    volume.copy &= !meaning.nocopy;
    volume.backing = meaning.backing;
    Ok(())
}

fn new(volume: &Volume) -> volumes::Volume {
    volumes::Volume {
        name: volume.name.clone(),
        created: state::now(),
        labels: Default::default(),
        options: Default::default(),
        anonymous: volume.anonymous,
        fresh: true,
    }
}

fn anonymous(mounts: &[Mount]) -> impl Iterator<Item = &Volume> {
    mounts.iter().filter_map(Mount::volume).filter(|volume| volume.anonymous)
}

/// What the monitor is told of a container's volumes.
pub fn job(store: &Store, container: &Container) -> Vec<job::Volume> {
    let one = |mount: &Mount| {
        let volume = mount.volume()?;
        let alone = match &volume.backing {
            meaning::Backing::Data => false,
            meaning::Backing::Tmpfs(_) => true,
            meaning::Backing::Directory { .. } => return None,
        };
        // A place inside it is not what the image has there.
        let copy = volume.copy && volume.subpath.is_none() && mount.overlay.is_none();
        let directory = store.layout().volume(&volume.name);
        Some(job::Volume { directory, target: mount.target.clone(), copy, alone })
    };
    container.mounts.iter().filter_map(one).collect()
}

/// Where the files of a volume are.
fn directory(store: &Store, volume: &volumes::Volume) -> Result<PathBuf> {
    match meaning::of(&volume.options)?.backing {
        meaning::Backing::Data => Ok(store.layout().volume(&volume.name).join(volumes::DATA)),
        meaning::Backing::Directory { path, .. } => Ok(path),
        meaning::Backing::Tmpfs(_) => Err(Error::VolumeInMemory(volume.name.clone())),
    }
}

/// Writes what is in a volume as one tar stream.
pub fn export(store: &Store, volume: &volumes::Volume, out: BorrowedFd<'_>) -> Result<()> {
    let top = Layer::upper(directory(store, volume)?, Mode::Mapped);
    let tree = Tree { top, below: Vec::new(), live: None };
    read::start_pack(&IdMaps::of_account()?, &tree, Form::TREE, &[], out)?.finish()?;
    Ok(())
}

/// Makes what a tar archive holds in a volume, beside what is there.
pub fn import(store: &Store, volume: &volumes::Volume, archive: BorrowedFd<'_>) -> Result<()> {
    let place = format!("the volume {}", volume.name);
    worker::extract(&IdMaps::of_account()?, &directory(store, volume)?, archive, &place)?;
    Ok(())
}

/// The containers that use a volume, by their ids.
pub fn users(store: &Store, name: &str) -> Result<Vec<String>> {
    let uses = |container: &Container| container.mounts.iter().filter_map(Mount::volume).any(|used| used.name == name);
    Ok(find::all(store)?.into_iter().map(|found| found.container).filter(uses).map(|container| container.id).collect())
}

/// Takes a volume that no container uses out of its place: it goes with the value.
pub fn retire(store: &Store, name: &str) -> Result<Tmp> {
    let _lock = store.lock_volumes_exclusive()?;
    let none = || store::Error::NoVolume(name.to_owned());
    if !store.has_volume(name) {
        return Err(none().into());
    }
    let containers = users(store, name)?;
    if !containers.is_empty() {
        return Err(Error::VolumeInUse { name: name.to_owned(), containers });
    }
    Ok(take_away(store, name)?.ok_or_else(none)?)
}

fn take_away(store: &Store, name: &str) -> Result<Option<Tmp>> {
    let gone = store.retire_volume(name)?;
    if gone.is_some() {
        tell(store, Action::Remove, name);
    }
    Ok(gone)
}

/// Takes the anonymous volumes of a container, which is gone, out of their places; those that another one uses stay.
pub fn retire_anonymous(store: &Store, container: &Container) -> Vec<Tmp> {
    // Nobody waits for a failure here: `volume prune` removes what is left.
    anonymous(&container.mounts).filter_map(|volume| retire(store, &volume.name).ok()).collect()
}
