//! What a line of `images` holds, and what its JSON does.

use std::collections::BTreeMap;

use serde::Serialize;

use super::filter::is_index;
use crate::cli::output::time;
use crate::image::list::Listed;
use crate::oci::Reference;

const NONE: &str = "<none>";

/// One line of the list: what a template sees.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "Id")]
    full_id: String,
    pub repository: String,
    pub tag: String,
    pub digest: String,
    created: String,
    pub created_since: String,
    created_at: String,
    created_time: String,
    pub size: String,
    virtual_size: u64,
    shared_size: u64,
    labels: BTreeMap<String, String>,
    names: Vec<String>,
    pub history: String,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    parent_id: String,
    containers: u64,
    read_only: bool,
    is_manifest_list: bool,
    dangling: bool,
    arch: String,
    os: String,
    #[serde(skip)]
    pub bytes: u64,
    /// Which of the images that are listed it is of.
    #[serde(skip)]
    pub image: usize,
}

/// Headings that are not the names of their fields.
pub const HEADINGS: [(&str, &str); 4] =
    [("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("CreatedAt", "CREATED"), ("ReadOnly", "R/O")];

impl Row {
    /// One for each name of the image at this `place` in the list, with what the table shows. `id` is as it is to be shown.
    pub fn of(place: usize, listed: &Listed, id: &str) -> Vec<Self> {
        let image = &listed.image;
        let new = |repository: &str, tag: &str| Self { image: place, ..Self::new(listed, id, repository, tag) };
        let by_name = |name: &String| match name.parse::<Reference>() {
            Ok(reference) => new(&reference.name(), reference.tag().unwrap_or(NONE)),
            Err(_) => new(name, NONE),
        };
        match image.names.is_empty() {
            true => vec![new(NONE, NONE)],
            false => image.names.iter().map(by_name).collect(),
        }
    }

    fn new(listed: &Listed, id: &str, repository: &str, tag: &str) -> Self {
        let image = &listed.image;
        Self {
            id: id.to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: image.manifest_digest.to_string(),
            created_since: time::ago(listed.created),
            size: time::size(listed.size),
            history: image.names.join(", "),
            bytes: listed.size,
            ..Self::default()
        }
    }

    /// The same with what only templates ask for.
    pub fn with_details(self, listed: &Listed, containers: u64) -> Self {
        let image = &listed.image;
        Self {
            full_id: image.id.hex().to_owned(),
            created: self.created_since.clone(),
            created_at: go_time(listed.created),
            created_time: go_time(listed.created),
            virtual_size: listed.size,
            shared_size: 0,
            labels: image.config.config.labels.clone(),
            names: image.names.clone(),
            repo_tags: image.repo_tags(),
            repo_digests: image.repo_digests(),
            parent_id: parent_id(listed),
            containers,
            read_only: false,
            is_manifest_list: is_index(listed),
            dangling: listed.is_dangling(),
            arch: image.config.architecture.clone(),
            os: image.config.os.clone(),
            ..self
        }
    }
}

/// One line as `{{json .}}` shows it: Podman's keys.
#[derive(Debug, Serialize)]
pub struct Line {
    repository: String,
    tag: String,
    #[serde(flatten)]
    image: Json,
}

impl Line {
    pub fn of(row: &Row, image: Json) -> Self {
        Self { repository: row.repository.clone(), tag: row.tag.clone(), image }
    }
}

/// One image as `--format json` shows it: Podman's keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Json {
    id: String,
    parent_id: String,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    size: u64,
    shared_size: u64,
    virtual_size: u64,
    labels: BTreeMap<String, String>,
    containers: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_manifest_list: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dangling: bool,
    arch: String,
    digest: String,
    history: Vec<String>,
    names: Vec<String>,
    os: String,
    created: i64,
    created_at: String,
}

impl Json {
    pub fn new(listed: &Listed, containers: u64) -> Self {
        let image = &listed.image;
        Self {
            id: image.id.hex().to_owned(),
            parent_id: parent_id(listed),
            repo_tags: image.repo_tags(),
            repo_digests: image.repo_digests(),
            size: listed.size,
            shared_size: 0,
            virtual_size: listed.size,
            labels: image.config.config.labels.clone(),
            containers,
            is_manifest_list: is_index(listed),
            dangling: listed.is_dangling(),
            arch: image.config.architecture.clone(),
            digest: image.manifest_digest.to_string(),
            history: image.names.clone(),
            names: image.names.clone(),
            os: image.config.os.clone(),
            created: listed.created,
            created_at: formatted(listed.created, "%Y-%m-%dT%H:%M:%SZ"),
        }
    }
}

fn parent_id(listed: &Listed) -> String {
    listed.parent.as_ref().map(|parent| parent.hex().to_owned()).unwrap_or_default()
}

/// As Go prints a time.
fn go_time(seconds: i64) -> String {
    formatted(seconds, "%Y-%m-%d %H:%M:%S +0000 UTC")
}

fn formatted(seconds: i64, format: &str) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).map(|time| time.format(format).to_string()).unwrap_or_default()
}
