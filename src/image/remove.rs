//! Removing images: a name, or the image with all that nothing else uses.
//!
//! All decisions are made under the store's exclusive lock, so that no container starts from what is going and no pull counts on
//! it. The index forgets the image first; a crash after that leaves files that nothing names, which a later pull uses again, or a prune removes.

use std::collections::BTreeSet;

use super::find::{self, Meant};
use super::needs::Needs;
use super::{Error, Result};
use crate::oci::Digest;
use crate::store::images::Entry;
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
    /// The id of the image, if no entry has it any more.
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
        let Meant { entry, name, names } = find::entry(store, text)?;
        // What is damaged can be removed all the same.
        let id = find::id_of(store, &entry).unwrap_or_else(|_| entry.key().clone());
        let by_id = name.is_none();
        if let Some(name) = name.filter(|_| names.len() > 1) {
            store.untag(&name)?;
            return Ok(Removed { id: id.hex().to_owned(), untagged: vec![name], ..Removed::default() });
        }
        if names.len() > 1 && !self.names {
            return Err(Error::SeveralNames { id: id.hex().to_owned(), names });
        }
        let users = users.users().map_err(Error::Users)?;
        delete(store, text, entry.key(), &id, by_id, &users)
    }
}

/// By its id, an image goes with every manifest that has this config; by its name, with the one that the name means. An index
/// goes with those of its images that no other entry has.
fn delete(store: &Store, text: &str, key: &Digest, id: &Digest, by_id: bool, users: &[User]) -> Result<Removed> {
    let goes = |entry: &Entry| entry.key() == key || by_id && find::id_of(store, entry).is_ok_and(|found| found == *id);
    let (going, staying): (Vec<Entry>, Vec<Entry>) = store.images()?.into_iter().partition(goes);
    // Of what is damaged, or leads to something damaged, only the entry goes and what it names.
    let mut gone = Needs::of(store, &going).unwrap_or_default();
    gone.blobs.extend(going.iter().map(|entry| entry.digest.clone()));
    gone.ids.insert(id.clone());
    // Where an image that remains can't be read, nobody knows what it needs, and nothing is dropped.
    let kept = Needs::of(store, &staying).ok();
    let last = |used: &Digest| used == id || kept.as_ref().is_some_and(|kept| !kept.ids.contains(used));
    let uses = |user: &&User| gone.ids.contains(&user.image) && last(&user.image);
    let containers: Vec<String> = users.iter().filter(uses).map(|user| user.container.clone()).collect();
    if !containers.is_empty() {
        return Err(Error::InUse { name: text.to_owned(), containers });
    }
    // With another manifest, as one whose layers are compressed in another way, it is the same image and stays.
    let stays = staying.iter().any(|entry| find::id_of(store, entry).is_ok_and(|found| found == *id));
    let deleted = (!stays).then(|| id.clone());
    let mut removed = Removed { id: id.hex().to_owned(), deleted, ..Removed::default() };
    for key in going.iter().map(Entry::key).collect::<BTreeSet<_>>() {
        let gone = store.forget(key)?;
        removed.untagged.extend(gone.iter().filter_map(|entry| entry.name().map(str::to_owned)));
    }
    if let Some(mut kept) = kept {
        kept.layers.extend(users.iter().flat_map(|user| user.layers.iter().cloned()));
        kept.add_cached(store);
        drop_unused(store, &gone, &kept, &mut removed)?;
    }
    Ok(removed)
}

/// Removes the blobs and layers that no image and no container uses: a command was killed before it named them, or before it
/// removed them; and what builds remember of such layers. Where an image can't be read, nobody knows what it needs, and all stay.
pub fn drop_orphans(store: &Store, users: &dyn Users) -> Result<Removed> {
    let _lock = store.lock_exclusive()?;
    let mut removed = Removed::default();
    if let Ok(mut kept) = Needs::of(store, &store.images()?) {
        let users = users.users().map_err(Error::Users)?;
        kept.layers.extend(users.into_iter().flat_map(|user| user.layers));
        store.forget_steps(|step| !kept.layers.contains(&step.diff_id))?;
        kept.add_cached(store);
        let blobs = store.blobs()?.into_iter().collect();
        let layers = store.layers()?.into_iter().map(|(_, diff_id)| diff_id).collect();
        drop_unused(store, &Needs { blobs, layers, ..Needs::default() }, &kept, &mut removed)?;
    }
    Ok(removed)
}

fn drop_unused(store: &Store, gone: &Needs, kept: &Needs, removed: &mut Removed) -> Result<()> {
    for digest in gone.blobs.difference(&kept.blobs) {
        store.remove_blob(digest)?;
    }
    for diff_id in gone.layers.difference(&kept.layers) {
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
