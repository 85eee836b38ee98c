//! Archives that a test writes itself: honest ones, for it to spoil.

use serde_json::json;
use tar::EntryType;

use crate::harness::Layer;
use crate::harness::image::digest;
use crate::images::server::Parts;

/// Names and bytes, in their order.
#[derive(Clone)]
pub struct Archive(pub Vec<(String, Vec<u8>)>);

fn hex(bytes: &[u8]) -> String {
    digest(bytes).trim_start_matches("sha256:").to_owned()
}

impl Archive {
    /// An image of one layer as docker-archive.
    pub fn docker(parts: &Parts, names: &[&str]) -> Self {
        let config = parts.config.to_string().into_bytes();
        let (layer, id) = (format!("{}.tar", hex(&parts.layer)), format!("{}.json", hex(&config)));
        let manifest = json!([{"Config": id, "RepoTags": names, "Layers": [layer]}]).to_string();
        Self(vec![(layer, parts.layer.clone()), (id, config), ("manifest.json".into(), manifest.into())])
    }

    /// The same as oci-archive.
    pub fn oci(parts: &Parts, names: &[&str]) -> Self {
        let (config, manifest) = (parts.config.to_string().into_bytes(), parts.manifest.to_string().into_bytes());
        let entry = |name: &&str| {
            json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(&manifest),
                "size": manifest.len(), "annotations": {"org.opencontainers.image.ref.name": name}})
        };
        let entries: Vec<_> = names.iter().map(entry).collect();
        let index = json!({"schemaVersion": 2, "manifests": entries}).to_string();
        let blob = |bytes: &[u8]| (format!("blobs/sha256/{}", hex(bytes)), bytes.to_vec());
        Self(vec![
            blob(&parts.layer),
            blob(&config),
            blob(&manifest),
            ("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".into(), index.into()),
        ])
    }

    /// The bytes of an entry.
    pub fn entry(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.0.iter_mut().find(|(other, _)| other == name);
        &mut found.unwrap_or_else(|| panic!("no {name}")).1
    }

    /// Replaces a part of a text.
    pub fn replace(&mut self, name: &str, old: &str, new: &str) {
        let bytes = self.entry(name);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(old), "no {old} in {text}");
        *bytes = text.replace(old, new).into_bytes();
    }

    /// As a tar file, without its end.
    pub fn open_tar(&self) -> Layer {
        let file = |tar: Layer, (name, bytes): &(String, Vec<u8>)| tar.file(name, 0o644, bytes);
        self.0.iter().fold(Layer::new(), file)
    }

    pub fn tar(&self) -> Vec<u8> {
        self.open_tar().tar()
    }

    /// With one entry replaced by another kind of entry.
    pub fn with_kind(&self, name: &str, kind: EntryType, target: &str) -> Vec<u8> {
        let entry = |tar: Layer, (other, bytes): &(String, Vec<u8>)| match other == name {
            true => tar.entry(kind, other, 0o644, (0, 0), target, b""),
            false => tar.file(other, 0o644, bytes),
        };
        self.0.iter().fold(Layer::new(), entry).tar()
    }
}
