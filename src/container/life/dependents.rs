//! Who needs a container: each that was made to need it leaves its id in the container's `dependents/`.
//!
//! So `rm` learns with one look that others would be left without it. An id whose container is gone says nothing.

use crate::container::record::Container;
use crate::container::{Error, Result, find};
use crate::host::{atomic_file, change};
use crate::store::Store;

const FOLDER: &str = "dependents";

/// Written before the container itself can be found, so that no removal comes between.
pub fn record(store: &Store, container: &Container) -> Result<()> {
    for id in container.dependencies() {
        let folder = store.layout().container(id).join(FOLDER);
        change::create_dirs(&folder)?;
        atomic_file::write(&folder.join(&container.id), b"", false)?;
    }
    Ok(())
}

/// Fails if there are containers that need this one.
pub fn refuse(store: &Store, id: &str) -> Result<()> {
    let dependents = of(store, id);
    if dependents.is_empty() {
        return Ok(());
    }
    Err(Error::HasDependents { id: id.to_owned(), dependents: dependents.join(", ") })
}

fn of(store: &Store, id: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(store.layout().container(id).join(FOLDER)) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| store.layout().container(name).exists()).collect()
}

/// All that need one of these, directly or through others, in the order in which they can go.
pub fn all(store: &Store, ids: &[String]) -> Result<Vec<String>> {
    let (mut needing, mut pending) = (Vec::new(), ids.to_vec());
    while let Some(id) = pending.pop() {
        for dependent in of(store, &id) {
            if !needing.contains(&dependent) {
                pending.push(dependent.clone());
                needing.push(dependent);
            }
        }
    }
    // What needs another is younger than that.
    let youngest = find::list(store)?.found.into_iter().rev().map(|found| found.container.id);
    Ok(youngest.filter(|id| needing.contains(id)).collect())
}
