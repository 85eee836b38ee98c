//! Media types of manifests, configs and layers (OCI image-spec, media-types.md; Docker's schema 2, which most registries
//! still hold).
//!
//! A media type is what the sender claims. It selects a parser; it never replaces a check.

use serde::{Deserialize, Serialize};

pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Of a config that says nothing, `{}`: an artifact's.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker's manifests of 2015 and before: layers without diff ids, unsigned in practice.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
pub const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// What a registry is asked for, the best first.
pub const ACCEPTED_MANIFESTS: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

/// The two things that a manifest's address can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestKind {
    /// One image for one platform.
    Manifest,
    /// A list of manifests, one for each platform.
    Index,
}

/// How a layer's tar stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Whose words an image is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Oci,
    Docker,
}

impl Format {
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Oci => OCI_MANIFEST,
            Self::Docker => DOCKER_MANIFEST,
        }
    }

    pub fn config(self) -> &'static str {
        match self {
            Self::Oci => OCI_CONFIG,
            Self::Docker => DOCKER_CONFIG,
        }
    }

    /// Of a layer that may be passed on.
    pub fn layer(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Oci, Compression::None) => "application/vnd.oci.image.layer.v1.tar",
            (Self::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Self::Oci, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Self::Docker, Compression::None) => "application/vnd.docker.image.rootfs.diff.tar",
            (Self::Docker, Compression::Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            (Self::Docker, Compression::Zstd) => "application/vnd.docker.image.rootfs.diff.tar.zstd",
        }
    }
}

/// What a layer's media type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerKind {
    pub compression: Compression,
    /// Non-distributable: the bytes are elsewhere, and must not be pushed on.
    pub foreign: bool,
}

/// `None` for what is neither manifest nor index. Parameters (`; charset=utf-8`) are not looked at.
pub fn manifest_kind(media_type: &str) -> Option<ManifestKind> {
    match essence(media_type) {
        OCI_MANIFEST | DOCKER_MANIFEST => Some(ManifestKind::Manifest),
        OCI_INDEX | DOCKER_INDEX => Some(ManifestKind::Index),
        _ => None,
    }
}

pub fn is_schema1(media_type: &str) -> bool {
    matches!(essence(media_type), DOCKER_SCHEMA1 | DOCKER_SCHEMA1_SIGNED)
}

pub fn is_config(media_type: &str) -> bool {
    matches!(essence(media_type), OCI_CONFIG | DOCKER_CONFIG)
}

/// `None` for what is no file system layer: an artifact, an attestation, an encrypted layer.
pub fn layer_kind(media_type: &str) -> Option<LayerKind> {
    use Compression::{Gzip, None as Plain, Zstd};
    let (compression, foreign) = match essence(media_type) {
        "application/vnd.oci.image.layer.v1.tar" => (Plain, false),
        "application/vnd.oci.image.layer.v1.tar+gzip" => (Gzip, false),
        "application/vnd.oci.image.layer.v1.tar+zstd" => (Zstd, false),
        "application/vnd.oci.image.layer.nondistributable.v1.tar" => (Plain, true),
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" => (Gzip, true),
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => (Zstd, true),
        "application/vnd.docker.image.rootfs.diff.tar" => (Plain, false),
        "application/vnd.docker.image.rootfs.diff.tar.gzip" => (Gzip, false),
        "application/vnd.docker.image.rootfs.diff.tar.zstd" => (Zstd, false),
        "application/vnd.docker.image.rootfs.foreign.diff.tar" => (Plain, true),
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => (Gzip, true),
        "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd" => (Zstd, true),
        _ => return None,
    };
    Some(LayerKind { compression, foreign })
}

/// The type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart() {
        assert_eq!(manifest_kind("application/vnd.oci.image.index.v1+json; charset=utf-8"), Some(ManifestKind::Index));
        assert_eq!(manifest_kind("application/json"), None);
        assert!(is_schema1(DOCKER_SCHEMA1_SIGNED) && is_config(DOCKER_CONFIG));
        for format in [Format::Oci, Format::Docker] {
            assert!(manifest_kind(format.manifest()) == Some(ManifestKind::Manifest) && is_config(format.config()));
            for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
                assert_eq!(layer_kind(format.layer(compression)), Some(LayerKind { compression, foreign: false }));
            }
        }
        let foreign = layer_kind("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        assert_eq!(foreign, Some(LayerKind { compression: Compression::Gzip, foreign: true }));
        assert_eq!(layer_kind("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"), None);
    }
}
