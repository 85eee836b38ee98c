//! What is pushed of an image: its blobs and its manifest, as they are in the store or in other words.

use std::path::{Path, PathBuf};

use super::compress::{Wanted, compress};
use super::source::Source;
use super::{Push, distinct};
use crate::image::{Error, Result};
use crate::oci::manifest::{MAX_MANIFEST, ManifestError, parse};
use crate::oci::media_type::{Compression, DOCKER_INDEX, DOCKER_MANIFEST, Format, OCI_MANIFEST, is_config, layer_kind};
use crate::oci::{Descriptor, Digest, Document, Manifest, Reference};
use crate::registry::{self, Outgoing};
use crate::store::compressed::Compressed;
use crate::store::{Store, Tmp};

/// Where the blobs of an image are.
pub(super) enum Held<'a> {
    InStore,
    /// By their digests' digits.
    In(&'a Path),
}

impl Held<'_> {
    fn path(&self, store: &Store, digest: &Digest) -> PathBuf {
        match self {
            Self::InStore => store.blob_path(digest),
            Self::In(directory) => directory.join(digest.hex()),
        }
    }

    fn outgoing(&self, store: &Store, blob: &Descriptor) -> Outgoing {
        Outgoing { digest: blob.digest.clone(), size: blob.size, path: self.path(store, &blob.digest) }
    }
}

/// One image, ready to be sent.
pub(super) struct Plan {
    /// Each once.
    pub layers: Vec<Outgoing>,
    pub config: Outgoing,
    pub manifest: Vec<u8>,
    pub media_type: &'static str,
    /// Where the blobs are that are not at their paths yet.
    pub source: Option<Source>,
    /// Of the blobs that were fetched or made for this push.
    pub _tmp: Vec<Tmp>,
}

impl Push<'_> {
    /// The manifest or index of this digest, as the store has it.
    pub(super) fn document(&self, digest: &Digest) -> Result<(Vec<u8>, Document)> {
        let bytes = self.store.read_blob(digest, MAX_MANIFEST)?;
        let document = parse(&bytes, None)?;
        Ok((bytes, document))
    }

    /// The image with this manifest, here or at its source, with its layers in the compression that is wanted.
    pub(super) fn plan_anywhere(
        &self,
        (bytes, manifest): (Vec<u8>, Manifest),
        source: Option<Source>,
        to: &Reference,
        wanted: Option<Wanted>,
    ) -> Result<Plan> {
        let Some(source) = source else { return self.plan((bytes, manifest), to, &Held::InStore, wanted) };
        let stays = self.format.is_none() && wanted.is_none() && self.variants.is_empty();
        if stays || manifest.check_is_image().is_err() {
            return self.plan_of_source(source, bytes, &manifest);
        }
        let fetched = source.fetch_all(&manifest, self.store.tmp_dir()?)?;
        let mut plan = self.plan((bytes, manifest), to, &Held::In(fetched.path()), wanted)?;
        plan._tmp.push(fetched);
        Ok(plan)
    }

    /// The image with this manifest, for the repository of `to`. An artifact stays as it is: nothing is known of it but its bytes.
    pub(super) fn plan(
        &self,
        (bytes, old): (Vec<u8>, Manifest),
        to: &Reference,
        held: &Held<'_>,
        wanted: Option<Wanted>,
    ) -> Result<Plan> {
        let is_image = old.check_is_image().is_ok();
        let format = if is_image { self.format_of(old.media_type.as_deref()) } else { old.format() };
        let media_type = format.manifest();
        let renamed = old.media_type.as_deref().unwrap_or(OCI_MANIFEST) != media_type;
        let mut new = old.clone();
        if renamed {
            new.media_type = Some(media_type.to_owned());
            if is_config(&new.config.media_type) {
                new.config.media_type = format.config().to_owned();
            }
            if format == Format::Docker {
                // Its manifests have none.
                new.annotations.clear();
            }
        }
        let (mut layers, mut tmp) = (Vec::<Outgoing>::new(), None);
        for layer in &mut new.layers {
            let blob = match layer_kind(&layer.media_type).filter(|_| is_image) {
                None => held.outgoing(self.store, layer),
                Some(kind) => {
                    match self.compress_anew(layer, (format, kind.compression), to, (held, wanted), &mut tmp)? {
                        Some((blob, compression)) => {
                            (layer.digest, layer.size) = (blob.digest.clone(), blob.size);
                            layer.media_type = word(format, compression, layer)?;
                            blob
                        }
                        None => {
                            if renamed {
                                layer.media_type = word(format, kind.compression, layer)?;
                            }
                            held.outgoing(self.store, layer)
                        }
                    }
                }
            };
            layers.push(blob);
        }
        let config = held.outgoing(self.store, &new.config);
        // What nobody wants changed keeps its bytes, and so its digest.
        let manifest = if new == old { bytes } else { serde_json::to_vec(&new).map_err(ManifestError::from)? };
        Ok(Plan {
            layers: distinct(layers),
            config,
            manifest,
            media_type,
            source: None,
            _tmp: tmp.into_iter().collect(),
        })
    }

    /// In whose words a manifest or index of this type is pushed.
    pub(super) fn format_of(&self, media_type: Option<&str>) -> Format {
        let mut wanted = self.compress.iter().chain(self.variants);
        let zstd = wanted.any(|wanted| wanted.compression == Compression::Zstd);
        match (self.format, media_type) {
            (Some(format), _) => format,
            // Docker has no word for such layers.
            _ if zstd => Format::Oci,
            (None, Some(DOCKER_MANIFEST | DOCKER_INDEX)) => Format::Docker,
            (None, _) => Format::Oci,
        }
    }

    /// The layer in the compression that is wanted; `None`: it stays as it is.
    fn compress_anew(
        &self,
        layer: &Descriptor,
        (format, compression): (Format, Compression),
        to: &Reference,
        (held, wanted): (&Held<'_>, Option<Wanted>),
        tmp: &mut Option<Tmp>,
    ) -> Result<Option<(Outgoing, Compression)>> {
        // Docker's images have no plain layers at a registry; those that come from its archives have no others.
        let plain = (format, compression) == (Format::Docker, Compression::None);
        let gzip = Wanted { compression: Compression::Gzip, level: None, force: true };
        let wanted = wanted.or(plain.then_some(gzip)).filter(|wanted| wanted.compression != compression);
        let Some(wanted) = wanted else { return Ok(None) };
        if !wanted.force && self.destination.has_blob(to, &layer.digest, layer.size)? {
            return Ok(None);
        }
        let how = wanted.name();
        if let Some(Compressed { digest, size }) = self.store.compressed(&layer.digest, &how)?
            && self.destination.has_blob(to, &digest, size)?
        {
            // It is there: nothing is read of it.
            let path = self.store.blob_path(&digest);
            return Ok(Some((Outgoing { digest, size, path }, wanted.compression)));
        }
        let directory = match tmp {
            Some(tmp) => tmp,
            None => tmp.insert(self.store.tmp_dir()?),
        };
        if let Held::InStore = held {
            let (digest, found) = (layer.digest.clone(), self.store.hash_blob(&layer.digest)?);
            if found != digest {
                let path = self.store.blob_path(&digest);
                return Err(registry::Error::Rotten { digest, path, found }.into());
            }
        }
        let (path, digest, size) = compress(&held.path(self.store, &layer.digest), wanted, directory)?;
        self.store.remember_compressed(&layer.digest, &how, Compressed { digest: digest.clone(), size })?;
        Ok(Some((Outgoing { digest, size, path }, wanted.compression)))
    }
}

/// What a format calls such a layer.
fn word(format: Format, compression: Compression, layer: &Descriptor) -> Result<String> {
    match (format, compression) {
        (Format::Docker, Compression::Zstd) => Err(Error::NoZstd { digest: layer.digest.clone() }),
        _ => Ok(format.layer(compression).to_owned()),
    }
}
