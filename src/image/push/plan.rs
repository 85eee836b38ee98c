//! What is pushed of an image: its blobs and its manifest, as they are in the store or in other words.

use super::compress::{Wanted, compress};
use super::source::Source;
use super::{Push, distinct};
use crate::image::{Error, Result};
use crate::oci::manifest::{MAX_MANIFEST, ManifestError, parse};
use crate::oci::media_type::{Compression, DOCKER_INDEX, DOCKER_MANIFEST, Format, OCI_MANIFEST, is_config, layer_kind};
use crate::oci::{Descriptor, Digest, Document, Manifest, Reference};
use crate::registry::Outgoing;
use crate::store::Tmp;
use crate::store::compressed::Compressed;

/// One image, ready to be sent.
pub(super) struct Plan {
    /// Each once.
    pub layers: Vec<Outgoing>,
    pub config: Outgoing,
    pub manifest: Vec<u8>,
    pub media_type: &'static str,
    /// Where the blobs are that are not at their paths yet.
    pub source: Option<Source>,
    /// Of the blobs that were made for this push.
    pub _tmp: Option<Tmp>,
}

impl Push<'_> {
    /// The manifest or index of this digest, as the store has it.
    pub(super) fn document(&self, digest: &Digest) -> Result<(Vec<u8>, Document)> {
        let bytes = self.store.read_blob(digest, MAX_MANIFEST)?;
        let document = parse(&bytes, None)?;
        Ok((bytes, document))
    }

    /// The image with this manifest, for the repository of `to`. An artifact stays as it is: nothing is known of it but its bytes.
    pub(super) fn plan(&self, bytes: Vec<u8>, old: Manifest, to: &Reference) -> Result<Plan> {
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
                None => self.stored(layer),
                Some(kind) => match self.compress_anew(layer, (format, kind.compression), to, &mut tmp)? {
                    Some((blob, compression)) => {
                        (layer.digest, layer.size) = (blob.digest.clone(), blob.size);
                        layer.media_type = word(format, compression, layer)?;
                        blob
                    }
                    None => {
                        if renamed {
                            layer.media_type = word(format, kind.compression, layer)?;
                        }
                        self.stored(layer)
                    }
                },
            };
            layers.push(blob);
        }
        let config = self.stored(&new.config);
        // What nobody wants changed keeps its bytes, and so its digest.
        let manifest = if new == old { bytes } else { serde_json::to_vec(&new).map_err(ManifestError::from)? };
        Ok(Plan { layers: distinct(layers), config, manifest, media_type, source: None, _tmp: tmp })
    }

    fn stored(&self, blob: &Descriptor) -> Outgoing {
        Outgoing { digest: blob.digest.clone(), size: blob.size, path: self.store.blob_path(&blob.digest) }
    }

    /// In whose words a manifest or index of this type is pushed.
    pub(super) fn format_of(&self, media_type: Option<&str>) -> Format {
        let zstd = self.compress.is_some_and(|wanted| wanted.compression == Compression::Zstd);
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
        tmp: &mut Option<Tmp>,
    ) -> Result<Option<(Outgoing, Compression)>> {
        // Docker's images have no plain layers at a registry; those that come from its archives have no others.
        let plain = (format, compression) == (Format::Docker, Compression::None);
        let gzip = Wanted { compression: Compression::Gzip, level: None, force: true };
        let wanted = self.compress.or(plain.then_some(gzip)).filter(|wanted| wanted.compression != compression);
        let Some(wanted) = wanted else { return Ok(None) };
        if !wanted.force && self.client.has_blob(to, &layer.digest, layer.size)? {
            return Ok(None);
        }
        let how = wanted.name();
        if let Some(Compressed { digest, size }) = self.store.compressed(&layer.digest, &how)?
            && self.client.has_blob(to, &digest, size)?
        {
            // It is there: nothing is read of it.
            let path = self.store.blob_path(&digest);
            return Ok(Some((Outgoing { digest, size, path }, wanted.compression)));
        }
        let directory = match tmp {
            Some(tmp) => tmp,
            None => tmp.insert(self.store.tmp_dir()?),
        };
        let (path, digest, size) = compress(self.store, layer, wanted, directory)?;
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
