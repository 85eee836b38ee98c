//! All images of the store.

use std::collections::BTreeSet;

use super::find::{Found, names_of};
use super::{Error, Result};
use crate::oci::Digest;
use crate::store::Store;
use crate::store::layers::Mode;

/// One image or index, whatever number of names it has.
#[derive(Debug)]
pub struct Listed {
    pub image: Found,
    /// Seconds since 1970; 0 where the image does not say.
    pub created: i64,
    /// Bytes of the files of all layers, each layer once; of an index, its own.
    pub size: u64,
}

/// All images.
#[derive(Debug)]
pub struct List {
    /// The newest first.
    pub images: Vec<Listed>,
    /// What can't be read: the key of its entry, which is the manifest's digest, and why.
    pub broken: Vec<(Digest, Error)>,
}

/// Reads the index, and the manifest and config of every image.
pub fn list(store: &Store) -> Result<List> {
    let entries = store.images()?;
    let (mut images, mut broken) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for entry in &entries {
        if !seen.insert(entry.key()) {
            continue;
        }
        match Found::load_itself(store, entry, names_of(&entries, entry.key())) {
            Ok(image) => {
                let size = if entry.is_index() { entry.size } else { size(store, &image) };
                let created = created(&image);
                images.push(Listed { image, created, size });
            }
            Err(error) => broken.push((entry.key().clone(), error)),
        }
    }
    // The order of the index, where two are equally old.
    images.sort_by_key(|listed: &Listed| std::cmp::Reverse(listed.created));
    Ok(List { images, broken })
}

pub(super) fn created(image: &Found) -> i64 {
    let text = image.config.created.as_deref().unwrap_or_default();
    chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp()).unwrap_or(0)
}

/// What its layers take unpacked; the compressed size of those that this store does not hold unpacked.
pub(super) fn size(store: &Store, image: &Found) -> u64 {
    let mut seen = BTreeSet::new();
    let layers = image.layers.iter().zip(&image.manifest.layers).filter(|(diff_id, _)| seen.insert(*diff_id));
    layers
        .map(|(diff_id, blob)| {
            let record = Mode::ALL.iter().find_map(|mode| store.layer_record(*mode, diff_id).ok().flatten());
            record.map_or(blob.size, |record| record.size)
        })
        .sum()
}
