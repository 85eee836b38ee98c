//! Content digests (OCI image-spec, descriptor.md, "Digests").
//!
//! A digest becomes part of a path and of a URL, so a value of this type has always been checked: one known algorithm and
//! exactly its number of lower-case hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    hex: String,
}

/// Why a text is not a digest that this program can check.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DigestError {
    #[error("`{0}` is not a digest: expected `sha256:` and 64 hexadecimal digits")]
    Malformed(String),
    #[error("the digest algorithm `{0}` is not supported: only `sha256` is")]
    Algorithm(String),
}

impl Digest {
    pub const ALGORITHM: &'static str = "sha256";

    /// From the 32 bytes that a finished SHA-256 gives.
    pub fn from_sha256(bytes: [u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
        Self { hex: bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect() }
    }

    /// The digest of bytes at hand.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_sha256(sha2::Sha256::digest(bytes).into())
    }

    /// From 64 lower-case hexadecimal digits without the algorithm.
    pub fn from_hex(hex: &str) -> Result<Self, DigestError> {
        let good = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self { hex: hex.to_owned() }) } else { Err(DigestError::Malformed(shorten(hex))) }
    }

    /// The 64 digits, safe as a file name.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        match text.split_once(':') {
            Some((Self::ALGORITHM, hex)) => Self::from_hex(hex).map_err(|_| DigestError::Malformed(shorten(text))),
            Some((algorithm, _)) if !algorithm.is_empty() => Err(DigestError::Algorithm(shorten(algorithm))),
            _ => Err(DigestError::Malformed(shorten(text))),
        }
    }
}

/// What came over the wire is quoted in errors, but never at any length.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Self::ALGORITHM, self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_lower_case_sha256_is_a_digest() {
        let good = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), good);
        for bad in
            ["", "sha256:", "sha256:abc", "sha256:../../x", "0f", ":x", &good.to_uppercase(), &format!("{good}0")]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        assert_eq!("sha512:00".parse::<Digest>(), Err(DigestError::Algorithm("sha512".into())));
    }
}
