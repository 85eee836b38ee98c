//! Making an image of layers that are in the store and one that is new: what `commit` does, and each step of a build.
//!
//! Order, as for a pull (see [`crate::store::commit`]): the layer lies under `tmp/`; under the shared store lock the layers below
//! are looked at once more; sync, rename, sync; the name comes last. Whoever is killed leaves a directory in `tmp/`.

pub mod layer;

use std::collections::BTreeMap;

use layer::NewLayer;

use super::pull::progress::{Event, Progress};
use super::{Error, Result, list};
use crate::host::subid::IdMaps;
use crate::layer::worker;
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
    /// Of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// The full reference; `None`: it stays without.
    pub name: Option<&'a str>,
}

impl New<'_> {
    /// Puts `layer` on top of those below, and the image into the store; gives its id.
    pub fn finish(self, layer: NewLayer, ids: &IdMaps) -> Result<Digest> {
        self.put(Some(layer), ids)
    }

    /// An image of the layers below and no other; gives its id.
    pub fn finish_without_layer(self, ids: &IdMaps) -> Result<Digest> {
        self.put(None, ids)
    }

    fn put(mut self, layer: Option<NewLayer>, ids: &IdMaps) -> Result<Digest> {
        let count = self.below.len() + layer.iter().count();
        if count > MAX_LAYERS {
            return Err(ManifestError::TooManyLayers(count).into());
        }
        let below = self.below.iter().map(|(_, diff_id)| diff_id.clone());
        self.config.rootfs.diff_ids = below.chain(layer.iter().map(|layer| layer.diff_id.clone())).collect();
        // So that little is left to be synced while others wait for the lock.
        self.store.sync_made()?;
        let _lock = self.store.lock_shared()?;
        for (blob, diff_id) in &self.below {
            if !self.store.has_layer(worker::mode_for(ids), diff_id) || !self.store.has_blob(&blob.digest) {
                return Err(Error::LayerGone { diff_id: diff_id.clone() });
            }
            self.progress.event(Event::Present { layer: &blob.digest });
        }
        let config = serde_json::to_vec(&self.config).map_err(crate::oci::image_config::ConfigError::from)?;
        let mut commit = Commit::new(self.store);
        if let Some(layer) = &layer {
            self.progress.event(Event::Done { layer: &layer.digest });
            layer.join(&mut commit);
        }
        let id = commit.bytes(&config)?;
        self.progress.event(Event::Config { digest: &id });
        let config = Descriptor::new(self.format.config(), id.clone(), config.len() as u64);
        let manifest = self.manifest(layer.as_ref(), config);
        let manifest = serde_json::to_vec(&manifest).map_err(ManifestError::from)?;
        let digest = commit.bytes(&manifest)?;
        self.progress.event(Event::Writing);
        commit.finish()?;
        if let Some(layer) = layer {
            layer.clear(ids);
        }
        let entry = Entry::new(self.format.manifest(), digest, manifest.len() as u64);
        let entry = list::summarized(self.store, entry)?;
        match self.name {
            Some(name) => drop(self.store.tag(name, entry)?),
            None => self.store.keep(entry)?,
        }
        Ok(id)
    }

    fn manifest(&self, layer: Option<&NewLayer>, config: Descriptor) -> Manifest {
        let own = layer.map(|layer| layer.descriptor(self.format));
        let layers = self.below.iter().map(|(blob, _)| blob.layer_in(self.format)).chain(own).collect();
        let annotations = self.annotations.clone();
        Manifest { annotations, ..Manifest::new(self.format.manifest(), config, layers) }
    }
}

/// Puts a layer into the store that no image has yet; `pin` writes down who needs it, before anybody can miss that.
pub fn keep(
    store: &Store,
    layer: NewLayer,
    ids: &IdMaps,
    pin: impl FnOnce(&Descriptor, &Digest) -> Result<()>,
) -> Result<(Descriptor, Digest)> {
    store.sync_made()?;
    let _lock = store.lock_shared()?;
    let (blob, diff_id) = (layer.descriptor(Format::Oci), layer.diff_id.clone());
    let mut commit = Commit::new(store);
    layer.join(&mut commit);
    commit.finish()?;
    layer.clear(ids);
    pin(&blob, &diff_id)?;
    Ok((blob, diff_id))
}
