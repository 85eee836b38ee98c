//! `create`: a directory of files, made under `tmp/` and renamed into place, then its name.

use std::path::Path;

use super::{dependents, files, replace};
use crate::container::find::Found;
use crate::container::mount::{secret, volumes};
use crate::container::name;
use crate::container::record::Container;
use crate::container::spec::selinux;
use crate::container::watch::events::{self, Action};
use crate::container::{Error, Result};
use crate::host::change;
use crate::host::lock::Lock;
use crate::layer;
use crate::store::{self, Store, records};
use crate::sys::Call;

/// A container that was just made.
#[derive(Debug)]
pub struct Created {
    pub container: Container,
    /// As long as it is held, the container is being launched.
    pub lock: Lock,
    /// The id of the container whose name it took.
    pub replaced: Option<String>,
}

/// Writes a container down, with the volumes that it needs. With no name given it gets a random one, a given one it takes from
/// whoever has it if it `replaces` that; its id is in `container` already, and so may be a name that was found to be free.
///
/// The caller holds the store lock, shared, since it looked its image up.
pub fn create(store: &Store, mut container: Container, given_name: Option<&str>, replaces: bool) -> Result<Created> {
    if let Some(name) = given_name {
        store::names::check(name)?;
        container.name = name.to_owned();
        if !replaces {
            refuse_taken(store, name)?;
        }
    } else if container.name.is_empty() {
        container.name = free_name(store)?;
    }
    // Nobody removes a volume before the record says that it is used.
    let has_volumes = container.mounts.iter().any(|mount| mount.volume().is_some());
    let _volumes = has_volumes.then(|| store.lock_volumes_shared()).transpose()?;
    container.selinux = selinux::choose(store, &container)?;
    volumes::settle(store, &mut container)?;
    let mounts = container.mounts.clone();
    let written = write_down(store, container, given_name, replaces);
    if written.is_err() {
        volumes::discard(store, &mounts);
    }
    written
}

fn write_down(store: &Store, container: Container, given_name: Option<&str>, replaces: bool) -> Result<Created> {
    let durable = container.is_durable();
    let place = store.tmp_dir()?;
    let directory = place.path();
    furnish(store, &container, directory)?;
    secret::take(store, &container, directory, durable)?;
    records::create(&directory.join("container.json"), &container, durable)?;
    if durable {
        change::sync_dir(directory)?;
    }
    dependents::record(store, &container)?;
    let home = store.layout().container(&container.id);
    let lock = place.become_at(&home)?;
    let found = Found { directory: home.clone(), container };
    if replaces && let Err(error) = replace::rehearse(store, &found, &lock) {
        drop(store.retire(&home, lock)?);
        // What the rehearsal made may belong to subordinate ids.
        let _ = layer::worker::sweep(store);
        return Err(error);
    }
    let Found { mut container, .. } = found;
    let replaced = loop {
        let claimed = match replaces {
            true => store.take_name(&container.name, &container.id),
            false => store.claim_name(&container.name, &container.id).map(|()| None),
        };
        match claimed {
            Ok(replaced) => break replaced,
            Err(store::Error::NameTaken { .. }) if given_name.is_none() => {
                container.name = free_name(store)?;
                records::write(&home.join("container.json"), &container, durable)?;
            }
            Err(error) => {
                drop(store.retire(&home, lock)?);
                return Err(name_error(error));
            }
        }
    };
    if durable {
        change::sync_dir(&store.layout().containers())?;
        change::sync_dir(&store.layout().names())?;
    }
    events::record_of(store.layout().root(), &container, &[Action::Create], None);
    Ok(Created { container, lock, replaced })
}

/// What a container's directory holds beside its record.
pub fn furnish(store: &Store, container: &Container, directory: &Path) -> Result<()> {
    for folder in ["upper", "work", "merged"] {
        change::create_dir(&directory.join(folder))?;
    }
    // The root of a container is everybody's to walk through; only the directory above it is private.
    set_mode(&directory.join("upper"), 0o755)?;
    files::write(store, container, directory)
}

fn refuse_taken(store: &Store, name: &str) -> Result<()> {
    match store.resolve_name(name)? {
        Some(holder) => Err(Error::NameInUse { name: name.to_owned(), holder }),
        None => Ok(()),
    }
}

fn name_error(error: store::Error) -> Error {
    match error {
        store::Error::NameTaken { name, holder } => Error::NameInUse { name, holder },
        other => other.into(),
    }
}

/// One that no container has now.
pub fn free_name(store: &Store) -> Result<String> {
    for tries in 0..64 {
        let name = name::random_name(tries)?;
        if store.resolve_name(&name)?.is_none() {
            return Ok(name);
        }
    }
    Err(Error::NameInUse { name: "a random name".into(), holder: "other containers".into() })
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    let mode = rustix::fs::Mode::from_raw_mode(mode);
    Ok(rustix::fs::chmod(path, mode).call_with(|| format!("chmod({})", path.display()))?)
}
