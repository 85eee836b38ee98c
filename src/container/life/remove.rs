//! `rm`: out of sight by one rename, then deleted, with the user namespace's root where files belong to subordinate ids.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::container::find::Found;
use crate::container::mount::volumes;
use crate::container::state::State;
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::container::{Error, Result, networks, publish};
use crate::host::change;
use crate::host::lock::Lock;
use crate::layer;
use crate::network::ports::SocketFile;
use crate::runtime::cgroup::Group;
use crate::store::Store;

/// How long a container that was told to end, and ended, may be held by others: one that starts again, another `rm`.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Removes a container; a running one only by `force`, which kills it after `patience`. Its anonymous volumes stay, unless it was to
/// go by itself.
pub fn remove(store: &Store, found: &Found, force: bool, patience: Duration) -> Result<()> {
    remove_with(store, found, force, patience, found.container.remove)
}

/// As [`remove`], with its anonymous volumes.
pub fn remove_with_volumes(store: &Store, found: &Found, force: bool, patience: Duration) -> Result<()> {
    remove_with(store, found, force, patience, true)
}

fn remove_with(store: &Store, found: &Found, force: bool, patience: Duration, volumes: bool) -> Result<()> {
    super::dependents::refuse(store, &found.container.id)?;
    super::orphan::end(&found.directory);
    // One that is paused can't obey.
    let patience = if found.state().is_ok_and(|state| state.paused) { Duration::ZERO } else { patience };
    let stop = || super::stop::stop(found, patience);
    let Some(lock) = take(&found.directory, &found.container.id, force.then_some(&stop))? else { return Ok(()) };
    let state = found.state().unwrap_or_default();
    let gone = store.retire(&found.directory, lock)?;
    events::record_of(store.layout().root(), &found.container, &[Action::Remove], state.exit_code);
    store.release_name(&found.container.name, &found.container.id)?;
    networks::leave(store, &found.container);
    publish::left(&state, &found.container).for_each(SocketFile::remove);
    for file in &found.container.boot {
        // It is gone all the same; a unit that is left finds no container.
        let _ = change::remove_file(file);
    }
    if !state.cgroup.is_empty() {
        // What a monitor has left that was killed.
        Group::named(&state.cgroup).remove();
    }
    // As this user first: the files of a container that wrote nothing are all the user's own.
    drop(gone);
    if volumes {
        drop(volumes::retire_anonymous(store, &found.container));
    }
    // What was left belongs to subordinate ids, or to a command that died. The container is gone either way.
    let _ = layer::worker::sweep(store);
    if !found.container.remove {
        // No power cut brings back what was made to stay and is now said to have gone.
        change::sync_dir(&store.layout().containers())?;
    }
    Ok(())
}

/// Removes what is left of a container whose record can't be read, and every name that leads to it.
pub fn remove_broken(store: &Store, id: &str, force: bool) -> Result<()> {
    let directory = store.layout().container(id);
    let kill = || super::stop::kill(&directory, id);
    let Some(lock) = take(&directory, id, force.then_some(&kill))? else { return Ok(()) };
    let gone = store.retire(&directory, lock)?;
    events::record(store.layout().root(), &[Event::new(Kind::Container, Action::Remove, id, "")]);
    release_names(store, id)?;
    drop(gone);
    let _ = layer::worker::sweep(store);
    Ok(())
}

fn release_names(store: &Store, id: &str) -> Result<()> {
    for (name, holder) in store.names()? {
        if holder == id {
            store.release_name(&name, id)?;
        }
    }
    Ok(())
}

/// The lock of a container that does not run, or no longer. `None`: it went by itself when it ended (`--rm`).
///
/// A lock that is held belongs to one that starts, runs or ends, so that one look is not enough.
fn take(directory: &Path, id: &str, stop: Option<&dyn Fn() -> Result<()>>) -> Result<Option<Lock>> {
    let path = directory.join("lock");
    let mut deadline = None::<Instant>;
    loop {
        match Lock::try_exclusive(&path) {
            Ok(Some(lock)) => return Ok(Some(lock)),
            Ok(None) => {}
            Err(error) if error.is_missing() && deadline.is_some() => return Ok(None),
            Err(error) if error.is_missing() => return Err(Error::NotFound(id.to_owned())),
            Err(error) => return Err(error.into()),
        }
        let short = || id.chars().take(12).collect();
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Error::Unkillable(short()));
        }
        match stop {
            Some(stop) => stop()?,
            None if super::stop::runs(directory, id)? => {
                return Err(Error::RemoveRunning { id: short(), state: State::read(directory)?.name() });
            }
            // It has ended: its monitor is about to let go.
            None => {}
        }
        // Counted from the first end: the stop has limits of its own.
        deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
        std::thread::sleep(PAUSE);
    }
}
