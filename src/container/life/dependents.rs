//! Who needs a container: each that was made to need it leaves its id in the container's `dependents/`.
//!
//! So `rm` learns with one look that others would be left without it. An id whose container is gone says nothing.

use crate::container::record::Container;
use crate::container::{Error, Result};
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
    let Ok(entries) = std::fs::read_dir(store.layout().container(id).join(FOLDER)) else { return Ok(()) };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let dependents: Vec<String> = names.filter(|name| store.layout().container(name).exists()).collect();
    if dependents.is_empty() {
        return Ok(());
    }
    Err(Error::HasDependents { id: id.to_owned(), dependents: dependents.join(", ") })
}
