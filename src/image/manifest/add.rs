//! Adding an image of the store to an index.

use std::collections::BTreeMap;

use super::platform::{Words, of_config};
use super::{Open, change};
use crate::image::find::{self, Found, Meant};
use crate::image::{Error, Result};
use crate::oci::media_type::OCI_MANIFEST;
use crate::oci::{Descriptor, Digest};
use crate::store::{self, Store};

/// What is to be added: images' entries as an index has them, and where the store doesn't hold them, where they are.
#[derive(Debug, Clone, Default)]
pub struct Instances {
    pub entries: Vec<Descriptor>,
    pub sources: BTreeMap<Digest, String>,
}

/// The image of the store that `text` names; of an index the image for this machine or, with `all`, all of them.
/// [`Error::Unknown`]: there is none.
pub fn of_store(store: &Store, text: &str, all: bool) -> Result<Instances> {
    let Meant { entry, .. } = find::entry(store, text)?;
    if entry.is_index() && all {
        let Open { made, index, .. } = Open::read(store, text)?;
        return Ok(Instances { entries: index.manifests, sources: made.sources });
    }
    let found = Found::load(store, &entry, Vec::new())?;
    let size = store.read_blob(&found.manifest_digest, crate::oci::manifest::MAX_MANIFEST)?.len() as u64;
    let media_type = found.manifest.media_type.as_deref().unwrap_or(OCI_MANIFEST);
    let mut entry = Descriptor::new(media_type, found.manifest_digest, size);
    match found.manifest.check_is_image() {
        Ok(()) => entry.platform = Some(of_config(&found.config)),
        // An artifact is for no platform.
        Err(_) => entry.extra.extend(found.manifest.artifact_type.map(|kind| ("artifactType".to_owned(), kind.into()))),
    }
    Ok(Instances { entries: vec![entry], sources: BTreeMap::new() })
}

/// Adds images to the index that `text` names, whose id it gives. One that is in it already is described anew.
pub fn add(store: &Store, text: &str, instances: Instances, words: &Words) -> Result<Digest> {
    change(store, text, |open| {
        for entry in instances.entries {
            // Somebody may have removed it since.
            if !store.has_blob(&entry.digest) && !instances.sources.contains_key(&entry.digest) {
                return Err(store::Error::NoBlob { digest: entry.digest }.into());
            }
            insert(open, entry, words);
        }
        open.made.sources.extend(instances.sources);
        Ok(open.id().clone())
    })
}

/// Puts an entry into an index; one of the same manifest goes.
pub(super) fn insert(open: &mut Open, mut entry: Descriptor, words: &Words) {
    words.apply(&mut entry);
    match open.instance(&entry.digest) {
        Some(present) => *present = entry,
        None => open.index.manifests.push(entry),
    }
}

/// The manifest that `text` means among the images of an index: a digest, or an image of the store.
pub fn instance(store: &Store, text: &str) -> Result<Digest> {
    match text.parse() {
        Ok(digest) => Ok(digest),
        Err(_) => match find::find(store, text)? {
            Some(found) => Ok(found.manifest_digest),
            None => Err(Error::Unknown { name: text.to_owned() }),
        },
    }
}
