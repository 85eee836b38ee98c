//! Manifests and indexes: which config and which layers make an image (OCI image-spec, manifest.md and image-index.md;
//! Docker's image manifest version 2, schema 2).
//!
//! A document that two readers could take for two different images is refused (the confusion of CVE-2021-41190): what
//! the transport says, what the document says of itself, and what it holds must agree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::media_type::{self, Format, ManifestKind};
use super::{Digest, ImageConfig, Platform, null_as_default};

/// Of a manifest or an index, in bytes (OCI distribution-spec: registries should take 4 MiB).
pub const MAX_MANIFEST: usize = 4 << 20;
/// Of an image config, in bytes.
pub const MAX_CONFIG: usize = 4 << 20;
/// Of a manifest, an index or a config: once it is read, a value takes far more memory than its bytes.
pub const MAX_VALUES: usize = 200_000;
/// Of one image. The field makes at most 127; overlayfs mounts at most 500.
pub const MAX_LAYERS: usize = 500;
/// Of one index.
pub const MAX_ENTRIES: usize = 10_000;

/// A pointer to content: its type, digest and size (OCI image-spec, descriptor.md).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: Digest,
    /// In bytes, of the content as it is stored: of a layer, compressed.
    pub size: u64,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

impl Descriptor {
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            platform: None,
            extra: BTreeMap::new(),
        }
    }
}

/// One image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    /// The lowest first.
    #[serde(default, deserialize_with = "null_as_default")]
    pub layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// A list of manifests, one for each platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub extra: BTreeMap<String, Value>,
}

/// What lies at a manifest's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    Manifest(Box<Manifest>),
    Index(Index),
}

/// Why a document is not used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("the manifest has {0} bytes, more than the {MAX_MANIFEST} that are allowed")]
    TooLarge(usize),
    #[error("the manifest has more than the {MAX_VALUES} values that are allowed")]
    TooManyValues,
    #[error("the manifest is not valid JSON of its kind: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the manifest has Docker's old schema 1, which says nothing that could be checked")]
    Schema1,
    #[error("the manifest has the schema version {0}; only 2 is known")]
    SchemaVersion(u32),
    #[error("the manifest can be read as an image and as an index at once")]
    Ambiguous,
    #[error("the document is neither an image manifest nor an index (media type `{0}`)")]
    Unknown(String),
    #[error("the registry calls the document `{claimed}`, but it calls itself `{own}`")]
    TypesDiffer { claimed: String, own: String },
    #[error("the image is an artifact (`{0}`), not something that can be run")]
    Artifact(String),
    #[error("the image has {0} layers, more than the {MAX_LAYERS} that are allowed")]
    TooManyLayers(usize),
    #[error("the index has {0} entries, more than the {MAX_ENTRIES} that are allowed")]
    TooManyEntries(usize),
    #[error("the manifest has {layers} layers, but the config has {diff_ids} diff ids")]
    LayersDiffer { layers: usize, diff_ids: usize },
}

/// Which of the keys that tell the kinds apart are there, whatever they hold.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u32>,
    media_type: Option<String>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
    fs_layers: Option<serde::de::IgnoredAny>,
}

/// Reads a manifest or an index. `content_type` is what the transport or the pointing descriptor called it, if anything.
pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Document, ManifestError> {
    if bytes.len() > MAX_MANIFEST {
        return Err(ManifestError::TooLarge(bytes.len()));
    }
    if !has_few_values(bytes) {
        return Err(ManifestError::TooManyValues);
    }
    let shape: Shape = serde_json::from_slice(bytes)?;
    let own = shape.media_type.as_deref().filter(|own| !own.is_empty());
    if shape.fs_layers.is_some()
        || shape.schema_version == Some(1)
        || [content_type, own].into_iter().flatten().any(media_type::is_schema1)
    {
        return Err(ManifestError::Schema1);
    }
    if let Some(version) = shape.schema_version.filter(|version| *version != 2) {
        return Err(ManifestError::SchemaVersion(version));
    }
    let image = shape.layers.is_some() || shape.config.is_some();
    let kind = match (image, shape.manifests.is_some()) {
        (true, true) => return Err(ManifestError::Ambiguous),
        (true, false) => ManifestKind::Manifest,
        (false, true) => ManifestKind::Index,
        (false, false) => return Err(ManifestError::Unknown(shorten(own.or(content_type).unwrap_or_default()))),
    };
    // Some registries send `application/json` or nothing; then what the document holds decides. A claim must be true.
    for claim in [content_type, own].into_iter().flatten() {
        if media_type::manifest_kind(claim).is_some_and(|claimed| claimed != kind) {
            let kind = if kind == ManifestKind::Index { "an index" } else { "an image manifest" };
            let own = shorten(own.unwrap_or(kind));
            return Err(ManifestError::TypesDiffer { claimed: shorten(content_type.unwrap_or(claim)), own });
        }
    }
    match kind {
        ManifestKind::Manifest => Ok(Document::Manifest(Box::new(manifest(bytes)?))),
        ManifestKind::Index => Ok(Document::Index(index(bytes)?)),
    }
}

/// Before each value of a list or an object is a comma or a bracket. Those in texts count too, which makes the limit lower.
pub(super) fn has_few_values(json: &[u8]) -> bool {
    json.len() <= MAX_VALUES || json.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() <= MAX_VALUES
}

fn manifest(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    let manifest: Manifest = serde_json::from_slice(bytes)?;
    if manifest.layers.len() > MAX_LAYERS {
        return Err(ManifestError::TooManyLayers(manifest.layers.len()));
    }
    Ok(manifest)
}

fn index(bytes: &[u8]) -> Result<Index, ManifestError> {
    let index: Index = serde_json::from_slice(bytes)?;
    if index.manifests.len() > MAX_ENTRIES {
        return Err(ManifestError::TooManyEntries(index.manifests.len()));
    }
    Ok(index)
}

impl Descriptor {
    /// The same layer, by the name that the format has for it. What is no layer, or must not be passed on, keeps its own.
    pub fn layer_in(&self, format: Format) -> Self {
        let kind = media_type::layer_kind(&self.media_type).filter(|kind| !kind.foreign);
        let media_type = kind.map_or(self.media_type.clone(), |kind| format.layer(kind.compression).to_owned());
        Self { media_type, ..self.clone() }
    }
}

impl Manifest {
    /// One of this type, without annotations.
    pub fn new(media_type: &str, config: Descriptor, layers: Vec<Descriptor>) -> Self {
        let (annotations, extra) = Default::default();
        let (media_type, artifact_type) = (Some(media_type.to_owned()), None);
        Self { schema_version: 2, media_type, artifact_type, config, layers, annotations, extra }
    }

    /// Whose words it is written in.
    pub fn format(&self) -> Format {
        match self.media_type.as_deref() {
            Some(media_type::DOCKER_MANIFEST) => Format::Docker,
            _ => Format::Oci,
        }
    }

    /// The same image in the words of a format: the config and the layers have the bytes that they had.
    pub fn in_format(&self, format: Format) -> Self {
        let config = Descriptor { media_type: format.config().to_owned(), ..self.config.clone() };
        let layers = self.layers.iter().map(|layer| layer.layer_in(format)).collect();
        Self { media_type: Some(format.manifest().to_owned()), config, layers, ..self.clone() }
    }

    /// Refuses what is stored like an image and is none: its config is no image config.
    pub fn check_is_image(&self) -> Result<(), ManifestError> {
        let media_type = &self.config.media_type;
        if media_type.is_empty() || media_type::is_config(media_type) {
            return Ok(());
        }
        Err(ManifestError::Artifact(shorten(self.artifact_type.as_deref().unwrap_or(media_type))))
    }

    /// What the image is called: the digest of its config; of an artifact, whose config may be any other's, `own`, that of its
    /// manifest.
    pub fn id<'a>(&'a self, own: &'a Digest) -> &'a Digest {
        if self.check_is_image().is_ok() { &self.config.digest } else { own }
    }

    /// Refuses a config that speaks of other layers than this manifest: their content could never be checked.
    pub fn check_config(&self, config: &ImageConfig) -> Result<(), ManifestError> {
        let (layers, diff_ids) = (self.layers.len(), config.rootfs.diff_ids.len());
        if layers == diff_ids { Ok(()) } else { Err(ManifestError::LayersDiffer { layers, diff_ids }) }
    }
}

/// What came over the wire is quoted in errors, but never at any length.
fn shorten(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor() -> String {
        format!(r#"{{"mediaType":"m","digest":"sha256:{}","size":3,"x":1}}"#, "0f".repeat(32))
    }

    fn image() -> String {
        format!(r#"{{"schemaVersion":2,"config":{d},"layers":[{d}],"annotations":null,"new":true}}"#, d = descriptor())
    }

    #[test]
    fn unknown_keys_survive() {
        let Document::Manifest(manifest) = parse(image().as_bytes(), None).unwrap() else { panic!("an image") };
        assert_eq!(manifest.layers[0].size, 3);
        let text = serde_json::to_string(&manifest).unwrap();
        assert!(text.contains(r#""new":true"#) && text.contains(r#""x":1"#), "{text}");
    }

    #[test]
    fn what_two_readers_could_take_for_two_images_is_refused() {
        let d = descriptor();
        let both = format!(r#"{{"schemaVersion":2,"config":{d},"layers":[],"manifests":[{d}]}}"#);
        assert!(matches!(parse(both.as_bytes(), None), Err(ManifestError::Ambiguous)));
        let config = format!(r#"{{"schemaVersion":2,"config":{d},"manifests":[]}}"#);
        assert!(matches!(parse(config.as_bytes(), None), Err(ManifestError::Ambiguous)));
        let index = parse(image().as_bytes(), Some(media_type::OCI_INDEX));
        assert!(matches!(index, Err(ManifestError::TypesDiffer { .. })));
        let own = image().replace("\"new\":true", &format!("\"mediaType\":\"{}\"", media_type::DOCKER_INDEX));
        assert!(matches!(parse(own.as_bytes(), None), Err(ManifestError::TypesDiffer { .. })));
        let twice = image().replace("\"new\":true", "\"layers\":[]");
        assert!(matches!(parse(twice.as_bytes(), None), Err(ManifestError::Json(_))));
    }

    #[test]
    fn limits_and_old_schemas_are_refused_with_words() {
        assert!(matches!(parse(&vec![b' '; MAX_MANIFEST + 1], None), Err(ManifestError::TooLarge(_))));
        let old = br#"{"schemaVersion":1,"name":"a","fsLayers":[]}"#;
        assert!(matches!(parse(old, None), Err(ManifestError::Schema1)));
        assert!(matches!(
            parse(image().as_bytes(), Some(media_type::DOCKER_SCHEMA1_SIGNED)),
            Err(ManifestError::Schema1)
        ));
        assert!(matches!(parse(br#"{"schemaVersion":3,"layers":[]}"#, None), Err(ManifestError::SchemaVersion(3))));
        assert!(matches!(parse(b"{}", Some("text/html")), Err(ManifestError::Unknown(_))));
        let many = vec![descriptor(); MAX_LAYERS + 1].join(",");
        let many = format!(r#"{{"schemaVersion":2,"config":{},"layers":[{many}]}}"#, descriptor());
        assert!(matches!(parse(many.as_bytes(), None), Err(ManifestError::TooManyLayers(_))));
        let Ok(Document::Manifest(manifest)) = parse(image().as_bytes(), None) else { panic!("an image") };
        assert!(matches!(manifest.check_is_image(), Err(ManifestError::Artifact(_))));
        let config = ImageConfig::parse(br#"{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[]}}"#).unwrap();
        assert!(matches!(manifest.check_config(&config), Err(ManifestError::LayersDiffer { layers: 1, diff_ids: 0 })));
    }
}
