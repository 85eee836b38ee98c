//! `commit`: an image of a container.
//!
//! The new layer is what the upper directory holds, so the cost grows with the change and not with the image. A container that
//! runs goes on: what it writes meanwhile may be in the layer or not.

pub mod config;
pub mod step;

use std::collections::BTreeMap;

use super::find::Found;
use super::watch::events::{self, Action};
use super::{Error, Result, tree};
use crate::host::subid::IdMaps;
use crate::image::make::New;
use crate::image::make::layer::NewLayer;
use crate::image::{Progress, find, tag};
use crate::layer::pack::Form;
use crate::layer::worker;
use crate::oci::Digest;
use crate::oci::media_type::Format;
use crate::store::Store;

/// What the new image is to be.
pub struct Commit<'a> {
    pub store: &'a Store,
    pub progress: &'a dyn Progress,
    pub format: Format,
    pub asked: config::Asked<'a>,
    /// As the user wrote it.
    pub name: Option<&'a str>,
}

impl Commit<'_> {
    /// Makes the image; gives its id.
    pub fn run(self, found: &Found) -> Result<Digest> {
        let container = &found.container;
        let ids = IdMaps::of_account()?;
        let image = container.image.as_ref().ok_or(Error::ExplodedRootfs)?;
        let name = self.name.map(tag::full_name).transpose()?;
        // Whoever was killed left something: a failure to remove it is not this commit's.
        let _ = worker::sweep(self.store);
        let base = find::of_manifest(self.store, &image.manifest)?;
        let config = config::config(base.config, container, &self.asked)?;
        let (form, below) = match self.asked.squash {
            true => (Form::TREE, Vec::new()),
            false => (Form::LAYER, base.manifest.layers.into_iter().zip(base.layers).collect()),
        };
        let tree = tree::of(self.store, found)?;
        let layer = NewLayer::pack(self.store, &ids, container.mode, &tree, form, &tree::own_files(container));
        // Half of its files were missing then, or all.
        if found.is_gone() {
            return Err(Error::NotFound(container.name.clone()));
        }
        let layer = layer?;
        let new = New {
            store: self.store,
            progress: self.progress,
            format: self.format,
            below,
            config,
            annotations: BTreeMap::new(),
            name: name.as_deref(),
        };
        let id = new.finish(layer, &ids)?;
        events::record_of(found.root(), container, &[Action::Commit], None);
        Ok(id)
    }
}
