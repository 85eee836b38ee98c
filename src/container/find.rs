//! Which container is meant: a name, an id, or the beginning of one. And all of them.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::record::Container;
use super::state::State;
use super::watch::health::Health;
use super::{Error, Result};
use crate::host::lock::{Lock, PATIENCE};
use crate::store::{self, Store, records};
use crate::sys::Call;

/// A container on disk.
#[derive(Debug, Clone)]
pub struct Found {
    pub directory: PathBuf,
    pub container: Container,
}

impl Found {
    pub fn state(&self) -> Result<State> {
        State::read(&self.directory)
    }

    /// What its health checks have found. `None`: it has none.
    pub fn health(&self) -> Result<Option<Health>> {
        let Some(config) = &self.container.health else { return Ok(None) };
        let path = config.path(&self.directory, &self.container.id);
        Ok(Some(records::read(&path)?.unwrap_or_default()))
    }

    /// Whether somebody else has removed it since, and its files after it.
    pub fn is_gone(&self) -> bool {
        // The directory goes out of its place before anything in it is touched, and no other container gets its id.
        rustix::fs::lstat(self.directory.join("container.json")).is_err()
    }

    /// Of one that is gone nothing fails but that it is not there.
    pub fn fails<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| if self.is_gone() { Error::NotFound(self.container.name.clone()) } else { error })
    }

    /// The root of the store that it is in.
    pub fn root(&self) -> &Path {
        self.directory.ancestors().nth(2).unwrap_or(&self.directory)
    }
}

/// The container of this name, id, or unique beginning of an id.
pub fn find(store: &Store, wanted: &str) -> Result<Found> {
    let id = find_id(store, wanted)?;
    // Removed between the two looks.
    open(store, &id)?.ok_or_else(|| Error::NotFound(wanted.to_owned()))
}

/// As [`find`], for who changes its record: nobody else does as long as the lock lives.
pub fn to_change(store: &Store, wanted: &str) -> Result<(Found, Lock)> {
    let id = find_id(store, wanted)?;
    let lock = Lock::exclusive_within(&store.layout().container(&id).join("changes"), PATIENCE);
    let lock = lock.map_err(|error| match error.is_missing() {
        true => Error::NotFound(wanted.to_owned()),
        false => error.into(),
    })?;
    let found = open(store, &id)?.ok_or_else(|| Error::NotFound(wanted.to_owned()))?;
    Ok((found, lock))
}

/// The id of the container of this name, id, or unique beginning of an id; its records need not be readable.
pub fn find_id(store: &Store, wanted: &str) -> Result<String> {
    if wanted.is_empty() {
        return Err(Error::NoName);
    }
    // What can't be a name may still be an image's, so it is no error here.
    if store::names::check(wanted).is_ok()
        && let Some(id) = store.resolve_name(wanted)?
        && is_id(&id)
        && store.layout().container(&id).exists()
    {
        return Ok(id);
    }
    let hexadecimal = wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ids = if hexadecimal { ids(store)? } else { Vec::new() };
    let mut fitting = ids.into_iter().filter(|id| id.starts_with(wanted));
    match (fitting.next(), fitting.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => Err(Error::Ambiguous(wanted.to_owned())),
        (None, _) => Err(Error::NotFound(wanted.to_owned())),
    }
}

/// All containers, oldest first, for who must know of every one (what removes images): one that can't be read is an error.
pub fn all(store: &Store) -> Result<Vec<Found>> {
    let All { found, broken } = list(store)?;
    broken.into_iter().next().map_or(Ok(found), |broken| Err(broken.error))
}

/// What there is, as far as it can be read.
#[derive(Debug)]
pub struct All {
    /// Oldest first.
    pub found: Vec<Found>,
    pub broken: Vec<Broken>,
}

/// A container whose record can't be read: a newer program's, or a damaged file.
#[derive(Debug)]
pub struct Broken {
    pub id: String,
    pub error: Error,
}

/// All containers. One that is removed meanwhile is left out; one that can't be read hides no other.
pub fn list(store: &Store) -> Result<All> {
    Ok(read(store, ids(store)?))
}

/// As [`list`], of those alone that run, or will in a moment by themselves: of the others no more is read than tells so.
pub fn living(store: &Store) -> Result<All> {
    // One whose state can't be read may be one of them.
    let lives = |id: &String| State::read(&store.layout().container(id)).map_or(true, |state| state.lives());
    Ok(read(store, ids(store)?.into_iter().filter(lives).collect()))
}

fn read(store: &Store, ids: Vec<String>) -> All {
    let mut all = All { found: Vec::new(), broken: Vec::new() };
    for id in ids {
        match open(store, &id) {
            Ok(found) => all.found.extend(found),
            Err(error) => all.broken.push(Broken { id, error }),
        }
    }
    all.found.sort_by(|a, b| a.container.created.cmp(&b.container.created));
    all
}

/// `None`: there is none, or no longer.
fn open(store: &Store, id: &str) -> Result<Option<Found>> {
    let directory = store.layout().container(id);
    match records::read(&directory.join("container.json")) {
        Ok(None) if directory.exists() => {
            let missing = crate::sys::Error::new(format!("open({}/container.json)", directory.display()), Errno::NOENT);
            Err(Error::Broken { id: id.to_owned(), source: missing.into() })
        }
        Ok(container) => Ok(container.map(|container| Found { directory, container })),
        Err(source) => Err(Error::Broken { id: id.to_owned(), source }),
    }
}

/// The ids of all containers, in no order. Whatever else lies there is none.
pub fn ids(store: &Store) -> Result<Vec<String>> {
    let path = store.layout().containers();
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(&path).call_with(|| format!("opendir({})", path.display()))? {
        let entry = entry.call_with(|| format!("readdir({})", path.display()))?;
        let name = entry.file_name().into_string();
        ids.extend(name.into_iter().filter(|name| is_id(name)));
    }
    Ok(ids)
}

fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
