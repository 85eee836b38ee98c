//! Images at a registry, for an index: of each only its manifest is read, and its config where nothing else tells its platform.

use super::add::Instances;
use super::platform::of_config;
use crate::image::pull::no_platform;
use crate::image::{Error, Result};
use crate::oci::manifest::{MAX_CONFIG, parse};
use crate::oci::media_type::{OCI_INDEX, OCI_MANIFEST, is_config};
use crate::oci::{Descriptor, Digest, Document, ImageConfig, Manifest, Platform, Reference};
use crate::registry::{Content, Registry};

/// What lies at `name`: its bytes, of the digest that the name has, if any, and what they mean.
pub fn document(registry: &dyn Registry, name: &Reference) -> Result<(Vec<u8>, Document)> {
    let Content { bytes, media_type } = registry.manifest(name)?;
    let found = Digest::of(&bytes);
    if let Some(expected) = name.digest().filter(|expected| **expected != found) {
        return Err(Error::WrongDigest { what: "manifest", expected: expected.clone(), found }.of(name));
    }
    let document = parse(&bytes, media_type.as_deref()).map_err(|error| Error::from(error).of(name))?;
    Ok((bytes, document))
}

/// What lies at `name`, as others point to it.
pub fn descriptor(registry: &dyn Registry, name: &Reference) -> Result<Descriptor> {
    let (bytes, document) = document(registry, name)?;
    let media_type = match document {
        Document::Index(index) => index.media_type.unwrap_or_else(|| OCI_INDEX.to_owned()),
        Document::Manifest(manifest) => manifest.media_type.unwrap_or_else(|| OCI_MANIFEST.to_owned()),
    };
    Ok(Descriptor::new(&media_type, Digest::of(&bytes), bytes.len() as u64))
}

/// What `name` is at the registry; of an index the image for this platform or, with `all`, all of them.
pub fn of_registry(registry: &dyn Registry, name: &Reference, platform: &Platform, all: bool) -> Result<Instances> {
    let (bytes, document) = document(registry, name)?;
    let entries = match document {
        Document::Index(index) if all => index.manifests,
        Document::Index(index) => {
            vec![platform.choose(&index).ok_or_else(|| no_platform(platform, &index).of(name))?.clone()]
        }
        Document::Manifest(manifest) => {
            let media_type = manifest.media_type.as_deref().unwrap_or(OCI_MANIFEST);
            let mut entry = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
            entry.platform = platform_of(registry, name, &manifest).map_err(|error| error.of(name))?;
            vec![entry]
        }
    };
    let sources = entries.iter().map(|entry| (entry.digest.clone(), name.name())).collect();
    Ok(Instances { entries, sources })
}

/// An artifact has none.
fn platform_of(registry: &dyn Registry, name: &Reference, manifest: &Manifest) -> Result<Option<Platform>> {
    let config = &manifest.config;
    if !is_config(&config.media_type) {
        return Ok(None);
    }
    let limit = config.size.min(MAX_CONFIG as u64);
    let mut blob = registry.blob(name, &config.digest, 0)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = blob.next_chunk()? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > limit {
            break;
        }
    }
    let found = Digest::of(&bytes);
    if found != config.digest {
        return Err(Error::WrongDigest { what: "config", expected: config.digest.clone(), found });
    }
    Ok(Some(of_config(&ImageConfig::parse(&bytes)?)))
}
