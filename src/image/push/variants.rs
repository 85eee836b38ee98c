//! The images of an index in other compressions, beside those that they have. An annotation of the field's tells which have zstd:
//! a client that knows it takes such a one, and any other the first for its platform, which comes in gzip.

use super::Push;
use super::compress::Wanted;
use crate::image::Result;
use crate::oci::{Compression, Descriptor, Digest, Document, Index, Reference};

/// Says of an image in an index that its layers are compressed with zstd.
const ZSTD: &str = "io.github.containers.compression.zstd";

/// How the layers of an image are compressed, as far as its index says.
fn compression(entry: &Descriptor) -> Compression {
    match entry.annotations.get(ZSTD).map(String::as_str) {
        Some("true") => Compression::Zstd,
        _ => Compression::Gzip,
    }
}

impl Push<'_> {
    /// Pushes each image of `index` in every way of [`Push::variants`] in which the index has none for its platform, and adds
    /// that. `old`: the index before its images were pushed.
    pub(super) fn add_variants<'s>(
        &self,
        index: &mut Index,
        old: &Index,
        source_of: &dyn Fn(&Digest) -> Option<&'s str>,
        to: &Reference,
    ) -> Result<()> {
        let images: Vec<_> = old.manifests.iter().zip(index.manifests.clone()).collect();
        for wanted in self.variants {
            for (entry, pushed) in &images {
                let is_it =
                    |other: &Descriptor| other.platform == pushed.platform && compression(other) == wanted.compression;
                if !index.manifests.iter().any(is_it)
                    && let Some((digest, size, media_type)) =
                        self.variant(entry, *wanted, source_of(&entry.digest), to)?
                    && digest != pushed.digest
                {
                    let mut entry = Descriptor { digest, size, media_type: media_type.to_owned(), ..pushed.clone() };
                    mark(&mut entry, wanted.compression);
                    index.manifests.push(entry);
                }
            }
        }
        if !self.variants.is_empty() {
            // Who knows nothing of the annotation takes the first.
            index.manifests.sort_by_key(|entry| compression(entry) == Compression::Zstd);
        }
        Ok(())
    }

    /// Pushes the image of an entry with its layers compressed in this way: digest and size of its manifest, and its type. `None`:
    /// it is none.
    fn variant(
        &self,
        entry: &Descriptor,
        wanted: Wanted,
        repository: Option<&str>,
        to: &Reference,
    ) -> Result<Option<(Digest, u64, &'static str)>> {
        let source = repository.filter(|_| !self.store.has_blob(&entry.digest));
        let source = source.map(|repository| self.source(repository, &entry.digest)).transpose()?;
        let (bytes, document) = match &source {
            Some(source) => source.document()?,
            None => self.document(&entry.digest)?,
        };
        let Document::Manifest(manifest) = document else { return Ok(None) };
        if manifest.check_is_image().is_err() {
            return Ok(None);
        }
        let plan = self.plan_anywhere((bytes, *manifest), source, to, Some(wanted))?;
        let digest = Digest::of(&plan.manifest);
        self.send(&plan, &to.at(digest.clone()))?;
        Ok(Some((digest, plan.manifest.len() as u64, plan.media_type)))
    }
}

/// Says in an image's entry how its layers are compressed.
pub(super) fn mark(entry: &mut Descriptor, compression: Compression) {
    match compression {
        Compression::Zstd => drop(entry.annotations.insert(ZSTD.to_owned(), "true".to_owned())),
        Compression::Gzip | Compression::None => drop(entry.annotations.remove(ZSTD)),
    }
}
