//! An index of images that can't be read: what is left of it, and what the blobs tell, become another.
//!
//! The entries before the damage keep their names; an image behind it is known by its manifest, and has lost them.

use std::collections::BTreeSet;

use super::Result;
use crate::oci::manifest::{Document, MAX_MANIFEST, parse};
use crate::oci::media_type::{OCI_INDEX, OCI_MANIFEST};
use crate::oci::{Descriptor, Digest};
use crate::store::Store;
use crate::store::images::Entry;

/// Makes the index anew; how many of its entries have a name, and how many images have none. Take no lock.
pub fn index(store: &Store) -> Result<(usize, usize)> {
    let _lock = store.lock_exclusive()?;
    let manifests = manifests(store)?;
    let is_here = |entry: &Entry| manifests.iter().any(|(descriptor, _)| descriptor.digest == entry.digest);
    let mut entries: Vec<Entry> = store.readable_entries()?.into_iter().filter(is_here).collect();
    let named = entries.len();
    let known: BTreeSet<Digest> = entries.iter().map(|entry| entry.digest.clone()).collect();
    let within: BTreeSet<&Digest> = manifests.iter().flat_map(|(_, within)| within).collect();
    let lost = manifests.iter().map(|(descriptor, _)| descriptor);
    let lost = lost.filter(|found| !known.contains(&found.digest) && !within.contains(&found.digest));
    entries.extend(lost.map(|found| Entry::new(&found.media_type, found.digest.clone(), found.size)));
    let unnamed = entries.len() - named;
    store.renew_index(entries)?;
    Ok((named, unnamed))
}

/// The manifests and indexes among the blobs, with those that an index leads to.
fn manifests(store: &Store) -> Result<Vec<(Descriptor, Vec<Digest>)>> {
    let mut found = Vec::new();
    for digest in store.blobs()? {
        let Ok(bytes) = store.read_blob(&digest, MAX_MANIFEST) else { continue };
        let (media_type, within) = match parse(&bytes, None) {
            Ok(Document::Manifest(manifest)) if store.has_blob(&manifest.config.digest) => {
                (manifest.media_type.unwrap_or_else(|| OCI_MANIFEST.to_owned()), Vec::new())
            }
            Ok(Document::Index(index)) => {
                let within = index.manifests.into_iter().map(|manifest| manifest.digest).collect();
                (index.media_type.unwrap_or_else(|| OCI_INDEX.to_owned()), within)
            }
            _ => continue,
        };
        found.push((Descriptor::new(&media_type, digest, bytes.len() as u64), within));
    }
    Ok(found)
}
