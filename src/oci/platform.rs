//! Platforms: which of an index's images this machine can run (OCI image-spec, image-index.md, "platform").

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manifest::{Descriptor, Index};
use super::null_as_default;

/// `os/architecture[/variant]`, in Go's words: `linux/amd64`, `linux/arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// A text that names no platform.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a platform: expected `os/architecture` or `os/architecture/variant`, as in `linux/arm64`")]
pub struct PlatformError(String);

impl Platform {
    /// This machine's.
    pub fn host() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "aarch64" => ("arm64", Some("v8")),
            "arm" => ("arm", Some("v7")),
            "x86" => ("386", None),
            "powerpc64" if cfg!(target_endian = "little") => ("ppc64le", None),
            "loongarch64" => ("loong64", None),
            other => (other, None),
        };
        Self::new("linux", architecture, variant)
    }

    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        Self {
            architecture: architecture.to_owned(),
            os: os.to_owned(),
            variant: variant.map(str::to_owned),
            os_version: None,
            os_features: Vec::new(),
            extra: BTreeMap::new(),
        }
    }

    /// The variant that is meant where none is named.
    fn variant_or_default(&self) -> &str {
        match (self.architecture.as_str(), self.variant.as_deref().unwrap_or_default()) {
            ("arm64", "") => "v8",
            ("arm", "") => "v7",
            ("amd64", "") => "v1",
            (_, variant) => variant,
        }
    }

    /// How well an image for `self` runs on `wanted`: 0 is a perfect match, `None` not at all. On 32-bit ARM the older
    /// variants run too, the newest of them best.
    fn distance(&self, wanted: &Self) -> Option<u32> {
        if self.os != wanted.os || self.architecture != wanted.architecture {
            return None;
        }
        let (have, want) = (self.variant_or_default(), wanted.variant_or_default());
        if have == want {
            return Some(0);
        }
        let number = |variant: &str| variant.strip_prefix('v')?.parse::<u32>().ok();
        match (self.architecture.as_str(), number(have), number(want)) {
            ("arm" | "amd64", Some(have), Some(want)) if have < want => Some(want - have),
            _ => None,
        }
    }

    /// Whether an image made for `self` runs where `wanted` is asked for.
    pub fn runs_on(&self, wanted: &Self) -> bool {
        self.distance(wanted).is_some()
    }

    /// The entry of an index for this platform: the best match, the first of equals. An index of one entry that names no
    /// platform means that entry.
    pub fn choose<'a>(&self, index: &'a Index) -> Option<&'a Descriptor> {
        let best = index
            .manifests
            .iter()
            .filter_map(|entry| Some((entry.platform.as_ref()?.distance(self)?, entry)))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, entry)| entry);
        match (best, index.manifests.as_slice()) {
            (None, [only]) if only.platform.is_none() => Some(only),
            (best, _) => best,
        }
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// `os/architecture[/variant]`, in any case, with the names that `uname -m` gives.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let lower = text.to_ascii_lowercase();
        let parts: Vec<&str> = lower.split('/').collect();
        let good = |part: &&str| {
            !part.is_empty() && part.len() < 32 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let (os, architecture, variant) = match parts.as_slice() {
            [os, architecture] if [os, architecture].into_iter().all(good) => (*os, *architecture, None),
            [os, architecture, variant] if parts.iter().all(good) => (*os, *architecture, Some(*variant)),
            _ => return Err(PlatformError(text.chars().take(80).collect())),
        };
        let architecture = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "i386" => "386",
            other => other,
        };
        Ok(Self::new(os, architecture, variant))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn index(platforms: &[Option<&str>]) -> Index {
        let entry = |(number, platform): (usize, &Option<&str>)| {
            let mut descriptor = Descriptor::new("", Digest::of(&[number as u8]), 1);
            descriptor.platform = platform.map(|p| p.parse().unwrap());
            descriptor
        };
        Index { manifests: platforms.iter().enumerate().map(entry).collect(), ..Index::default() }
    }

    fn chosen(wanted: &str, platforms: &[Option<&str>]) -> Option<usize> {
        let index = index(platforms);
        let digest = wanted.parse::<Platform>().unwrap().choose(&index)?.digest.clone();
        index.manifests.iter().position(|entry| entry.digest == digest)
    }

    #[test]
    fn the_best_match_is_chosen() {
        assert_eq!(chosen("linux/amd64", &[Some("linux/arm64"), Some("linux/amd64")]), Some(1));
        assert_eq!(chosen("linux/amd64", &[Some("unknown/unknown"), Some("windows/amd64")]), None);
        assert_eq!(chosen("linux/amd64", &[Some("linux/amd64/v3"), Some("linux/amd64")]), Some(1));
        assert_eq!(chosen("linux/amd64", &[Some("linux/amd64/v3")]), None, "it would end in an illegal instruction");
        assert_eq!(chosen("linux/amd64/v3", &[Some("linux/amd64"), Some("linux/amd64/v2")]), Some(1));
        assert_eq!(chosen("linux/arm64/v8", &[Some("linux/arm/v7"), Some("linux/arm64")]), Some(1));
        let arm = [Some("linux/arm/v5"), Some("linux/arm/v6"), Some("linux/arm/v8")];
        assert_eq!(chosen("linux/arm/v7", &arm), Some(1));
        assert_eq!(chosen("linux/amd64", &[None]), Some(0));
        assert_eq!(chosen("linux/amd64", &[None, None]), None);
    }

    #[test]
    fn platforms_are_read_from_text() {
        assert_eq!("linux/aarch64".parse::<Platform>().unwrap().to_string(), "linux/arm64");
        assert_eq!("Linux/ARM/v7".parse::<Platform>().unwrap().to_string(), "linux/arm/v7");
        for bad in ["", "linux", "linux/", "a/b/c/d", "linux/amd 64"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
        assert_eq!(Platform::host().os, "linux");
    }
}
