//! An image that an index names and the store does not hold: it goes from the registry where it is to the one where the index
//! goes, as it is.

use std::io::Write;

use super::plan::Plan;
use super::{Push, distinct};
use crate::image::manifest::remote;
use crate::image::pull::has_room;
use crate::image::{Error, Result};
use crate::oci::{Descriptor, Digest, Document, Manifest, Reference};
use crate::registry::{self, Outgoing, Registry, Trusted};
use crate::store::Tmp;
use crate::store::blobs::BlobWriter;
use crate::sys::Call;

/// Where an image, or an index of images, is.
pub(super) struct Source {
    pub registry: Trusted,
    pub name: Reference,
}

impl Push<'_> {
    /// What has the digest `manifest` at the repository `repository`.
    pub(super) fn source(&self, repository: &str, manifest: &Digest) -> Result<Source> {
        let name = repository.parse::<Reference>()?.at(manifest.clone());
        Ok(Source { registry: (self.reach)(&name)?, name })
    }

    /// The image of a source, with this manifest: its blobs are fetched when they are needed.
    pub(super) fn plan_of_source(&self, source: Source, bytes: Vec<u8>, manifest: &Manifest) -> Result<Plan> {
        let tmp = self.store.tmp_dir()?;
        let blob = |blob: &Descriptor| Outgoing {
            digest: blob.digest.clone(),
            size: blob.size,
            path: tmp.path().join(blob.digest.hex()),
        };
        let layers = distinct(manifest.layers.iter().map(blob));
        let config = blob(&manifest.config);
        let media_type = manifest.format().manifest();
        Ok(Plan { layers, config, manifest: bytes, media_type, source: Some(source), _tmp: vec![tmp] })
    }
}

impl Source {
    /// The manifest or index, checked.
    pub fn document(&self) -> Result<(Vec<u8>, Document)> {
        remote::document(&self.registry, &self.name)
    }

    /// Fetches all blobs that a manifest names to a directory, by their digests' digits.
    pub fn fetch_all(&self, manifest: &Manifest, directory: Tmp) -> Result<Tmp> {
        for blob in manifest.layers.iter().chain([&manifest.config]) {
            let path = directory.path().join(blob.digest.hex());
            self.fetch(&Outgoing { digest: blob.digest.clone(), size: blob.size, path }, &|| false)?;
        }
        Ok(directory)
    }

    /// Fetches a blob to its path, and checks it.
    pub fn fetch(&self, blob: &Outgoing, given_up: &dyn Fn() -> bool) -> Result<()> {
        let mut writer = BlobWriter::create(&blob.path)?;
        if let Some(directory) = blob.path.parent() {
            has_room(directory, &self.name, &format!("layer `{}`", blob.digest), blob.size)?;
        }
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
