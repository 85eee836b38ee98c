//! A registry, seen from the program: manifests and blobs, fetched and sent (OCI distribution-spec).
//!
//! ```text
//! client      for callers that block: Registry's questions, tags, check
//! blob        a blob on its way, from any byte on
//! upload      what a push asks: sizes, mounts, parts of blobs, manifests; a blob whole, whatever breaks
//! connection  every request: which transport, redirects, once more after a 401, errors
//!   auth  challenge        who we are: basic, or tokens of a token server
//!   endpoint               where a registry is, and where it may send us
//!   http  certificates     limits of time and length; authorities and client certificates
//! policy                   which images come through
//! search                   images at a registry that are not named
//! retry  error             what may pass is tried again; what went wrong, in words
//! credentials              the files that say who we are
//! registries  mirrors      registries.conf: where the images of a name are, each place in turn
//! ```
//!
//! [`Registry`] is all that pulling knows. Everything asynchronous lives and dies inside this room, on one thread of its own.
//!
//! The crate `oci-client` gives the errors' vocabulary and the HTTP stack, `reqwest` on `rustls`. Its own requests can't be used:
//! they read bodies of any length into memory, keep the headers to themselves that say when to come again (`Retry-After`) and
//! which part of a blob was sent (`Content-Range`), follow any redirect, know neither identity tokens nor client certificates,
//! and ask a token server never again once its token has run out.
//!
//! What must stay true:
//! * A client of TLS is built only when it is used: it costs 50 ms and reads every certificate of the machine.
//! * Streams only: a layer is never held in memory. Everything else that comes has a limit, in bytes and in time.
//! * A credential goes to the host that it is for, and nowhere else: not after a redirect, not to a realm in the clear, and in the
//!   clear to no port that speaks TLS.
//! * Nothing secret is printed: no password, no token, and no URL, since a redirect's may carry a signature.
//! * What a registry says is quoted, if at all, short and without control characters.

mod auth;
mod blob;
mod certificates;
mod challenge;
mod client;
mod connection;
mod credentials;
mod endpoint;
mod error;
mod fetch;
mod http;
mod mirrors;
mod policy;
pub mod registries;
mod retry;
mod search;
mod upload;

pub use blob::Blob;
pub use client::{Client, Options, Patience};
pub use credentials::{AuthFile, Credentials, Sources};
pub use endpoint::TlsVerify;
pub use error::Error;
pub use fetch::{Fetched, Marks, Wanted, fetch};
pub use mirrors::Mirrors;
pub use policy::{Trusted, admit_archive};
pub use retry::{Attempts, wait};
pub use search::Hit;
pub use upload::{Mount, Outgoing, Upload};

use std::time::Duration;

use crate::oci::{Digest, Reference};

pub type Result<T> = std::result::Result<T, Error>;

/// A document, and what its sender calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub media_type: Option<String>,
}

/// What an image is pulled from.
pub trait Registry: Sync {
    /// How often a transfer from here that breaks is taken up again.
    fn attempts(&self) -> Attempts {
        Attempts::new(&Patience::default())
    }

    /// How long a transfer from here may bring nothing before it counts as dead.
    fn stall(&self) -> Duration {
        Patience::default().stall
    }

    /// The place from which this blob came has failed for good. `true`: from now on another one is asked.
    fn leave(&self, _: &Digest) -> bool {
        false
    }

    /// How long to wait after this failure before the blob is asked for once more, elsewhere if no attempt is left here.
    fn again(&self, blob: &Digest, attempts: &mut Attempts, error: &Error) -> Option<Duration> {
        let pause = attempts.another(error);
        if pause.is_some() || !self.leave(blob) {
            return pause;
        }
        *attempts = self.attempts();
        Some(Duration::ZERO)
    }

    /// What lies at a manifest's address: by the digest of `image` if it has one, else by its tag. Unchecked.
    fn manifest(&self, image: &Reference) -> Result<Content>;

    /// The bytes of a blob from byte `from` on (or from its start: see [`Blob::start`]), as they come. Unchecked.
    fn blob(&self, image: &Reference, digest: &Digest, from: u64) -> Result<Blob>;
}
