//! `images`: what is here.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table, time};
use crate::cli::{Context, Report};
use crate::container::find;
use crate::image::list::{List, Listed, list};
use crate::oci::{Digest, Reference};
use crate::store::Store;

/// List images
#[derive(Debug, Args)]
pub struct Images {
    /// Accepted for scripts: all images are shown anyway
    #[arg(short, long)]
    all: bool,
    /// Show the digests of the manifests too
    #[arg(long)]
    digests: bool,
    /// Show only these: `dangling=true|false`, `label=KEY[=VALUE]`, `reference=PATTERN`, `id=START`
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Leave out the heading
    #[arg(short, long)]
    noheading: bool,
    /// Show whole ids
    #[arg(long)]
    no_trunc: bool,
    /// Show only the ids
    #[arg(short, long, conflicts_with_all = ["format", "digests"])]
    quiet: bool,
    /// What to sort by
    #[arg(long, value_enum, default_value_t = Sort::Created, hide_default_value = true)]
    sort: Sort,
    /// Show only images with this name
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Created,
    Id,
    Repository,
    Size,
    Tag,
}

/// Headings that are not the names of their fields.
const HEADINGS: [(&str, &str); 2] = [("ID", "IMAGE ID"), ("CreatedSince", "CREATED")];

const NONE: &str = "<none>";

/// How many containers each image has, by its id.
type Users = BTreeMap<String, u64>;

fn users(store: &Store) -> Result<Users, Report> {
    let mut users = Users::new();
    for found in find::list(store)?.found {
        *users.entry(found.container.image_id().to_owned()).or_default() += 1;
    }
    Ok(users)
}

impl Images {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let List { mut images, broken } = list(&store)?;
        for (digest, error) in broken {
            output::complain(&output::printable(&format!("Warning: the image with the manifest `{digest}`: {error}")));
        }
        self.select(&mut images)?;
        let users = if self.format.is_some() { users(&store)? } else { BTreeMap::new() };
        if self.format.as_deref() == Some("json") {
            let all: Vec<Json> = images.iter().map(|listed| Json::new(listed, &users)).collect();
            output::print(&format::json(&all)?);
            return Ok(ExitCode::SUCCESS);
        }
        if self.quiet {
            let mut ids: Vec<String> = Vec::new();
            for id in images.iter().map(|listed| self.id(&listed.image.id)) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            output::print(&ids.iter().map(|id| format!("{id}\n")).collect::<String>());
            return Ok(ExitCode::SUCCESS);
        }
        let mut rows: Vec<Row> = images.iter().flat_map(|listed| self.rows(listed, &users)).collect();
        match self.sort {
            Sort::Created => {}
            Sort::Id => rows.sort_by(|a, b| a.id.cmp(&b.id)),
            Sort::Repository => rows.sort_by(|a, b| a.repository.cmp(&b.repository)),
            Sort::Size => rows.sort_by_key(|row| row.bytes),
            Sort::Tag => rows.sort_by(|a, b| a.tag.cmp(&b.tag)),
        }
        match &self.format {
            Some(text) => {
                let template = Template::parse("images", text)?;
                output::print(&template.list(&rows, &HEADINGS, self.noheading)?);
            }
            None => output::print(&self.table(&rows)),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn table(&self, rows: &[Row]) -> String {
        let digest = |cell: &str| if self.digests { Some(cell.to_owned()) } else { None };
        let heading = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"].map(str::to_owned);
        let mut lines = Vec::new();
        if !self.noheading {
            let [repository, tag, rest @ ..] = heading;
            lines.push([repository, tag].into_iter().chain(digest("DIGEST")).chain(rest).collect());
        }
        for row in rows {
            let first = [row.repository.clone(), row.tag.clone()];
            let rest = [row.id.clone(), row.created_since.clone(), row.size.clone()];
            lines.push(first.into_iter().chain(digest(&row.digest)).chain(rest).collect());
        }
        table::table(&lines)
    }

    fn id(&self, id: &Digest) -> String {
        if self.no_trunc { id.to_string() } else { id.hex().chars().take(12).collect() }
    }

    /// One row for each name.
    fn rows(&self, listed: &Listed, users: &Users) -> Vec<Row> {
        let image = &listed.image;
        let row = |repository: &str, tag: &str| Row {
            id: self.id(&image.id),
            full_id: image.id.hex().to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: image.manifest_digest.to_string(),
            created: time::ago(listed.created),
            created_since: time::ago(listed.created),
            created_at: rfc3339(listed.created),
            size: time::size(listed.size),
            virtual_size: time::size(listed.size),
            labels: image.config.config.labels.clone(),
            names: image.names.clone(),
            repo_tags: image.repo_tags(),
            repo_digests: image.repo_digests(),
            containers: users.get(image.id.hex()).copied().unwrap_or(0),
            bytes: listed.size,
        };
        if image.names.is_empty() {
            return vec![row(NONE, NONE)];
        }
        let by_name = |name: &String| match name.parse::<Reference>() {
            Ok(reference) => row(&reference.name(), reference.tag().unwrap_or(NONE)),
            Err(_) => row(name, NONE),
        };
        image.names.iter().map(by_name).collect()
    }

    /// Keeps what the filters and the name let through.
    fn select(&self, images: &mut Vec<Listed>) -> Result<(), Report> {
        for filter in &self.filter {
            let (key, value) = filter.split_once('=').unwrap_or((filter, ""));
            match key {
                "dangling" => {
                    let wanted = value.parse::<bool>().map_err(|_| bad_filter(filter))?;
                    images.retain(|listed| listed.image.names.is_empty() == wanted);
                }
                "label" => {
                    let (key, value) = value.split_once('=').map_or((value, None), |(key, value)| (key, Some(value)));
                    images.retain(|listed| {
                        let have = listed.image.config.config.labels.get(key);
                        have.is_some_and(|have| value.is_none_or(|value| value == have))
                    });
                }
                "id" => images.retain(|listed| listed.image.id.hex().starts_with(value)),
                "reference" => keep_names(images, |name| named(name, value)),
                _ => return Err(bad_filter(filter)),
            }
        }
        if let Some(wanted) = &self.name {
            keep_names(images, |name| named(name, wanted));
        }
        Ok(())
    }
}

fn bad_filter(filter: &str) -> Report {
    Report::new(format!("invalid filter `{filter}`"))
        .hint("filters are `dangling=true|false`, `label=KEY[=VALUE]`, `reference=PATTERN` and `id=START`")
}

fn keep_names(images: &mut Vec<Listed>, keep: impl Fn(&str) -> bool) {
    for listed in images.iter_mut() {
        listed.image.names.retain(|name| keep(name));
    }
    images.retain(|listed| !listed.image.names.is_empty());
}

/// Whether a full name is meant by a pattern: the whole name or its end at a `/`, with or without the tag; `*` and `?` as in a
/// shell.
fn named(name: &str, pattern: &str) -> bool {
    let Ok(reference) = name.parse::<Reference>() else { return name == pattern };
    let repository = reference.name();
    let forms = [name, repository.as_str()];
    forms.into_iter().any(|form| {
        let mut rest = form;
        loop {
            if glob(pattern.as_bytes(), rest.as_bytes()) {
                return true;
            }
            match rest.split_once('/') {
                Some((_, end)) => rest = end,
                None => return false,
            }
        }
    })
}

/// `*`: any bytes but `/`; `?`: one of them.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // The last star and how much of the text it has taken: enough to go back to, whatever the number of stars.
    let (mut p, mut t, mut star) = (0, 0, None::<(usize, usize)>);
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            (None, None) => return true,
            (Some(b'?'), Some(have)) if *have != b'/' => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            (Some(wanted), Some(have)) if wanted == have => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            _ => {}
        }
        match star {
            Some((at, taken)) if text.get(taken).is_some_and(|b| *b != b'/') => {
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
            _ => return false,
        }
    }
}

fn rfc3339(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).map(|time| time.to_rfc3339()).unwrap_or_default()
}

/// One line of the list: what a template sees.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Id")]
    full_id: String,
    repository: String,
    tag: String,
    digest: String,
    created: String,
    created_since: String,
    created_at: String,
    size: String,
    virtual_size: String,
    labels: BTreeMap<String, String>,
    names: Vec<String>,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    containers: u64,
    #[serde(skip)]
    bytes: u64,
}

/// One image as `--format json` shows it: Podman's keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Json {
    id: String,
    parent_id: String,
    repo_tags: Vec<String>,
    repo_digests: Vec<String>,
    size: u64,
    shared_size: u64,
    virtual_size: u64,
    labels: BTreeMap<String, String>,
    containers: u64,
    arch: String,
    digest: String,
    history: Vec<String>,
    names: Vec<String>,
    os: String,
    created: i64,
    created_at: String,
}

impl Json {
    fn new(listed: &Listed, users: &Users) -> Self {
        let image = &listed.image;
        Self {
            id: image.id.hex().to_owned(),
            parent_id: String::new(),
            repo_tags: image.repo_tags(),
            repo_digests: image.repo_digests(),
            size: listed.size,
            shared_size: 0,
            virtual_size: listed.size,
            labels: image.config.config.labels.clone(),
            containers: users.get(image.id.hex()).copied().unwrap_or(0),
            arch: image.config.architecture.clone(),
            digest: image.manifest_digest.to_string(),
            history: image.names.clone(),
            names: image.names.clone(),
            os: image.config.os.clone(),
            created: listed.created,
            created_at: rfc3339(listed.created),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_at_slashes_and_by_patterns() {
        let name = "localhost:5000/team/debian:12";
        for good in
            ["debian", "debian:12", "team/debian", "localhost:5000/team/debian:12", "deb*", "*/debian:1?", "d*n:*"]
        {
            assert!(named(name, good), "{good}");
        }
        for bad in ["bian", "debian:1", "team", "*x*", "", "team/*/x"] {
            assert!(!named(name, bad), "{bad}");
        }
        assert!(!glob(b"*a*a*a*a*b", &[b'a'; 200]));
    }
}
