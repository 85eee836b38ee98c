//! What the entries of the store's index need: the blobs and layers that must stay as long as they do.
//!
//! An index needs what the store holds of its images, whether these have entries of their own or not: it can be pushed and run
//! although somebody removed them by name. What it merely names lies at a registry.

use std::collections::{BTreeMap, BTreeSet};

use super::Result;
use super::find::Found;
use crate::oci::manifest::{Document, MAX_CONFIG, MAX_MANIFEST, Manifest, parse};
use crate::oci::{Digest, ImageConfig};
use crate::store::Store;
use crate::store::images::Entry;

/// Indexes in indexes.
const DEPTH: usize = 3;

#[derive(Debug, Default)]
pub struct Needs {
    pub blobs: BTreeSet<Digest>,
    /// Diff ids.
    pub layers: BTreeSet<Digest>,
    /// The digests of the images' configs.
    pub ids: BTreeSet<Digest>,
    /// From which blobs each of the layers can be unpacked.
    pub sources: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl Needs {
    /// What all these need. Fails if one of them can't be read, so that nobody knows.
    pub fn of<'a>(store: &Store, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self> {
        let mut needs = Self::default();
        for entry in entries {
            if entry.is_index() {
                needs.blobs.insert(entry.digest.clone());
                needs.add_document(store, &entry.digest, DEPTH)?;
            } else {
                needs.add_image(&Found::load(store, entry, Vec::new())?);
            }
        }
        Ok(needs)
    }

    /// What steps of builds are remembered by, and what lives without a name.
    pub fn add_cached(&mut self, store: &Store) {
        for (_, step) in store.cached_steps() {
            self.sources.entry(step.diff_id.clone()).or_default().insert(step.blob.digest.clone());
            self.blobs.insert(step.blob.digest);
            self.layers.insert(step.diff_id);
        }
    }

    fn add_image(&mut self, image: &Found) {
        let layers = image.manifest.layers.iter().map(|layer| layer.digest.clone());
        self.blobs.extend(layers.chain([image.manifest_digest.clone(), image.manifest.config.digest.clone()]));
        self.add_layers(&image.manifest, &image.layers);
        self.ids.insert(image.id.clone());
    }

    fn add_layers(&mut self, manifest: &Manifest, diff_ids: &[Digest]) {
        self.layers.extend(diff_ids.iter().cloned());
        for (diff_id, layer) in diff_ids.iter().zip(&manifest.layers) {
            self.sources.entry(diff_id.clone()).or_default().insert(layer.digest.clone());
        }
    }

    /// What an index leads to, as far as it is here.
    fn add_document(&mut self, store: &Store, digest: &Digest, depth: usize) -> Result<()> {
        match parse(&store.read_blob(digest, MAX_MANIFEST)?, None)? {
            Document::Index(index) => {
                for entry in index.manifests.iter().filter(|entry| depth > 0 && store.has_blob(&entry.digest)) {
                    self.blobs.insert(entry.digest.clone());
                    self.add_document(store, &entry.digest, depth - 1)?;
                }
            }
            Document::Manifest(manifest) => {
                let config = &manifest.config.digest;
                // An artifact's is no image config.
                if let Ok(image) = store.read_blob(config, MAX_CONFIG).map(|bytes| ImageConfig::parse(&bytes)) {
                    self.add_layers(&manifest, &image.map_or_else(|_| Vec::new(), |image| image.rootfs.diff_ids));
                }
                self.ids.insert(config.clone());
                self.blobs.extend(manifest.layers.into_iter().map(|layer| layer.digest).chain([config.clone()]));
            }
        }
        Ok(())
    }
}
