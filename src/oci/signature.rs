//! Signatures of images as cosign stores them: a manifest at the tag `sha256-HEX.sig` beside the image, of which each layer is a
//! payload (simple signing) with its signature as an annotation.
//!
//! The format is that of cosign's SIGNATURE_SPEC.md (tag-based discovery, OCI image manifest, simple signing), read as strictly as
//! containers/image reads it, to which policy.json belongs: keys as they are written by cosign, `docker-manifest-digest` (an example
//! of the specification has another first letter), and the name that was signed counts as the policy says, though cosign itself
//! ignores it. Signatures of the tests are made with openssl(1) in that form: no signature that cosign itself has made was tried.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{Descriptor, Digest};

/// Of a payload, in bytes.
pub const MAX_PAYLOAD: u64 = 4 << 20;
/// Of one image.
pub const MAX_SIGNATURES: usize = 100;
const MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const KIND: &str = "cosign container image signature";

/// Where the signatures of what has this digest are.
pub fn tag(digest: &Digest) -> String {
    format!("{}-{}.sig", Digest::ALGORITHM, digest.hex())
}

/// The signature of the payload that this describes; `None`: it describes something else.
pub fn signature(payload: &Descriptor) -> Option<Vec<u8>> {
    let text = payload.annotations.get(ANNOTATION).filter(|_| payload.media_type == MEDIA_TYPE)?;
    STANDARD.decode(text).ok()
}

/// What was signed.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    critical: Critical,
    #[serde(rename = "optional")]
    _optional: Option<Value>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: SignedImage,
    identity: SignedIdentity,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedIdentity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

impl Payload {
    /// Only what a checked signature covers may come here. `None`: it is none of an image.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|payload: &Self| payload.critical.kind == KIND)
    }

    /// The digest of the manifest that was signed.
    pub fn digest(&self) -> &Digest {
        &self.critical.image.digest
    }

    /// The name that the signer gave the image.
    pub fn reference(&self) -> &str {
        &self.critical.identity.reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_critical_is_all_known() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"critical":{{"type":"{KIND}","image":{{"docker-manifest-digest":"{digest}"}},"identity":{{"docker-reference":"q.io/x"}}}},"optional":{{"a":1}}}}"#
        );
        let payload = Payload::parse(text.as_bytes()).unwrap();
        assert_eq!((payload.digest(), payload.reference()), (&digest, "q.io/x"));
        assert!(Payload::parse(text.replace(r#","optional":{"a":1}"#, "").as_bytes()).is_some());
        for (from, to) in [
            (KIND, "atomic container signature"),
            (r#""identity":{"#, r#""identity":{"more":1,"#),
            (r#""image":{"#, r#""image":{"docker-manifest-digest":"sha256:00","#),
            (r#""type":"#, r#""also":1,"type":"#),
            (r#""optional":"#, r#""more":"#),
            ("sha256:", "sha512:"),
        ] {
            assert!(Payload::parse(text.replace(from, to).as_bytes()).is_none(), "{to}");
        }
    }
}
