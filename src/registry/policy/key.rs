//! Public keys of signatures: ECDSA on the curve P-256 with SHA-256, as cosign makes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use crate::host::config;
use crate::oci::policy::Key;
use crate::registry::{Error, Result};

/// What stands before the point in the key's DER (RFC 5480: `id-ecPublicKey`, `secp256r1`, a bit string of 65 bytes).
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const POINT: usize = 65;
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

pub struct PublicKey(UnparsedPublicKey<Vec<u8>>);

impl PublicKey {
    pub fn read(key: &Key) -> Result<Self> {
        let (pem, name) = match key {
            Key::Data(pem) => (pem.clone(), "the key in the policy".to_owned()),
            Key::File(path) => {
                let name = format!("the key `{}`", path.display());
                let read =
                    config::read(path).map_err(|error| Error::Rejected(format!("{name} can't be read: {error}")))?;
                (read.ok_or_else(|| Error::Rejected(format!("{name} does not exist")))?, name)
            }
        };
        let point = point(&pem).ok_or_else(|| {
            Error::Rejected(format!("{name} is no public key of the kind that is supported: PEM, ECDSA on P-256"))
        })?;
        Ok(Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)))
    }

    pub fn verifies(&self, payload: &[u8], signature: &[u8]) -> bool {
        self.0.verify(payload, signature).is_ok()
    }
}

/// The point out of PEM; one key alone.
fn point(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?.trim();
    let text: String = text.strip_prefix(BEGIN)?.strip_suffix(END)?.split_ascii_whitespace().collect();
    let der = STANDARD.decode(text).ok()?;
    let point = der.strip_prefix(&HEAD)?;
    (point.len() == POINT).then(|| point.to_vec())
}
