//! An image as `inspect` shows it: Podman's keys, in its order.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::find::Found;
use super::{Result, list};
use crate::oci::image_config::{Healthcheck, History, RunConfig};
use crate::oci::media_type::OCI_MANIFEST;
use crate::oci::{Digest, Reference};
use crate::store::Store;
use crate::store::layers::Mode;

/// What `image inspect` prints for one image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Inspected {
    /// 64 hexadecimal digits.
    pub id: String,
    pub digest: Digest,
    pub repo_tags: Vec<String>,
    pub repo_digests: Vec<String>,
    pub parent: String,
    pub comment: String,
    pub created: Option<String>,
    pub config: RunConfig,
    pub version: String,
    pub author: String,
    pub architecture: String,
    pub os: String,
    /// In bytes, unpacked.
    pub size: u64,
    pub virtual_size: u64,
    pub graph_driver: Value,
    #[serde(rename = "RootFS")]
    pub root_fs: RootFs,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: BTreeMap<String, String>,
    pub manifest_type: String,
    pub user: String,
    pub history: Vec<History>,
    pub names_history: Vec<String>,
    #[serde(rename = "Healthcheck", skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RootFs {
    #[serde(rename = "Type")]
    pub kind: String,
    /// The diff ids, the lowest layer first.
    pub layers: Vec<Digest>,
}

/// All about the image that `text` names; `None`: there is none.
pub fn inspect(store: &Store, text: &str) -> Result<Option<Inspected>> {
    let Some(found) = super::find::find_any(store, text)? else { return Ok(None) };
    let size = list::size(store, &found);
    let (repo_tags, repo_digests) = names(&found);
    let lower: Vec<String> = found
        .layers
        .iter()
        .rev()
        .filter_map(|layer| Mode::ALL.into_iter().find(|mode| store.has_layer(*mode, layer)).map(|mode| (mode, layer)))
        .map(|(mode, layer)| store.layer_fs(mode, layer).display().to_string())
        .collect();
    let config = found.config;
    let text = |key: &str| config.extra.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Some(Inspected {
        id: found.id.hex().to_owned(),
        digest: found.manifest_digest,
        names_history: repo_tags.clone(),
        repo_tags,
        repo_digests,
        parent: text("parent"),
        comment: config.comment.clone().unwrap_or_default(),
        version: text("docker_version"),
        author: config.author.clone().unwrap_or_default(),
        created: config.created,
        architecture: config.architecture,
        os: config.os,
        size,
        virtual_size: size,
        graph_driver: json!({"Name": "overlay", "Data": directories(&lower)}),
        root_fs: RootFs { kind: config.rootfs.kind, layers: config.rootfs.diff_ids },
        labels: Some(config.config.labels.clone()).filter(|labels| !labels.is_empty()),
        annotations: found.manifest.annotations,
        manifest_type: found.manifest.media_type.unwrap_or_else(|| OCI_MANIFEST.to_owned()),
        user: config.config.user.clone(),
        history: config.history,
        healthcheck: config.config.healthcheck.clone(),
        config: config.config,
    }))
}

/// The layers' directories, the topmost by itself, as Podman tells them apart.
fn directories(topmost_first: &[String]) -> Value {
    match topmost_first {
        [] => json!({}),
        [upper] => json!({ "UpperDir": upper }),
        [upper, lower @ ..] => json!({"LowerDir": lower.join(":"), "UpperDir": upper}),
    }
}

/// `RepoTags` and `RepoDigests` of an image: `name:tag`, and `name@digest` for each name.
pub(super) fn names(found: &Found) -> (Vec<String>, Vec<String>) {
    let (mut tags, mut digests) = (Vec::new(), Vec::new());
    for name in &found.names {
        let Ok(reference) = name.parse::<Reference>() else {
            tags.push(name.clone());
            continue;
        };
        if reference.digest().is_none() {
            tags.push(name.clone());
        } else if !digests.contains(name) {
            digests.push(name.clone());
        }
        let by_digest = reference.at(found.manifest_digest.clone()).to_string();
        if !digests.contains(&by_digest) {
            digests.push(by_digest);
        }
    }
    (tags, digests)
}

impl Found {
    /// `name:tag` of each name that has a tag.
    pub fn repo_tags(&self) -> Vec<String> {
        names(self).0
    }

    /// `name@digest` of each name.
    pub fn repo_digests(&self) -> Vec<String> {
        names(self).1
    }
}
