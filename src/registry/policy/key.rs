//! Public keys of signatures, of the kinds that cosign makes or takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};

use crate::host::config;
use crate::oci::policy::Key;
use crate::registry::{Error, Result};

/// What a key's DER says that it is for (RFC 5280, 4.1.2.7), and how its signatures are checked.
static KINDS: [(&[u8], &dyn VerificationAlgorithm); 4] = [
    // RFC 5480: id-ecPublicKey on secp256r1, on secp384r1.
    (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", &ECDSA_P256_SHA256_ASN1),
    (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", &ECDSA_P384_SHA256_ASN1),
    // RFC 8410: id-Ed25519.
    (b"\x06\x03\x2b\x65\x70", &ED25519),
    // RFC 3279: rsaEncryption, and its NULL.
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00", &RSA_PKCS1_2048_8192_SHA256),
];
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

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
        let key = der(&pem).and_then(|der| parse(&der));
        key.map(Self).ok_or_else(|| {
            Error::Rejected(format!(
                "{name} is no public key of the kinds that are supported: PEM; ECDSA on P-256 or P-384, Ed25519, RSA"
            ))
        })
    }

    pub fn verifies(&self, payload: &[u8], signature: &[u8]) -> bool {
        self.0.verify(payload, signature).is_ok()
    }
}

/// What stands in PEM; one key alone.
fn der(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?.trim();
    let text: String = text.strip_prefix(BEGIN)?.strip_suffix(END)?.split_ascii_whitespace().collect();
    STANDARD.decode(text).ok()
}

/// SubjectPublicKeyInfo: a sequence of what it is for and the key, as a string of whole bytes.
fn parse(der: &[u8]) -> Option<UnparsedPublicKey<Vec<u8>>> {
    let (info, []) = value(SEQUENCE, der)? else { return None };
    let (kind, rest) = value(SEQUENCE, info)?;
    let ([0, key @ ..], []) = value(BIT_STRING, rest)? else { return None };
    let (_, algorithm) = KINDS.into_iter().find(|(known, _)| *known == kind)?;
    Some(UnparsedPublicKey::new(algorithm, key.to_vec()))
}

/// The value that begins with this tag, and what stands behind it (X.690, 8.1; lengths below 64 KiB).
fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match bytes.strip_prefix(&[tag])? {
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [length @ ..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
