//! From what a user types to one image of the store.
//!
//! A name is looked for first as it is, then as the field completes short names (`localhost/x`, what registries.conf has for it,
//! `docker.io/library/x`), then as the end of any image's name at a `/`: `debian:12` finds `localhost:5000/debian:12`. What is no
//! name is the start of an id.

use std::collections::BTreeMap;

use super::{Error, Result};
use crate::oci::manifest::{Document, MAX_CONFIG, MAX_MANIFEST, parse};
use crate::oci::reference::DEFAULT_TAG;
use crate::oci::{Descriptor, Digest, ImageConfig, Manifest, Platform, Reference};
use crate::registry::registries;
use crate::store::images::{Entry, Summary};
use crate::store::{self, Store};

/// When it was made, where no config says it (image-spec, annotations.md).
const CREATED: &str = "org.opencontainers.image.created";

/// An image of the store, as its containers need it; or an artifact, with a config that says nothing and no diff ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The digest of the config; of an artifact, whose config may be any other's, that of its entry.
    pub id: Digest,
    /// That of its entry in the store's index ([`Entry::key`]).
    pub key: Digest,
    pub manifest_digest: Digest,
    pub manifest: Manifest,
    pub config: ImageConfig,
    /// Full references, in the index' order; empty for an image without a name.
    pub names: Vec<String>,
    /// The diff ids, the lowest layer first.
    pub layers: Vec<Digest>,
}

impl Found {
    /// Reads the manifest and the config of an entry; of an index, those of this machine's image.
    pub(super) fn load(store: &Store, entry: &Entry, names: Vec<String>) -> Result<Self> {
        let (manifest_digest, manifest) = manifest(store, entry)?;
        let (id, key) = (manifest.id(&manifest_digest).clone(), entry.key().clone());
        if manifest.check_is_image().is_err() {
            let created = manifest.annotations.get(CREATED).cloned();
            let config = ImageConfig { created, ..ImageConfig::default() };
            return Ok(Self { id, key, manifest_digest, manifest, config, names, layers: Vec::new() });
        }
        let config = ImageConfig::parse(&store.read_blob(&manifest.config.digest, MAX_CONFIG)?)?;
        manifest.check_config(&config)?;
        let layers = config.rootfs.diff_ids.clone();
        Ok(Self { id, key, manifest_digest, manifest, config, names, layers })
    }

    /// The same, but an index stands for itself: something that can be listed, named and removed, without layers.
    pub(super) fn load_itself(store: &Store, entry: &Entry, names: Vec<String>) -> Result<Self> {
        if !entry.is_index() {
            return Self::load(store, entry, names);
        }
        let Document::Index(index) = parse(&store.read_blob(&entry.digest, MAX_MANIFEST)?, Some(&entry.media_type))?
        else {
            return Err(Error::NotAnIndex { name: entry.name().unwrap_or(entry.key().hex()).to_owned() });
        };
        let key = entry.key().clone();
        let mut manifest = Manifest::new(&entry.media_type, Descriptor::new("", key.clone(), 0), Vec::new());
        manifest.annotations = index.annotations;
        let created = entry.made.as_ref().map(|made| made.created.clone());
        let config = ImageConfig { created, ..ImageConfig::default() };
        let manifest_digest = entry.digest.clone();
        Ok(Self { id: key.clone(), key, manifest_digest, manifest, config, names, layers: Vec::new() })
    }

    /// The same of an image whose entry says all that a list shows: of manifest and config nothing else is known.
    pub(super) fn in_brief(entry: &Entry, summary: &Summary, names: Vec<String>) -> Self {
        let (id, key) = (summary.id.clone(), entry.key().clone());
        let manifest = Manifest::new(&entry.media_type, Descriptor::new("", id.clone(), 0), Vec::new());
        let (config, layers) = Default::default();
        Self { id, key, manifest_digest: entry.digest.clone(), manifest, config, names, layers }
    }

    /// The first name, else the id.
    pub fn display_name(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| self.id.hex().to_owned())
    }
}

/// The manifest that an entry of the index means: other tools also store indexes there.
fn manifest(store: &Store, entry: &Entry) -> Result<(Digest, Manifest)> {
    let document = parse(&store.read_blob(&entry.digest, MAX_MANIFEST)?, Some(&entry.media_type))?;
    let index = match document {
        Document::Manifest(manifest) => return Ok((entry.digest.clone(), *manifest)),
        Document::Index(index) => index,
    };
    let wanted = Platform::host();
    let chosen = wanted.choose(&index).ok_or_else(|| super::pull::no_platform(&wanted, &index))?;
    match parse(&store.read_blob(&chosen.digest, MAX_MANIFEST)?, Some(&chosen.media_type))? {
        Document::Manifest(manifest) => Ok((chosen.digest.clone(), *manifest)),
        Document::Index(_) => Err(Error::DeepIndex(1)),
    }
}

/// The image that `text` names: a name, the start of an id, or `sha256:` and an id. `None`: there is none;
/// [`Error::Ambiguous`]: there are several; [`Error::Manifest`]: it is an artifact.
pub fn find(store: &Store, text: &str) -> Result<Option<Found>> {
    let found = find_any(store, text)?;
    found.as_ref().map_or(Ok(()), |found| found.manifest.check_is_image())?;
    Ok(found)
}

/// The same for those who run nothing of it: an artifact counts, too.
pub fn find_any(store: &Store, text: &str) -> Result<Option<Found>> {
    match load_meant(store, text, Found::load) {
        Ok((found, _)) => Ok(Some(found)),
        Err(Error::Unknown { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Readers take no lock: what was removed while it was read is looked for anew, and not found then, or found as another.
fn load_meant(
    store: &Store,
    text: &str,
    load: impl Fn(&Store, &Entry, Vec<String>) -> Result<Found>,
) -> Result<(Found, Option<String>)> {
    loop {
        let Meant { entry, name, names } = entry(store, text)?;
        match load(store, &entry, names) {
            Ok(found) => return Ok((found, name)),
            Err(Error::Store(store::Error::NoBlob { .. })) if !store.images()?.contains(&entry) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What `text` names in the store, image or index, as others point to it.
pub fn descriptor(store: &Store, text: &str) -> Result<Descriptor> {
    let Entry { media_type, digest, size, .. } = entry(store, text)?.entry;
    Ok(Descriptor::new(&media_type, digest, size))
}

/// Whether `text` names something of the store.
pub fn exists(store: &Store, text: &str) -> Result<bool> {
    match entry(store, text) {
        Ok(_) => Ok(true),
        Err(Error::Unknown { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether what `text` names is meant by its id, and so by none of its names.
pub fn is_id(store: &Store, text: &str) -> Result<bool> {
    Ok(entry(store, text)?.name.is_none())
}

/// The image of this manifest, whether the index names it or not.
pub fn of_manifest(store: &Store, manifest: &Digest) -> Result<Found> {
    Found::load(store, &Entry::new("", manifest.clone(), 0), names_of(&store.images()?, manifest))
}

/// An entry of the store's index that somebody means.
#[derive(Debug)]
pub(super) struct Meant {
    pub entry: Entry,
    /// The one of its names that was said; `None`: it was found by its id.
    pub name: Option<String>,
    /// All its names, in the index' order.
    pub names: Vec<String>,
}

/// What `text` means, image or index; [`Error::Unknown`] if there is nothing.
pub(super) fn entry(store: &Store, text: &str) -> Result<Meant> {
    let entries = store.images()?;
    let unknown = || Error::Unknown { name: text.to_owned() };
    let (entry, name) = match name_in(&entries, text, meanings)? {
        Some(name) => (entries.iter().find(|entry| entry.name() == Some(&name)).ok_or_else(unknown)?, Some(name)),
        None => (by_id(store, &entries, text)?.ok_or_else(unknown)?, None),
    };
    Ok(Meant { entry: entry.clone(), name, names: names_of(&entries, entry.key()) })
}

/// What `text` means, an index as itself, and the one of its names that was said.
pub(super) fn find_with_name(store: &Store, text: &str) -> Result<(Found, Option<String>)> {
    load_meant(store, text, Found::load_itself)
}

/// All names of what has this key.
pub(super) fn names_of(entries: &[Entry], key: &Digest) -> Vec<String> {
    entries.iter().filter(|entry| entry.key() == key).filter_map(|entry| Some(entry.name()?.to_owned())).collect()
}

/// What registries.conf has for a short name; what it has nothing for is no failure here.
fn meanings(text: &str) -> Result<Vec<Reference>> {
    Ok(registries::of_account()?.meaning(text).map(|meaning| meaning.names).unwrap_or_default())
}

/// The name in the index that `text` means, if it means one. `meanings`: those of a short name, in their order.
fn name_in(
    entries: &[Entry],
    text: &str,
    meanings: impl FnOnce(&str) -> Result<Vec<Reference>>,
) -> Result<Option<String>> {
    if entries.iter().any(|entry| entry.name() == Some(text)) {
        return Ok(Some(text.to_owned()));
    }
    let Ok(reference) = text.parse::<Reference>() else { return Ok(None) };
    let wanted = reference.clone().or_latest();
    let named =
        |name: &str| entries.iter().find_map(|entry| entry.name().filter(|have| *have == name)).map(str::to_owned);
    let qualified = Reference::is_qualified(text);
    let meanings = if qualified { Vec::new() } else { meanings(text)? };
    if let Some(name) = completed(text, &wanted, meanings).iter().find_map(|name| named(name)) {
        return Ok(Some(name));
    }
    // `name@digest` of an image that was pulled by tag, or by another tag.
    let by_digest = |entry: &&Entry, repository: &str| {
        let have = entry.name().and_then(|name| name.parse::<Reference>().ok());
        let digest = wanted.digest();
        have.is_some_and(|have| digest == Some(&entry.digest) && ends_with(&have.name(), repository))
    };
    let short = text.split('@').next().unwrap_or_default();
    let short = short.split_once(':').filter(|_| !qualified).map_or(short, |(path, _)| path);
    let repository = if qualified { wanted.name() } else { short.to_owned() };
    if wanted.digest().is_some() {
        return Ok(entries
            .iter()
            .find(|entry| by_digest(entry, &repository))
            .and_then(|e| e.name())
            .map(str::to_owned));
    }
    if qualified {
        return Ok(None);
    }
    // The end of a name, at a `/`. Two names of one image are no ambiguity.
    let mut matching: BTreeMap<&Digest, &str> = BTreeMap::new();
    for entry in entries {
        let Some(name) = entry.name() else { continue };
        let Ok(have) = name.parse::<Reference>() else { continue };
        if have.tag() == wanted.tag() && have.digest().is_none() && ends_with(&have.name(), short) {
            matching.entry(entry.key()).or_insert(name);
        }
    }
    match matching.len() {
        0 | 1 => Ok(matching.into_values().next().map(str::to_owned)),
        _ => Err(Error::Ambiguous {
            name: text.to_owned(),
            candidates: matching.into_values().map(str::to_owned).collect(),
        }),
    }
}

/// The full names that `text` may mean, in their order.
fn completed(text: &str, wanted: &Reference, meanings: Vec<Reference>) -> Vec<String> {
    let local = (!Reference::is_qualified(text)).then(|| with_tag(&format!("localhost/{text}"), wanted));
    let meanings = meanings.into_iter().map(|name| name.or_latest().to_string());
    local.into_iter().chain(meanings).chain([wanted.to_string()]).collect()
}

/// `text`, a name that may lack its tag, with the tag that is meant.
fn with_tag(text: &str, wanted: &Reference) -> String {
    match wanted.tag() {
        Some(tag) if tag == DEFAULT_TAG && !text.ends_with(":latest") => format!("{text}:{tag}"),
        _ => text.to_owned(),
    }
}

/// `localhost:5000/a/debian` ends with `debian` and `a/debian`, not with `bian`.
fn ends_with(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with('/'))
}

/// The id of what an entry means, an index as itself. The config, whose digest it is, may be damaged.
pub(super) fn id_of(store: &Store, entry: &Entry) -> Result<Digest> {
    match entry.summary() {
        Some(summary) => Ok(summary.id.clone()),
        None if entry.is_index() => Ok(entry.key().clone()),
        None => Ok(manifest(store, entry)?.1.id(entry.key()).clone()),
    }
}

fn by_id<'a>(store: &Store, entries: &'a [Entry], text: &str) -> Result<Option<&'a Entry>> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(hexadecimal) {
        return Ok(None);
    }
    let mut matching: BTreeMap<Digest, &Entry> = BTreeMap::new();
    for entry in entries {
        let id = match id_of(store, entry) {
            Ok(id) => id,
            Err(_) if entry.digest.hex() == hex => entry.digest.clone(),
            // An image that can't be read is not the one; `list` tells about it.
            Err(_) => continue,
        };
        if id.hex().starts_with(hex) || entry.digest.hex() == hex {
            matching.entry(id).or_insert(entry);
        }
    }
    if matching.len() > 1 {
        let candidates = matching.into_keys().map(|id| id.hex().to_owned()).collect();
        return Err(Error::Ambiguous { name: text.to_owned(), candidates });
    }
    Ok(matching.into_values().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[(&str, &str)]) -> Vec<Entry> {
        let entry = |(name, content): &(&str, &str)| {
            let mut entry = Entry::new("m", Digest::of(content.as_bytes()), 1);
            entry.annotations.insert("org.opencontainers.image.ref.name".into(), (*name).into());
            entry
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn short_names_find_what_is_meant() {
        let all = entries(&[
            ("localhost:5000/debian:12", "a"),
            ("localhost:5000/team/app:latest", "b"),
            ("docker.io/library/alpine:3", "c"),
            ("quay.io/x/alpine:3", "d"),
            ("localhost/mine:latest", "e"),
            ("q.io/twice:1", "f"),
            ("q.io/y/twice:1", "f"),
            ("q.io/many:1", "g"),
            ("r.io/many:1", "h"),
        ]);
        let aliased = |text: &str| Ok(if text == "alias" { vec!["r.io/many:1".parse().unwrap()] } else { Vec::new() });
        let name = |text: &str| name_in(&all, text, aliased).unwrap();
        assert_eq!(name("debian:12").as_deref(), Some("localhost:5000/debian:12"));
        assert_eq!(name("localhost:5000/debian:12").as_deref(), Some("localhost:5000/debian:12"));
        assert_eq!(name("debian"), None, "the tag is latest");
        assert_eq!(name("bian:12"), None);
        assert_eq!(name("app").as_deref(), Some("localhost:5000/team/app:latest"));
        assert_eq!(name("team/app:latest").as_deref(), Some("localhost:5000/team/app:latest"));
        assert_eq!(name("alpine:3").as_deref(), Some("docker.io/library/alpine:3"));
        assert_eq!(name("quay.io/alpine:3"), None, "a registry was named");
        assert_eq!(name("mine").as_deref(), Some("localhost/mine:latest"));
        assert_eq!(name("twice:1").as_deref(), Some("q.io/twice:1"));
        assert_eq!(name("0badcafe"), None);
        let digest = Digest::of(b"a");
        assert_eq!(name(&format!("debian@{digest}")).as_deref(), Some("localhost:5000/debian:12"));
        assert_eq!(name(&format!("app@{digest}")), None);
        assert_eq!(name("alias").as_deref(), Some("r.io/many:1"));
        match name_in(&all, "many:1", aliased) {
            Err(Error::Ambiguous { candidates, .. }) => assert_eq!(candidates.len(), 2),
            other => panic!("{other:?}"),
        }
    }
}
