//! `--replace`: a new container takes the name of another in one step, and that one goes after it.
//!
//! So the name always leads to a container, and what was refused left everything as it was. Those who replace by one name take
//! turns: each ends whom it took the name from, before its own is launched. One that is to run is rehearsed first, beside the old one:
//! a command that is missing, or a user, costs nobody a container. What shows only once it runs does: its network, how it ends.

use std::time::Duration;

use super::{create::Created, dependents, remove, start};
use crate::container::find::{self, Found};
use crate::container::mount::Mount;
use crate::container::{Error, Result};
use crate::host::lock::Lock;
use crate::store::{Store, Tmp};

/// Waits for its turn, for as long as those before it end theirs, and refuses to replace what others need.
pub fn begin(store: &Store, name: &str) -> Result<Tmp> {
    crate::store::names::check(name)?;
    admitted(store, name, store.claim(&key(name))?)
}

/// As [`begin`], if it need not wait.
pub fn try_begin(store: &Store, name: &str) -> Result<Option<Tmp>> {
    crate::store::names::check(name)?;
    store.try_claim(&key(name))?.map(|turn| admitted(store, name, turn)).transpose()
}

fn key(name: &str) -> String {
    format!("replace {name}")
}

fn admitted(store: &Store, name: &str, turn: Tmp) -> Result<Tmp> {
    if let Some(old) = store.resolve_name(name)? {
        dependents::refuse(store, &old)?;
    }
    Ok(turn)
}

/// Whether the container, which was just made, could run in the place of the one that has its name. One that waits for its start has
/// time, and what no two containers can have at once the old one may have.
pub fn rehearse(store: &Store, found: &Found, lock: &Lock) -> Result<()> {
    let container = &found.container;
    let nobody = store.resolve_name(&container.name)?.is_none();
    if nobody || container.waits || container.mounts.iter().any(Mount::is_exclusive) {
        return Ok(());
    }
    start::rehearse(store, found, lock)
}

/// Stops and removes the container whose name `created` took. If that fails the name is its own again, and the new one goes.
pub fn finish(store: &Store, created: Created) -> Result<Created> {
    let Some(old) = &created.replaced else { return Ok(created) };
    match end(store, old) {
        Ok(()) => Ok(created),
        Err(error) => {
            store.take_name(&created.container.name, old)?;
            let Created { container, lock, .. } = created;
            drop(lock);
            let found = Found { directory: store.layout().container(&container.id), container };
            // The first failure is what the user must know.
            let _ = remove::remove(store, &found, false, Duration::ZERO);
            Err(error)
        }
    }
}

fn end(store: &Store, id: &str) -> Result<()> {
    let removed = find::find(store, id).and_then(|found| {
        let patience = Duration::from_secs(found.container.stop_timeout.into());
        remove::remove(store, &found, true, patience)
    });
    match removed {
        // It went by itself.
        Err(Error::NotFound(_)) => Ok(()),
        other => other,
    }
}
