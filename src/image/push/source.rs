//! An image that an index names and the store does not hold: it goes from the registry where it is to the one where the index
//! goes, as it is.

use std::io::Write;

use super::plan::Plan;
use super::{Push, distinct};
use crate::image::{Error, Result};
use crate::oci::manifest::parse;
use crate::oci::media_type::{DOCKER_MANIFEST, OCI_MANIFEST};
use crate::oci::{Descriptor, Digest, Document, Reference};
use crate::registry::{self, Content, Outgoing, Registry, Trusted};
use crate::store::blobs::BlobWriter;
use crate::sys::Call;

/// Where an image is.
pub(super) struct Source {
    pub registry: Trusted,
    pub name: Reference,
}

impl Push<'_> {
    /// The image with the manifest that `entry` names, at the repository `source`: its blobs are fetched when they are needed.
    pub(super) fn plan_of_source(&self, source: &str, entry: &Descriptor) -> Result<Plan> {
        let name = source.parse::<Reference>()?.at(entry.digest.clone());
        let registry = (self.reach)(&name)?;
        let Content { bytes, media_type } = registry.manifest(&name)?;
        let found = Digest::of(&bytes);
        if found != entry.digest {
            return Err(Error::WrongDigest { what: "manifest", expected: entry.digest.clone(), found });
        }
        let Document::Manifest(manifest) = parse(&bytes, media_type.as_deref())? else {
            return Err(Error::DeepIndex(1));
        };
        let tmp = self.store.tmp_dir()?;
        let blob = |blob: &Descriptor| Outgoing {
            digest: blob.digest.clone(),
            size: blob.size,
            path: tmp.path().join(blob.digest.hex()),
        };
        let media_type = match manifest.media_type.as_deref() {
            Some(DOCKER_MANIFEST) => DOCKER_MANIFEST,
            _ => OCI_MANIFEST,
        };
        let layers = distinct(manifest.layers.iter().map(blob));
        let config = blob(&manifest.config);
        Ok(Plan {
            layers,
            config,
            manifest: bytes,
            media_type,
            source: Some(Source { registry, name }),
            _tmp: Some(tmp),
        })
    }
}

impl Source {
    /// Fetches a blob to its path, and checks it.
    pub fn fetch(&self, blob: &Outgoing, given_up: &dyn Fn() -> bool) -> Result<()> {
        let mut writer = BlobWriter::create(&blob.path)?;
        let mut attempts = self.registry.attempts();
        loop {
            match self.go_on(blob, &mut writer) {
                Ok(()) => break,
                Err(Error::Registry(error)) => {
                    let pause = self.registry.again(&blob.digest, &mut attempts, &error);
                    if !pause.is_some_and(|pause| registry::wait(pause, given_up)) {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let (_, found, size) = writer.seal();
        if size != blob.size {
            return Err(wrong_size(blob, size));
        }
        if found != blob.digest {
            return Err(Error::WrongDigest { what: "layer", expected: blob.digest.clone(), found });
        }
        Ok(())
    }

    fn go_on(&self, blob: &Outgoing, writer: &mut BlobWriter) -> Result<()> {
        let mut coming = self.registry.blob(&self.name, &blob.digest, writer.size())?;
        // A registry that can send no part sends all, of which the beginning is here.
        let mut known = writer.size().saturating_sub(coming.start);
        while let Some(chunk) = coming.next_chunk()? {
            let skipped = known.min(chunk.len() as u64);
            known -= skipped;
            let new = chunk.get(usize::try_from(skipped).unwrap_or_default()..).unwrap_or_default();
            if writer.size() + new.len() as u64 > blob.size {
                return Err(wrong_size(blob, writer.size() + new.len() as u64));
            }
            writer.write_all(new).call_with(|| format!("write({})", blob.path.display()))?;
        }
        Ok(())
    }
}

fn wrong_size(blob: &Outgoing, found: u64) -> Error {
    Error::WrongSize { what: "layer", digest: blob.digest.clone(), expected: blob.size, found }
}
