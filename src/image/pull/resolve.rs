//! From a reference to one image: its manifest for the wanted platform and its config, both checked; or to an artifact, whose
//! config and blobs may be anything.

use super::Pull;
use super::progress::Event;
use crate::image::{Error, Result};
use crate::oci::manifest::{Document, Index, MAX_CONFIG, parse};
use crate::oci::media_type::{ManifestKind, layer_kind, manifest_kind};
use crate::oci::{Descriptor, Digest, ImageConfig, Manifest, Platform, Reference};
use crate::registry::{self, Content};

/// Indexes that point to indexes.
const DEPTH: usize = 3;

/// What the registry calls an image, bytes and meaning.
#[derive(Debug)]
pub(super) struct Resolved {
    pub manifest_bytes: Vec<u8>,
    pub manifest_digest: Digest,
    /// What it calls itself, else what the registry calls it.
    pub media_type: Option<String>,
    pub manifest: Manifest,
    pub config_bytes: Vec<u8>,
    /// `None`: it is an artifact.
    pub config: Option<ImageConfig>,
}

pub(crate) fn no_platform(wanted: &Platform, index: &Index) -> Error {
    let offered = index.manifests.iter().filter_map(|entry| entry.platform.as_ref()).map(Platform::to_string);
    // An index may have thousands.
    Error::NoPlatform { wanted: wanted.to_string(), offered: offered.take(20).collect() }
}

fn check_config(descriptor: &Descriptor, bytes: &[u8]) -> Result<()> {
    let Descriptor { digest, size, .. } = descriptor;
    if bytes.len() as u64 != *size {
        let (digest, expected, found) = (digest.clone(), *size, bytes.len() as u64);
        return Err(Error::WrongSize { what: "config", digest, expected, found });
    }
    let found = Digest::of(bytes);
    if found != *digest {
        return Err(Error::WrongDigest { what: "config", expected: digest.clone(), found });
    }
    Ok(())
}

impl Pull<'_> {
    pub(super) fn resolve(&self, image: &Reference) -> Result<Resolved> {
        let mut address = image.clone();
        let mut expected: Option<Descriptor> = None;
        for _ in 0..=DEPTH {
            let Content { bytes, media_type: claimed } = self.registry.manifest(&address)?;
            let digest = Digest::of(&bytes);
            if let Some(wanted) = address.digest().filter(|wanted| **wanted != digest) {
                return Err(Error::WrongDigest { what: "manifest", expected: wanted.clone(), found: digest });
            }
            if let Some(size) = expected.as_ref().map(|entry| entry.size).filter(|size| *size != bytes.len() as u64) {
                let found = bytes.len() as u64;
                return Err(Error::WrongSize { what: "manifest", digest, expected: size, found });
            }
            let media_type = expected.as_ref().map(|entry| entry.media_type.as_str()).filter(|text| !text.is_empty());
            // Both are claims that must be true; only the index' is covered by a digest.
            if media_type.is_some() {
                parse(&bytes, claimed.as_deref())?;
            }
            match parse(&bytes, media_type.or(claimed.as_deref()))? {
                Document::Manifest(manifest) => {
                    let claimed = claimed.filter(|text| manifest_kind(text) == Some(ManifestKind::Manifest));
                    let media_type = manifest.media_type.clone().or(claimed);
                    let (config_bytes, config) = self.config(image, &manifest)?;
                    return Ok(Resolved {
                        manifest_bytes: bytes,
                        manifest_digest: digest,
                        media_type,
                        manifest: *manifest,
                        config_bytes,
                        config,
                    });
                }
                Document::Index(index) => {
                    let entry = self.platform.choose(&index).ok_or_else(|| no_platform(&self.platform, &index))?;
                    address = image.at(entry.digest.clone());
                    expected = Some(entry.clone());
                }
            }
        }
        Err(Error::DeepIndex(DEPTH))
    }

    /// The config of a manifest, and what it means.
    fn config(&self, image: &Reference, manifest: &Manifest) -> Result<(Vec<u8>, Option<ImageConfig>)> {
        match manifest.check_is_image() {
            Err(error) if !self.artifacts => return Err(error.into()),
            Err(_) => return Ok((self.config_bytes(image, &manifest.config)?, None)),
            Ok(()) => {}
        }
        for layer in &manifest.layers {
            let (digest, media_type) = (layer.digest.clone(), layer.media_type.chars().take(120).collect());
            match layer_kind(&layer.media_type) {
                Some(kind) if !kind.foreign => {}
                Some(_) => return Err(Error::Foreign { digest, media_type }),
                None => return Err(Error::NotALayer { digest, media_type }),
            }
        }
        let config_bytes = self.config_bytes(image, &manifest.config)?;
        let config = ImageConfig::parse(&config_bytes)?;
        manifest.check_config(&config)?;
        let made_for = config.platform();
        if !made_for.runs_on(&self.platform) {
            self.progress.event(Event::OtherPlatform { image: &made_for, wanted: &self.platform });
        }
        Ok((config_bytes, Some(config)))
    }

    /// The config's bytes, from the store if they are there, checked.
    fn config_bytes(&self, image: &Reference, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let digest = &descriptor.digest;
        if descriptor.size > MAX_CONFIG as u64 {
            return Err(crate::oci::image_config::ConfigError::TooLarge(descriptor.size as usize).into());
        }
        if let Ok(bytes) = self.store.read_blob(digest, MAX_CONFIG) {
            return check_config(descriptor, &bytes).map(|()| bytes);
        }
        let mut attempts = self.registry.attempts();
        loop {
            match self.small_blob(image, descriptor) {
                Ok(bytes) => match check_config(descriptor, &bytes) {
                    Err(_) if self.registry.leave(digest) => {}
                    checked => return checked.map(|()| bytes),
                },
                Err(error) => match self.registry.again(digest, &mut attempts, &error) {
                    Some(pause) => std::thread::sleep(pause),
                    None => return Err(error.into()),
                },
            }
        }
    }

    /// The bytes of a blob, as they come; not many more than there should be.
    fn small_blob(&self, image: &Reference, descriptor: &Descriptor) -> registry::Result<Vec<u8>> {
        let mut blob = self.registry.blob(image, &descriptor.digest, 0)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = blob.next_chunk()? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > descriptor.size {
                break;
            }
        }
        Ok(bytes)
    }
}
