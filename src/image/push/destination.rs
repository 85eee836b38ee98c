//! What is pushed to: a registry, or an archive.

use bytes::Bytes;

use crate::image::Result;
use crate::oci::{Digest, Reference};
use crate::registry::{Client, Mount, Outgoing, Upload};

/// Takes blobs, several at once, and then the manifests that name them.
pub trait Destination: Sync {
    /// Whether this blob is there for `to`.
    fn has_blob(&self, to: &Reference, digest: &Digest, size: u64) -> Result<bool>;

    /// Asks for a blob that the repository `from` has; `None`: it can't be had from there.
    fn mount(&self, to: &Reference, digest: &Digest, from: &str) -> Result<Option<Mount>>;

    /// Sends a blob for `to`, into the upload `begun` if there is one, until `given_up`. `told` hears how many bytes are there.
    fn push_blob(
        &self,
        to: &Reference,
        blob: &Outgoing,
        begun: Option<Upload>,
        told: &dyn Fn(u64),
        given_up: &dyn Fn() -> bool,
    ) -> Result<()>;

    /// Stores a manifest or index under the digest of `to`, or its tag. What digest it is said to have there, if any.
    fn put_manifest(&self, to: &Reference, media_type: &str, bytes: &[u8]) -> Result<Option<String>>;
}

impl Destination for Client {
    fn has_blob(&self, to: &Reference, digest: &Digest, size: u64) -> Result<bool> {
        Ok(self.has_blob(to, digest, size)?)
    }

    fn mount(&self, to: &Reference, digest: &Digest, from: &str) -> Result<Option<Mount>> {
        match self.mount(to, digest, from) {
            Ok(mount) => Ok(Some(mount)),
            // We may not read there, or it has gone from there: no reason not to write here.
            Err(error) if error.is_an_answer() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn push_blob(
        &self,
        to: &Reference,
        blob: &Outgoing,
        begun: Option<Upload>,
        told: &dyn Fn(u64),
        given_up: &dyn Fn() -> bool,
    ) -> Result<()> {
        Ok(self.push_blob(to, blob, begun, told, given_up)?)
    }

    fn put_manifest(&self, to: &Reference, media_type: &str, bytes: &[u8]) -> Result<Option<String>> {
        Ok(self.put_manifest(to, media_type, Bytes::copy_from_slice(bytes))?)
    }
}
