//! What a start that was killed, or a power cut, left of containers that were to remove themselves (`--rm`), and the socket files of
//! those whose monitor was killed.
//!
//! Their monitor removes them; where it died with them, any later command does. It must stay cheap, since `run` does it: a look
//! at each container's `state.json`, which says whether the container was to go, and at `container.json` only of those that never
//! got so far. What runs, starts, or belongs to another machine is left alone: its lock is held, or it is not ours to judge.

use std::path::Path;

use crate::container::mount::volumes;
use crate::container::record::Container;
use crate::container::state::{State, Status};
use crate::container::watch::events::{self, Action};
use crate::container::{Result, find, publish};
use crate::host::lock::{self, Lock};
use crate::network::ports::SocketFile;
use crate::store::{Store, records};

/// Removes containers that should have removed themselves, and names of some that are gone. What of it fails is met again by the
/// next command.
pub fn sweep(store: &Store) {
    let ids = find::ids(store).unwrap_or_default();
    for id in &ids {
        let _ = sweep_one(store, id);
    }
    let names = std::fs::read_dir(store.layout().names()).map_or(0, Iterator::count);
    if names > ids.len() {
        let _ = store.release_abandoned_names();
    }
}

fn sweep_one(store: &Store, id: &str) -> Result<()> {
    let directory = store.layout().container(id);
    let path = directory.join("lock");
    let state: Option<State> = records::read(&directory.join("state.json"))?;
    if let Some(state) = &state {
        super::orphan::end_of(&directory, state);
        if state.lives() && state.is_of_this_machine() && !lock::is_held(&path)? {
            let container: Option<Container> = records::read(&directory.join("container.json"))?;
            container.iter().flat_map(|container| publish::left(state, container)).for_each(SocketFile::remove);
        }
    }
    if !is_left(&directory, state)? || lock::is_held(&path)? {
        return Ok(());
    }
    let Some(lock) = Lock::try_exclusive(&path)? else { return Ok(()) };
    // Asked again, now that nobody can start it.
    if is_left(&directory, records::read(&directory.join("state.json"))?)? {
        let container: Option<Container> = records::read(&directory.join("container.json")).ok().flatten();
        let gone = store.retire(&directory, lock)?;
        if let Some(container) = container {
            events::record_of(store.layout().root(), &container, &[Action::Remove], None);
            store.release_name(&container.name, id)?;
            drop(volumes::retire_anonymous(store, &container));
        }
        // Files of subordinate ids stay under `tmp/`, for the next command that starts a worker.
        drop(gone);
    }
    Ok(())
}

/// Whether nothing but a held lock speaks against its end.
fn is_left(directory: &Path, state: Option<State>) -> Result<bool> {
    match state {
        Some(state) if state.status != Status::Created => Ok(state.remove && state.is_of_this_machine()),
        _ => {
            let container: Option<Container> = records::read(&directory.join("container.json"))?;
            // Made to be launched at once, under the lock that was held since then; one that `create` made may wait for ever.
            Ok(container.is_some_and(|container| container.remove && !container.waits))
        }
    }
}
