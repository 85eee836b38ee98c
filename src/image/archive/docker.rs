//! Reading docker-archive, of which `manifest.json` tells images: their config, their names and their layers, by names of entries.
//!
//! The config says which digests the uncompressed layers have; they are the blobs' digests too, unless an entry is compressed,
//! which is hashed once more. One that is compressed as no layer may be is a blob once it is unpacked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Offered;
use crate::image::{Error, Result};
use crate::layer::archive::{Contents, Member};
use crate::layer::compression::Packing;
use crate::oci::manifest::{MAX_CONFIG, MAX_ENTRIES, MAX_LAYERS, ManifestError};
use crate::oci::media_type::Format;
use crate::oci::{Compression, Descriptor, Digest, ImageConfig, Manifest};

/// One image (moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    config: String,
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

/// What `manifest.json` tells.
#[derive(Debug, Default)]
pub(super) struct Docker {
    pub images: Vec<Offered>,
    pub manifests: BTreeMap<Digest, Vec<u8>>,
    /// The entries' names.
    pub blobs: BTreeMap<Digest, String>,
}

pub(super) fn read(contents: &Contents, manifest: &[u8]) -> Result<Docker> {
    let items: Vec<Item> = serde_json::from_slice(manifest).map_err(ManifestError::from)?;
    if items.len() > MAX_ENTRIES {
        return Err(ManifestError::TooManyEntries(items.len()).into());
    }
    let names = items.iter().flat_map(|item| &item.repo_tags).map(Vec::len).sum();
    if names > MAX_ENTRIES {
        return Err(Error::TooManyNames(names));
    }
    let (mut docker, mut known) = (Docker::default(), Known::default());
    for item in items {
        if item.layers.len() > MAX_LAYERS {
            return Err(ManifestError::TooManyLayers(item.layers.len()).into());
        }
        let bytes = docker.image(contents, &item, &mut known)?;
        let manifest = Digest::of(&bytes);
        docker.manifests.insert(manifest.clone(), bytes);
        docker.images.push(Offered { names: item.repo_tags.unwrap_or_default(), manifest });
    }
    Ok(docker)
}

/// What was read of earlier images, by the real names of entries: an archive may name one many times.
#[derive(Default)]
struct Known {
    layers: BTreeMap<String, Descriptor>,
    /// With their diff ids.
    configs: BTreeMap<String, (Descriptor, Vec<Digest>)>,
}

impl Docker {
    /// The manifest of one image.
    fn image(&mut self, contents: &Contents, item: &Item, known: &mut Known) -> Result<Vec<u8>> {
        let missing = |name: &String| Error::Missing { name: name.clone() };
        let real = |name: &String| contents.real_name(name).map_err(Error::Contents)?.ok_or_else(|| missing(name));
        let (config, diff_ids) = match known.configs.entry(real(&item.config)?) {
            Occupied(entry) => entry.into_mut(),
            Vacant(entry) => {
                let bytes = contents.bytes(&item.config, MAX_CONFIG).map_err(Error::Contents)?;
                entry.insert(describe_config(&bytes.ok_or_else(|| missing(&item.config))?)?)
            }
        };
        let id = config.digest.clone();
        if let Some(expected) = named_by(&item.config).filter(|expected| *expected != id) {
            return Err(Error::WrongDigest { what: "config", expected, found: id });
        }
        if item.layers.len() != diff_ids.len() {
            let (layers, diff_ids) = (item.layers.len(), diff_ids.len());
            return Err(ManifestError::LayersDiffer { layers, diff_ids }.into());
        }
        let mut layers = Vec::new();
        for (name, diff_id) in item.layers.iter().zip(diff_ids) {
            let real = real(name)?;
            let layer = match known.layers.get(&real) {
                Some(layer) => of_image(layer, diff_id),
                None => {
                    let member = contents.member(name).map_err(Error::Contents)?.ok_or_else(|| missing(name))?;
                    describe(contents, member, diff_id.clone())?
                }
            };
            known.layers.insert(real, layer.clone());
            self.blobs.entry(layer.digest.clone()).or_insert_with(|| name.clone());
            layers.push(layer);
        }
        self.blobs.entry(id).or_insert_with(|| item.config.clone());
        let config = config.clone();
        let manifest = Manifest::new(Format::Docker.manifest(), config, layers);
        Ok(serde_json::to_vec(&manifest).map_err(ManifestError::from)?)
    }
}

fn describe_config(bytes: &[u8]) -> Result<(Descriptor, Vec<Digest>)> {
    let config = Descriptor::new(Format::Docker.config(), Digest::of(bytes), bytes.len() as u64);
    Ok((config, ImageConfig::parse(bytes)?.rootfs.diff_ids))
}

/// A layer that was described before, for another mention. One whose plain bytes count has the digest that this image gives it, which
/// is checked when it is unpacked; to take it apart again for its size would be work without end.
fn of_image(layer: &Descriptor, diff_id: &Digest) -> Descriptor {
    let plain = Format::Docker.layer(Compression::None);
    if layer.media_type == plain { Descriptor::new(plain, diff_id.clone(), layer.size) } else { layer.clone() }
}

fn describe(contents: &Contents, mut member: Member, diff_id: Digest) -> Result<Descriptor> {
    let read = |error| Error::Contents(crate::layer::Error::Read(error));
    let size = member.size();
    let plain = |size| Ok(Descriptor::new(Format::Docker.layer(Compression::None), diff_id.clone(), size));
    let compression = match member.packing().map_err(read)? {
        Packing::Gzip => Compression::Gzip,
        Packing::Zstd => Compression::Zstd,
        Packing::Plain => return plain(size),
        packing => return plain(contents.unpacked_size(member, packing).map_err(Error::Contents)?),
    };
    let mut hash = Sha256::new();
    std::io::copy(&mut member, &mut HashWriter(&mut hash)).map_err(read)?;
    Ok(Descriptor::new(Format::Docker.layer(compression), Digest::from_sha256(hash.finalize().into()), size))
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The digest that a config's name promises: `HEX.json`, `blobs/sha256/HEX`.
fn named_by(name: &str) -> Option<Digest> {
    let last = name.rsplit('/').next()?;
    Digest::from_hex(last.strip_suffix(".json").unwrap_or(last)).ok()
}
