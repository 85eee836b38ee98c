//! Removing images: a name, or the image with all that nothing else uses.
//!
//! All decisions are made under the store's exclusive lock, so that no container starts from what is going and no pull counts on
//! it. The index forgets the image first; a crash after that leaves files that nothing names, which a later pull uses again.

use std::collections::BTreeSet;

use super::find::{Found, find_with_name};
use super::{Error, Result};
use crate::oci::Digest;
use crate::store::layers::Mode;
use crate::store::{Store, Tmp};

/// A container, as far as images are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The container's id.
    pub container: String,
    /// The digest of the image's config.
    pub image: Digest,
    /// The diff ids of the layers below its own.
    pub layers: Vec<Digest>,
}

/// Who knows the containers, a room on a higher floor. Asked under the store's exclusive lock.
pub trait Users {
    fn users(&self) -> std::result::Result<Vec<User>, Box<dyn std::error::Error + Send + Sync>>;
}

/// What to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Takes away all names of an image that is meant by its id.
    pub names: bool,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Removed {
    /// The image that is meant.
    pub id: String,
    /// The names that are gone.
    pub untagged: Vec<String>,
    /// The id of the image that is gone.
    pub deleted: Option<Digest>,
    /// Bytes of the files in the layers that are gone.
    pub bytes: u64,
    /// Unpacked layers, out of sight already, for whoever can remove files of subordinate ids.
    pub layers: Vec<Tmp>,
}

impl Removal {
    /// Removes the name `text`, or the image if it is its last name or its id. Fails with [`Error::Unknown`],
    /// [`Error::InUse`] or [`Error::SeveralNames`].
    pub fn run(self, store: &Store, text: &str, users: &dyn Users) -> Result<Removed> {
        let _lock = store.lock_exclusive()?;
        let (image, name) = find_with_name(store, text)?;
        let by_id = name.is_none();
        if let Some(name) = name.filter(|_| image.names.len() > 1) {
            store.untag(&name)?;
            return Ok(Removed { id: image.id.hex().to_owned(), untagged: vec![name], ..Removed::default() });
        }
        if image.names.len() > 1 && !self.names {
            return Err(Error::SeveralNames { id: image.id.hex().to_owned(), names: image.names });
        }
        let users = users.users().map_err(Error::Users)?;
        let containers: Vec<String> =
            users.iter().filter(|user| user.image == image.id).map(|user| user.container.clone()).collect();
        if !containers.is_empty() {
            return Err(Error::InUse { name: text.to_owned(), containers });
        }
        delete(store, &image, by_id, &users)
    }
}

/// By its id, an image goes with every manifest that has this config; by its name, with the one that the name means.
fn delete(store: &Store, image: &Found, by_id: bool, users: &[User]) -> Result<Removed> {
    let (mut entries, mut candidates) = (BTreeSet::new(), vec![image.clone()]);
    for entry in store.images()? {
        // Also through an index that another tool stored.
        let Ok(found) = Found::load(store, &entry, Vec::new()) else { continue };
        if found.manifest_digest == image.manifest_digest || by_id && found.id == image.id {
            entries.insert(entry.digest);
            candidates.push(found);
        }
    }
    let mut removed = Removed { id: image.id.hex().to_owned(), deleted: Some(image.id.clone()), ..Removed::default() };
    for digest in &entries {
        let gone = store.forget(digest)?;
        removed.untagged.extend(gone.iter().filter_map(|entry| entry.name().map(str::to_owned)));
    }
    let Some(kept) = Kept::of(store, users) else { return Ok(removed) };
    for digest in entries.iter().filter(|digest| !kept.blobs.contains(*digest)) {
        store.remove_blob(digest)?;
    }
    for image in candidates {
        kept.drop_unused(store, &image, &mut removed)?;
    }
    Ok(removed)
}

/// What the remaining images and the containers need.
struct Kept {
    blobs: BTreeSet<Digest>,
    layers: BTreeSet<Digest>,
}

impl Kept {
    /// `None`: an image that remains can't be read, so nobody knows what it needs, and nothing is dropped.
    fn of(store: &Store, users: &[User]) -> Option<Self> {
        let mut kept = Self { blobs: BTreeSet::new(), layers: BTreeSet::new() };
        for entry in store.images().ok()? {
            let found = Found::load(store, &entry, Vec::new()).ok()?;
            kept.blobs.extend([entry.digest, found.manifest_digest, found.id]);
            kept.blobs.extend(found.manifest.layers.into_iter().map(|layer| layer.digest));
            kept.layers.extend(found.layers);
        }
        kept.layers.extend(users.iter().flat_map(|user| user.layers.iter().cloned()));
        Some(kept)
    }

    fn drop_unused(&self, store: &Store, image: &Found, removed: &mut Removed) -> Result<()> {
        let blobs = image.manifest.layers.iter().map(|layer| &layer.digest);
        for digest in blobs.chain([&image.id, &image.manifest_digest]).filter(|digest| !self.blobs.contains(*digest)) {
            store.remove_blob(digest)?;
        }
        for diff_id in image.layers.iter().filter(|diff_id| !self.layers.contains(*diff_id)) {
            for mode in Mode::ALL {
                let size = store.layer_record(mode, diff_id).ok().flatten().map_or(0, |record| record.size);
                if let Some(layer) = store.retire_layer(mode, diff_id)? {
                    removed.bytes += size;
                    removed.layers.push(layer);
                }
            }
        }
        Ok(())
    }
}
