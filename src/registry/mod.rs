//! A registry, seen from the program: manifests and blobs, fetched (OCI distribution-spec).
//!
//! [`Registry`] is all that the rest of the program knows; [`Client`] is the one that speaks to the network, behind it the crate
//! `oci-client`. Everything asynchronous lives and dies inside this room, on one thread of its own.
//!
//! What must stay true:
//! * A client is built only when the network is used: it costs 50 ms and reads every certificate of the machine.
//! * Streams only: a layer is never held in memory.
//! * Nothing secret is printed: no password, no token, and no URL, since a redirect's may carry a signature.
//! * What a registry says is quoted, if at all, short and without control characters.

mod client;
mod credentials;
mod endpoint;
mod error;
mod retry;

pub use client::{Blob, Client, Options};
pub use credentials::{Credentials, Sources};
pub use endpoint::TlsVerify;
pub use error::Error;
pub use retry::retry;

use crate::oci::{Digest, Reference};

pub type Result<T> = std::result::Result<T, Error>;

/// What an image is pulled from.
pub trait Registry: Sync {
    /// The bytes at a manifest's address: by the digest of `image` if it has one, else by its tag. If by digest, they have it.
    fn manifest(&self, image: &Reference) -> Result<Vec<u8>>;

    /// The bytes of a blob, from its start, as they come. Their digest is the caller's to check.
    fn blob(&self, image: &Reference, digest: &Digest) -> Result<Blob>;
}
