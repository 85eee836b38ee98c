//! An archive as what an image is pulled from.

use std::io::BufReader;

use super::{Archive, Blobs};
use crate::image::pull::PARALLEL;
use crate::image::{Error, Result};
use crate::layer::archive::Member;
use crate::layer::compression::{self, Packing};
use crate::oci::manifest::{Document, MAX_MANIFEST, parse};
use crate::oci::{Descriptor, Digest, Reference};
use crate::registry::{self, Blob, Content, Registry};

/// Bytes that are read at once of a file that is unpacked.
const PIECE: usize = 256 << 10;

impl Archive {
    fn name_of(&self, digest: &Digest) -> Option<String> {
        match &self.blobs {
            Blobs::Layout => Some(format!("blobs/sha256/{}", digest.hex())),
            Blobs::Flat => Some(digest.hex().to_owned()),
            Blobs::Named(names) => names.get(digest).cloned(),
        }
    }

    /// How many blobs are read at once: one where some are in xz, each of which takes up to 64 MiB of memory.
    pub(super) fn at_once(&self) -> usize {
        let Blobs::Named(names) = &self.blobs else { return PARALLEL };
        let is_xz = |name: &String| {
            let member = self.contents.member(name).ok().flatten();
            member.is_some_and(|member| matches!(member.packing(), Ok(Packing::Xz)))
        };
        if names.values().any(is_xz) { 1 } else { PARALLEL }
    }

    fn member(&self, digest: &Digest) -> Result<Member> {
        let name = self.name_of(digest).unwrap_or_else(|| digest.to_string());
        let member = self.contents.member(&name).map_err(Error::Contents)?;
        member.ok_or(Error::Missing { name })
    }

    /// The manifest, or index, of this digest. What it speaks of is there, and has the sizes that it tells.
    fn document(&self, digest: &Digest) -> Result<Vec<u8>> {
        let bytes = match (self.manifests.get(digest), &self.blobs) {
            (Some(bytes), _) => bytes.clone(),
            (None, Blobs::Flat) => self.small(format!("{}.manifest.json", digest.hex()))?,
            (None, _) => self.small(self.name_of(digest).unwrap_or_default())?,
        };
        // Bytes of another digest are the caller's to refuse.
        // What a docker-archive holds was measured when its manifest was made.
        if Digest::of(&bytes) == *digest
            && !matches!(self.blobs, Blobs::Named(_))
            && let Document::Manifest(manifest) = parse(&bytes, None)?
        {
            self.check("config", &manifest.config)?;
            manifest.layers.iter().try_for_each(|layer| self.check("layer", layer))?;
        }
        Ok(bytes)
    }

    fn small(&self, name: String) -> Result<Vec<u8>> {
        let bytes = self.contents.bytes(&name, MAX_MANIFEST).map_err(Error::Contents)?;
        bytes.ok_or(Error::Missing { name })
    }

    fn check(&self, what: &'static str, blob: &Descriptor) -> Result<()> {
        let (found, expected) = (self.member(&blob.digest)?.size(), blob.size);
        match found == expected {
            true => Ok(()),
            false => Err(Error::WrongSize { what, digest: blob.digest.clone(), expected, found }),
        }
    }
}

impl Registry for Archive {
    fn manifest(&self, image: &Reference) -> registry::Result<Content> {
        let digest = image.digest().ok_or_else(|| Error::Missing { name: image.to_string() });
        let bytes = digest.and_then(|digest| self.document(digest));
        Ok(Content { bytes: bytes.map_err(|error| registry::Error::Source(error.into()))?, media_type: None })
    }

    fn blob(&self, _: &Reference, digest: &Digest, _: u64) -> registry::Result<Blob> {
        let failed = |error: Error| registry::Error::Source(error.into());
        let member = self.member(digest).map_err(failed)?;
        let unreadable = |error| failed(Error::Contents(crate::layer::Error::Read(error)));
        match (&self.blobs, member.packing().map_err(unreadable)?) {
            (Blobs::Named(_), packing @ (Packing::Bzip2 | Packing::Xz)) => {
                let member = BufReader::with_capacity(PIECE, member);
                Ok(Blob::of(compression::unpack(packing, member).map_err(unreadable)?))
            }
            _ => Ok(Blob::of(member)),
        }
    }
}
