//! Making an image of layers that are in the store and one that is new: what `commit` does, and each step of a build.
//!
//! Order, as for a pull (see [`crate::store::commit`]): the layer lies under `tmp/`; under the shared store lock the layers below
//! are looked at once more; sync, rename, sync; the name comes last. Whoever is killed leaves a directory in `tmp/`.

pub mod layer;

use layer::NewLayer;

use super::pull::progress::{Event, Progress};
use super::{Error, Result, list};
use crate::host::subid::IdMaps;
use crate::oci::manifest::{MAX_LAYERS, ManifestError};
use crate::oci::media_type::Format;
use crate::oci::{Descriptor, Digest, ImageConfig, Manifest};
use crate::store::images::Entry;
use crate::store::{Commit, Store};

/// An image in the making.
pub struct New<'a> {
    pub store: &'a Store,
    pub progress: &'a dyn Progress,
    pub format: Format,
    /// The blobs of the layers below, and their diff ids, the lowest first.
    pub below: Vec<(Descriptor, Digest)>,
    /// All of it but the list of layers.
    pub config: ImageConfig,
    /// The full reference; `None`: it stays without.
    pub name: Option<&'a str>,
}

impl New<'_> {
    /// Puts `layer` on top of those below, and the image into the store; gives its id.
    pub fn finish(mut self, layer: NewLayer, ids: &IdMaps) -> Result<Digest> {
        let count = self.below.len() + 1;
        if count > MAX_LAYERS {
            return Err(ManifestError::TooManyLayers(count).into());
        }
        let below = self.below.iter().map(|(_, diff_id)| diff_id.clone());
        self.config.rootfs.diff_ids = below.chain([layer.diff_id.clone()]).collect();
        // So that little is left to be synced while others wait for the lock.
        self.store.sync_made()?;
        let _lock = self.store.lock_shared()?;
        for (blob, diff_id) in &self.below {
            if !self.store.has_layer(layer.mode, diff_id) || !self.store.has_blob(&blob.digest) {
                return Err(Error::LayerGone { diff_id: diff_id.clone() });
            }
            self.progress.event(Event::Present { layer: &blob.digest });
        }
        self.progress.event(Event::Done { layer: &layer.digest });
        let config = serde_json::to_vec(&self.config).map_err(crate::oci::image_config::ConfigError::from)?;
        let mut commit = Commit::new(self.store);
        commit.layer(layer.unpacked.clone(), layer.mode, &layer.diff_id);
        commit.blob(layer.blob.clone(), &layer.digest);
        let id = commit.bytes(&config)?;
        self.progress.event(Event::Config { digest: &id });
        let manifest = self.manifest(&layer, Descriptor::new(self.format.config(), id.clone(), config.len() as u64));
        let manifest = serde_json::to_vec(&manifest).map_err(ManifestError::from)?;
        let digest = commit.bytes(&manifest)?;
        self.progress.event(Event::Writing);
        commit.finish()?;
        layer.clear(ids);
        let entry = Entry::new(self.format.manifest(), digest, manifest.len() as u64);
        let entry = list::summarized(self.store, entry)?;
        match self.name {
            Some(name) => drop(self.store.tag(name, entry)?),
            None => self.store.keep(entry)?,
        }
        Ok(id)
    }

    fn manifest(&self, layer: &NewLayer, config: Descriptor) -> Manifest {
        let own = Descriptor::new(self.format.layer(layer.compression), layer.digest.clone(), layer.size);
        let layers = self.below.iter().map(|(blob, _)| blob.layer_in(self.format)).chain([own]).collect();
        Manifest::new(self.format.manifest(), config, layers)
    }
}
