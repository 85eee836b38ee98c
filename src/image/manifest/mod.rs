//! Indexes that are put together here, for images of several platforms under one name: what the verbs of `manifest` do.
//!
//! An index is a blob like a manifest, so each change makes another blob and lets the entries of the store's index point to it;
//! the index' id stays (see [`crate::store::images`]). All is decided under the store's exclusive lock: two processes that add
//! an image each lose none.

pub mod add;
pub mod artifact;
pub mod platform;
pub mod remote;

use std::collections::BTreeMap;

use super::find::{self, Meant};
use super::tag::full_name;
use super::{Error, Result};
use crate::host::change::random_name;
use crate::oci::manifest::{Document, MAX_MANIFEST, ManifestError, parse};
use crate::oci::media_type::OCI_INDEX;
use crate::oci::{Descriptor, Digest, Index};
use crate::store::images::{Entry, Made};
use crate::store::{Commit, Store};

/// An index of the store, as it is.
#[derive(Debug)]
pub struct Open {
    /// Of the store's index; without a digest that counts.
    entry: Entry,
    pub made: Made,
    pub index: Index,
    /// The index as it is stored.
    pub bytes: Vec<u8>,
}

impl Open {
    /// The index that `text` names. [`Error::Unknown`]: there is nothing of that name; [`Error::NotAnIndex`]: it is an image.
    pub fn read(store: &Store, text: &str) -> Result<Self> {
        let Meant { entry, .. } = find::entry(store, text)?;
        let not = || Error::NotAnIndex { name: text.to_owned() };
        if !entry.is_index() {
            return Err(not());
        }
        let bytes = store.read_blob(&entry.digest, MAX_MANIFEST)?;
        match parse(&bytes, Some(&entry.media_type))? {
            Document::Index(index) => {
                let other = || Made { id: entry.digest.clone(), created: now(), sources: BTreeMap::new() };
                Ok(Self { made: entry.made.clone().unwrap_or_else(other), entry, index, bytes })
            }
            Document::Manifest(_) => Err(not()),
        }
    }

    pub fn id(&self) -> &Digest {
        &self.made.id
    }

    /// The entry of the image with this manifest.
    pub fn instance(&mut self, manifest: &Digest) -> Option<&mut Descriptor> {
        self.index.manifests.iter_mut().find(|entry| entry.digest == *manifest)
    }

    /// Puts the changed index in the place of the one that was read. Needs the store's exclusive lock since then.
    fn write(mut self, store: &Store) -> Result<()> {
        let (key, before) = (self.entry.key().clone(), self.entry.digest.clone());
        self.made.sources.retain(|digest, _| self.index.manifests.iter().any(|entry| entry.digest == *digest));
        let (digest, size) = write_blob(store, &self.index)?;
        let media_type = self.index.media_type.as_deref().unwrap_or(OCI_INDEX).to_owned();
        self.entry = Entry { media_type, digest, size, made: Some(self.made), ..self.entry };
        store.replace(&key, &self.entry)?;
        if !store.images()?.iter().any(|entry| entry.digest == before) {
            store.remove_blob(&before)?;
        }
        Ok(())
    }
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}

fn write_blob(store: &Store, index: &Index) -> Result<(Digest, u64)> {
    let bytes = serde_json::to_vec(index).map_err(ManifestError::from)?;
    if bytes.len() > MAX_MANIFEST {
        return Err(ManifestError::TooLarge(bytes.len()).into());
    }
    let mut commit = Commit::new(store);
    let digest = commit.bytes(&bytes)?;
    commit.finish()?;
    Ok((digest, bytes.len() as u64))
}

/// Makes an empty index of this name. [`Error::NameInUse`]: something has it.
pub fn create(store: &Store, name: &str, annotations: BTreeMap<String, String>) -> Result<Digest> {
    let name = full_name(name)?;
    let _lock = store.lock_exclusive()?;
    if let Some(entry) = store.image_named(&name)? {
        return Err(Error::NameInUse {
            name,
            id: find::Found::load_itself(store, &entry, Vec::new())?.id.hex().to_owned(),
        });
    }
    let media_type = Some(OCI_INDEX.to_owned());
    let index = Index { schema_version: 2, media_type, annotations, ..Index::default() };
    let (digest, size) = write_blob(store, &index)?;
    let id = Digest::of(random_name()?.as_bytes());
    let made = Made { id: id.clone(), created: now(), sources: BTreeMap::new() };
    store.tag(&name, Entry { made: Some(made), ..Entry::new(OCI_INDEX, digest, size) })?;
    Ok(id)
}

/// Changes the index that `text` names.
pub fn change<T>(store: &Store, text: &str, change: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
    let _lock = store.lock_exclusive()?;
    let mut open = Open::read(store, text)?;
    let result = change(&mut open)?;
    open.write(store)?;
    Ok(result)
}

/// Takes the image with this manifest out of the index that `text` names, whose id it gives.
pub fn remove(store: &Store, text: &str, manifest: &Digest) -> Result<Digest> {
    change(store, text, |open| {
        let count = open.index.manifests.len();
        open.index.manifests.retain(|entry| entry.digest != *manifest);
        if open.index.manifests.len() == count {
            return Err(Error::NoInstance { index: text.to_owned(), instance: manifest.to_string() });
        }
        Ok(open.id().clone())
    })
}
