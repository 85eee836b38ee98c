//! From an archive to images in the store.

use std::path::Path;

use super::Archive;
use super::transport::Which;
use crate::host::subid::IdMaps;
use crate::image::pull::Pull;
use crate::image::{Error, Progress, Result, tag};
use crate::layer::worker;
use crate::oci::{Digest, Platform, Reference};
use crate::registry::admit_archive;
use crate::store::Store;

/// How to load.
pub struct Load<'a> {
    pub store: &'a Store,
    pub progress: &'a dyn Progress,
    pub platform: Platform,
    /// As of a pull.
    pub max_layer_size: Option<u64>,
    /// The file of the policy, if not the usual one.
    pub policy: Option<&'a Path>,
}

/// An image that is now in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub id: Digest,
    /// Full references; empty for one that the archive does not name.
    pub names: Vec<String>,
}

/// Where an archive's image is, for who pulls it: only the digest counts.
const ADDRESS: &str = "localhost/archive";

impl Load<'_> {
    /// Takes the images that are meant, at least one. What is taken stays, though a later one fails.
    pub fn run(&self, archive: &Archive, which: &Which) -> Result<Vec<Loaded>> {
        // Whoever was killed left something: a failure to remove it is not this load's.
        let _ = worker::sweep(self.store);
        let ids = IdMaps::of_account().map_err(crate::layer::Error::from).map_err(Error::Contents)?;
        admit_archive(archive.format.transport(), archive.path.as_deref(), &archive.name, self.policy)?;
        let Self { store, progress, platform, max_layer_size, .. } = self;
        let (registry, platform, max_layer_size) = (archive, platform.clone(), *max_layer_size);
        let (progress, parallel, artifacts) = (*progress, archive.at_once(), true);
        let pull = Pull { store, registry, progress, platform, ids, parallel, max_layer_size, artifacts };
        if *which == Which::Only && archive.images.len() > 1 {
            return Err(Error::SeveralImages(archive.images.len()).in_archive(&archive.name));
        }
        let address: Reference = ADDRESS.parse()?;
        let mut loaded = Vec::new();
        for (place, image) in archive.images.iter().enumerate() {
            let Some(names) = which.names(place, image) else { continue };
            let names = names.iter().map(|name| tag::full_name(name)).collect::<Result<Vec<_>>>();
            let taken = names.and_then(|names| Ok((pull.take(&address.at(image.manifest.clone()), &names)?.0, names)));
            let (id, names) = taken.map_err(|error| error.in_archive(&archive.name))?;
            loaded.push(Loaded { id, names });
        }
        if loaded.is_empty() {
            return Err(Error::NoImage.in_archive(&archive.name));
        }
        Ok(loaded)
    }
}
