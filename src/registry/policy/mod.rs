//! policy.json as this account has it, enforced: an image comes through only if it meets what its scope says.
//!
//! ```text
//!   --signature-policy FILE, else $XDG_CONFIG_HOME/containers/policy.json, else /etc/containers/policy.json, else all is taken
//! ```
//!
//! Signatures are looked for wherever the policy asks for one, at the tag beside the image (`use-sigstore-attachments` in
//! registries.d need not say so). One of an index holds for the images in it, as it names their digests.

mod key;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use key::PublicKey;

use super::{Attempts, Blob, Content, Error, Mirrors, Registry, Result};
use crate::host::config;
use crate::oci::manifest::{Document, parse};
use crate::oci::policy::{Identity, Policy, Requirement, Signed};
use crate::oci::signature::{self, MAX_PAYLOAD, MAX_SIGNATURES, Payload};
use crate::oci::{Descriptor, Digest, Reference};

const FILE: &str = "policy.json";

/// The places of an image, of which nothing is seen that the policy does not take.
pub struct Trusted {
    registry: Mirrors,
    image: Reference,
    /// Requirements that are still to be met.
    wanted: Mutex<Vec<Wanted>>,
}

struct Wanted {
    keys: Vec<PublicKey>,
    identity: Identity,
}

/// A payload and what is said to be its signature, both unchecked.
struct Signature {
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Refuses an archive that the policy does not take: no signatures are read of one. `transport`: containers-transports(5);
/// `path`: where it is, without symbolic links; `name`: as its user calls it; `named`: as of [`Trusted::new`].
pub fn admit_archive(transport: &str, path: Option<&Path>, name: &str, named: Option<&Path>) -> Result<()> {
    match signatures(policy(named)?.requirements_of_archive(transport, path), &format!("{transport}:{name}"))?[..] {
        [] => Ok(()),
        _ => Err(no_signature()),
    }
}

/// The signatures that are required; an error where the image can't be taken whoever has signed it.
fn signatures<'a>(requirements: &'a [Requirement], image: &str) -> Result<Vec<&'a Signed>> {
    let mut all = Vec::new();
    for requirement in requirements {
        match requirement {
            Requirement::Accept => {}
            Requirement::Signed(signed) => all.push(signed),
            Requirement::Reject => return Err(Error::Rejected(format!("Running image {image} is rejected by policy"))),
            Requirement::Unsupported(kind) => {
                return Err(Error::Rejected(format!(
                    "the policy for {image} asks for `{kind}`, which is not supported"
                )));
            }
        }
    }
    Ok(all)
}

fn no_signature() -> Error {
    Error::Rejected("A signature was required, but no signature exists".to_owned())
}

impl Trusted {
    /// `image`: with its tag or digest, as its user names it. `named`: the file of the policy, if not the usual one.
    pub fn new(registry: Mirrors, image: &Reference, named: Option<&Path>) -> Result<Self> {
        let policy = policy(named)?;
        let mut wanted = Vec::new();
        for Signed { keys, identity } in signatures(policy.requirements(image), &format!("docker://{image}"))? {
            let keys = keys.iter().map(PublicKey::read).collect::<Result<_>>()?;
            wanted.push(Wanted { keys, identity: identity.clone() });
        }
        Ok(Self { registry, image: image.clone(), wanted: Mutex::new(wanted) })
    }

    fn check(&self, manifest: &[u8]) -> Result<()> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.is_empty() {
            return Ok(());
        }
        let digest = Digest::of(manifest);
        let signatures = self.signatures(&digest)?;
        let mut reasons = Vec::new();
        wanted.retain(|wanted| {
            !signatures.iter().any(|signature| match wanted.met(signature, &self.image, &digest) {
                Ok(()) => true,
                Err(reason) => {
                    reasons.push(reason);
                    false
                }
            })
        });
        // What is in an index may be signed itself.
        if wanted.is_empty() || matches!(parse(manifest, None), Ok(Document::Index(_))) {
            return Ok(());
        }
        Err(match &reasons[..] {
            [] => no_signature(),
            [reason] => Error::Rejected(reason.clone()),
            reasons => {
                Error::Rejected(format!("None of the signatures were accepted, reasons: {}", reasons.join("; ")))
            }
        })
    }

    /// The signatures of what has this digest; there may be none.
    fn signatures(&self, digest: &Digest) -> Result<Vec<Signature>> {
        let address = self.image.tagged(&signature::tag(digest));
        let content = match self.registry.manifest(&address) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            other => other?,
        };
        let rejected = |what: &str| Error::Rejected(format!("the signatures at `{address}` {what}"));
        let Ok(Document::Manifest(manifest)) = parse(&content.bytes, content.media_type.as_deref()) else {
            return Err(rejected("are no manifest"));
        };
        let described = manifest.layers.iter().filter_map(|layer| Some((layer, signature::signature(layer)?)));
        let mut signatures = Vec::new();
        for (layer, signature) in described.take(MAX_SIGNATURES) {
            if layer.size > MAX_PAYLOAD {
                return Err(rejected(&format!("have a payload of {} bytes, {MAX_PAYLOAD} at most", layer.size)));
            }
            let payload = self.payload(layer)?.ok_or_else(|| rejected("have a payload with another digest"))?;
            signatures.push(Signature { payload, signature });
        }
        Ok(signatures)
    }

    /// `None`: it is not what its digest says.
    fn payload(&self, layer: &Descriptor) -> Result<Option<Vec<u8>>> {
        let mut blob = self.registry.blob(&self.image, &layer.digest, 0)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = blob.next_chunk()? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > layer.size {
                return Ok(None);
            }
        }
        Ok(Some(bytes).filter(|bytes| Digest::of(bytes) == layer.digest))
    }
}

impl Wanted {
    /// Whether a signature is by one of the keys, of this digest, for this image; else why not.
    fn met(&self, signature: &Signature, image: &Reference, digest: &Digest) -> std::result::Result<(), String> {
        let Signature { payload, signature } = signature;
        if !self.keys.iter().any(|key| key.verifies(payload, signature)) {
            return Err("cryptographic signature verification failed: it is by none of the keys".to_owned());
        }
        let payload = Payload::parse(payload).ok_or("the signed payload is none of an image")?;
        if payload.digest() != digest {
            return Err(format!("the signature is for the manifest {}, not for {digest}", payload.digest()));
        }
        match self.identity.accepts(image, payload.reference()) {
            true => Ok(()),
            false => Err(format!("Signature for identity {:?} is not accepted", payload.reference())),
        }
    }
}

impl Registry for Trusted {
    fn attempts(&self) -> Attempts {
        self.registry.attempts()
    }

    fn stall(&self) -> Duration {
        self.registry.stall()
    }

    fn leave(&self, blob: &Digest) -> bool {
        self.registry.leave(blob)
    }

    fn manifest(&self, image: &Reference) -> Result<Content> {
        let content = self.registry.manifest(image)?;
        self.check(&content.bytes)?;
        Ok(content)
    }

    fn blob(&self, image: &Reference, digest: &Digest, from: u64) -> Result<Blob> {
        match self.wanted.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            true => self.registry.blob(image, digest, from),
            false => Err(Error::Rejected("A signature was required, and none was looked at".to_owned())),
        }
    }
}

fn policy(named: Option<&Path>) -> Result<Policy> {
    let unusable = |path: &Path, cause: String| Error::Configuration { path: path.to_owned(), cause };
    let usual = config::folders().into_iter().map(|folder| folder.join(FILE));
    let paths: Vec<PathBuf> = named.map_or_else(|| usual.collect(), |named| vec![named.to_owned()]);
    for path in &paths {
        match config::read(path).map_err(|error| unusable(path, error.to_string()))? {
            Some(bytes) => return Policy::parse(&bytes).map_err(|error| unusable(path, error.to_string())),
            None if named.is_some() => return Err(unusable(path, "it does not exist".to_owned())),
            None => {}
        }
    }
    Ok(Policy::default())
}
