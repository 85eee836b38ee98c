//! The index of images: `images/index.json` of an OCI image layout (image-spec, image-layout.md).
//!
//! One entry a name; an image without a name has one entry without that annotation. A name is a full reference
//! (`docker.io/library/debian:12`), kept in two annotations: `org.opencontainers.image.ref.name`, which skopeo and umoci read,
//! and `io.containerd.image.name`, which is full with every tool that writes it and so wins when both are there. What other
//! tools wrote and we don't know is kept. One writer at a time (a lock), the file replaced by rename; readers take no lock.
//!
//! Of an image's manifest the digest never changes. An index that is put together here (`manifest create`) has another digest
//! with every change, and an id that stays, which its entry keeps under the key `coracle`. What a list shows of an image stands
//! under `coracle.image`, so that nothing else need be read: 500 images are 1,500 files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Error, Result, Store, records};
use crate::host::atomic_file;
use crate::oci::Digest;
use crate::oci::media_type::{ManifestKind, OCI_INDEX, manifest_kind};

pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
pub const FULL_NAME: &str = "io.containerd.image.name";
/// Bytes of the largest index that is read: some 30,000 images.
const LIMIT: usize = 16 << 20;
pub(super) const KIND: &str = "image index";

/// A content descriptor (image-spec, descriptor.md), with all that we don't know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub media_type: String,
    pub digest: Digest,
    /// Bytes of the manifest.
    pub size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(rename = "coracle", default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    #[serde(rename = "coracle.image", default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What is known of an index that is put together here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Drawn when it was made.
    pub id: Digest,
    /// RFC 3339.
    pub created: String,
    /// Where the images are that the index names and the store does not hold: `registry/repository` by manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Digest, String>,
}

/// What a list shows of an image. None of it ever changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The manifest of which all this is true: another tool may have let the entry mean something else.
    pub manifest: Digest,
    /// The digest of the config; of an artifact, of the manifest.
    pub id: Digest,
    /// Seconds since 1970; 0 where the image does not say.
    pub created: i64,
    /// Bytes of the files of all layers, each layer once; of an artifact, of its blobs.
    pub size: u64,
}

impl Entry {
    /// An entry for a manifest, without a name.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        let (annotations, made, summary, extra) = Default::default();
        Self { media_type: media_type.to_owned(), digest, size, annotations, made, summary, extra }
    }

    /// What entries of one and the same thing have in common: the digest, unless it is an index that may change.
    pub fn key(&self) -> &Digest {
        self.made.as_ref().map_or(&self.digest, |made| &made.id)
    }

    /// What it says of its image; `None`: somebody else wrote it.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref().filter(|summary| summary.manifest == self.digest)
    }

    /// Whether it is an index, of images for several platforms.
    pub fn is_index(&self) -> bool {
        manifest_kind(&self.media_type) == Some(ManifestKind::Index)
    }

    /// The full reference, or whatever another tool put there. `None`: an image without a name.
    pub fn name(&self) -> Option<&str> {
        self.annotations.get(FULL_NAME).or_else(|| self.annotations.get(REF_NAME)).map(String::as_str)
    }

    fn set_name(&mut self, name: Option<&str>) {
        for key in [REF_NAME, FULL_NAME] {
            match name {
                Some(name) => self.annotations.insert(key.to_owned(), name.to_owned()),
                None => self.annotations.remove(key),
            };
        }
    }
}

/// `index.json`. Its schema version is the standard's (2), not one of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Vec<Entry>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Index {
    fn empty() -> Self {
        let media_type = Some(OCI_INDEX.to_owned());
        Self { schema_version: 2, media_type, manifests: Vec::new(), extra: Map::new() }
    }

    fn read(path: &Path) -> Result<Self> {
        let Some(bytes) = records::read_limited(path, KIND, LIMIT)? else { return Ok(Self::empty()) };
        let unreadable = |source| Error::Record { kind: KIND, path: path.to_owned(), source };
        let index: Self = serde_json::from_slice(&bytes).map_err(unreadable)?;
        if index.schema_version > 2 {
            let (found, known) = (index.schema_version, 2);
            return Err(Error::Newer { kind: KIND, path: path.to_owned(), found, known });
        }
        Ok(index)
    }

    /// Takes the name off whoever has it. An image that has no other name then stays, without one.
    fn untag(&mut self, name: &str) -> Option<Entry> {
        let place = self.manifests.iter().position(|entry| entry.name() == Some(name))?;
        let mut entry = self.manifests.remove(place);
        let before = entry.clone();
        if !self.manifests.iter().any(|other| other.key() == entry.key()) {
            entry.set_name(None);
            self.manifests.insert(place, entry);
        }
        Some(before)
    }

    fn tag(&mut self, name: &str, mut entry: Entry) -> Option<Entry> {
        let before = self.untag(name);
        self.manifests.retain(|other| other.name().is_some() || other.key() != entry.key());
        entry.set_name(Some(name));
        self.manifests.push(entry);
        before
    }
}

impl Store {
    /// All entries in the order of the file: an image with three names has three.
    pub fn images(&self) -> Result<Vec<Entry>> {
        Ok(Index::read(&self.layout().index())?.manifests)
    }

    /// The entry with exactly this full reference as name.
    pub fn image_named(&self, name: &str) -> Result<Option<Entry>> {
        Ok(self.images()?.into_iter().find(|entry| entry.name() == Some(name)))
    }

    /// Gives the manifest `entry` the name `name` and tells who had it before; that image keeps its other names, or stays
    /// without one. Durable. The blobs must be committed already.
    pub fn tag(&self, name: &str, entry: Entry) -> Result<Option<Entry>> {
        self.change_index(|index| index.tag(name, entry))
    }

    /// Gives the manifest `entry` all these names at once, as [`Store::tag`] does.
    pub fn tag_all(&self, names: &[String], entry: &Entry) -> Result<()> {
        self.change_index(|index| names.iter().for_each(|name| drop(index.tag(name, entry.clone()))))
    }

    /// Keeps the manifest `entry` without a name, unless it has one. Durable. The blobs must be committed already.
    pub fn keep(&self, entry: Entry) -> Result<()> {
        self.change_index(|index| {
            if !index.manifests.iter().any(|other| other.key() == entry.key()) {
                index.manifests.push(entry);
            }
        })
    }

    /// Takes a name away. The image stays, without a name if this was its last. `None`: there is no such name.
    pub fn untag(&self, name: &str) -> Result<Option<Entry>> {
        self.change_index(|index| index.untag(name))
    }

    /// Puts what `to` says in place of the entries with this key, which keep their names. Durable. Take the exclusive store
    /// lock before reading what is changed.
    pub fn replace(&self, key: &Digest, to: &Entry) -> Result<()> {
        self.change_index(|index| {
            for entry in index.manifests.iter_mut().filter(|entry| entry.key() == key) {
                *entry = Entry { annotations: std::mem::take(&mut entry.annotations), ..to.clone() };
            }
        })
    }

    /// Takes the entries with this [`Entry::key`] out of the index, and tells them. Take the exclusive store lock first; blobs and
    /// layers stay.
    pub fn forget(&self, key: &Digest) -> Result<Vec<Entry>> {
        self.change_index(|index| {
            let all = std::mem::take(&mut index.manifests);
            let (gone, kept) = all.into_iter().partition(|entry| entry.key() == key);
            index.manifests = kept;
            gone
        })
    }

    /// The entries of an index that can't be read as a whole, up to the first that can't.
    pub fn readable_entries(&self) -> Result<Vec<Entry>> {
        let Some(bytes) = records::read_limited(&self.layout().index(), KIND, LIMIT)? else { return Ok(Vec::new()) };
        let start = b"\"manifests\":[";
        let begin = bytes.windows(start.len()).position(|window| window == start).map(|place| place + start.len());
        let mut rest = begin.and_then(|begin| bytes.get(begin..)).unwrap_or_default();
        let mut entries = Vec::new();
        loop {
            let mut next = serde_json::Deserializer::from_slice(rest).into_iter::<Entry>();
            let Some(Ok(entry)) = next.next() else { return Ok(entries) };
            entries.push(entry);
            rest = rest.get(next.byte_offset()..).and_then(|rest| rest.strip_prefix(b",")).unwrap_or_default();
        }
    }

    /// Puts an index with these entries in the place of one that can't be read, which stays beside it as
    /// `index.json.damaged`. Durable.
    pub fn renew_index(&self, manifests: Vec<Entry>) -> Result<()> {
        let _lock = self.lock_index()?;
        let path = self.layout().index();
        if let Some(bytes) = records::read_limited(&path, KIND, LIMIT)? {
            atomic_file::write(&path.with_extension("json.damaged"), &bytes, true)?;
        }
        write_index(&path, &Index { manifests, ..Index::empty() })
    }

    fn change_index<T>(&self, change: impl FnOnce(&mut Index) -> T) -> Result<T> {
        let _lock = self.lock_index()?;
        let marker = self.layout().oci_layout();
        if rustix::fs::stat(&marker).is_err() {
            atomic_file::write(&marker, b"{\"imageLayoutVersion\":\"1.0.0\"}\n", true)?;
        }
        let path = self.layout().index();
        let mut index = Index::read(&path)?;
        let before = index.clone();
        let result = change(&mut index);
        if index != before || rustix::fs::stat(&path).is_err() {
            write_index(&path, &index)?;
        }
        Ok(result)
    }
}

fn write_index(path: &Path, index: &Index) -> Result<()> {
    let bytes = serde_json::to_vec(index);
    let bytes = bytes.map_err(|source| Error::Record { kind: KIND, path: path.to_owned(), source })?;
    if bytes.len() > LIMIT {
        return Err(Error::Full { kind: KIND, path: path.to_owned(), limit: LIMIT });
    }
    Ok(atomic_file::write(path, &bytes, true)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    fn entry(seed: &str) -> Entry {
        Entry::new("application/vnd.oci.image.manifest.v1+json", Digest::of(seed.as_bytes()), 7)
    }

    fn listed(store: &Store) -> Vec<(Option<String>, Digest)> {
        store.images().unwrap().into_iter().map(|e| (e.name().map(str::to_owned), e.digest)).collect()
    }

    #[test]
    fn a_name_moves_and_the_image_it_left_stays() {
        let scratch = Scratch::new("images");
        let store = &scratch.store;
        assert_eq!(store.images().unwrap(), []);
        assert_eq!(store.tag("h/a:1", entry("one")).unwrap(), None);
        assert_eq!(store.tag("h/a:2", entry("one")).unwrap(), None);
        assert_eq!(store.tag("h/a:1", entry("two")).unwrap().unwrap().digest, entry("one").digest);
        let (one, two) = (entry("one").digest, entry("two").digest);
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(listed(store), [(name("h/a:2"), one.clone()), (name("h/a:1"), two.clone())]);
        store.keep(entry("one")).unwrap();
        assert_eq!(listed(store).len(), 2, "it has a name");
        store.untag("h/a:2").unwrap().unwrap();
        assert_eq!(listed(store), [(None, one.clone()), (name("h/a:1"), two.clone())]);
        // Named again: the entry without a name goes.
        store.tag("h/b:1", entry("one")).unwrap();
        assert_eq!(listed(store), [(name("h/a:1"), two.clone()), (name("h/b:1"), one.clone())]);
        assert_eq!(store.untag("h/none:1").unwrap(), None);
        assert_eq!(store.forget(&two).unwrap().len(), 1);
        store.keep(entry("two")).unwrap();
        assert_eq!(listed(store).pop(), Some((None, two.clone())));
        assert_eq!(store.forget(&two).unwrap().len(), 1);
        assert_eq!(listed(store), [(name("h/b:1"), one)]);
        assert!(store.image_named("h/b:1").unwrap().is_some());
        assert!(store.layout().oci_layout().exists());
    }

    #[test]
    fn an_index_that_changes_stays_itself() {
        let scratch = Scratch::new("index");
        let store = &scratch.store;
        let made = |seed: &str, id: &str| {
            let made = Made { id: Digest::of(id.as_bytes()), created: String::new(), sources: BTreeMap::new() };
            Entry { media_type: OCI_INDEX.to_owned(), made: Some(made), ..entry(seed) }
        };
        // Two that are empty have the same bytes.
        store.tag("h/a:1", made("empty", "a")).unwrap();
        store.tag("h/a:2", made("empty", "a")).unwrap();
        store.tag("h/b:1", made("empty", "b")).unwrap();
        store.replace(made("", "a").key(), &made("full", "a")).unwrap();
        let (empty, full) = (entry("empty").digest, entry("full").digest);
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            listed(store),
            [(name("h/a:1"), full.clone()), (name("h/a:2"), full.clone()), (name("h/b:1"), empty)]
        );
        store.untag("h/b:1").unwrap().unwrap();
        assert_eq!(store.images().unwrap().iter().filter(|entry| entry.name().is_none()).count(), 1);
        assert_eq!(store.forget(made("", "a").key()).unwrap().len(), 2);
        assert_eq!(listed(store).len(), 1);
        assert!(store.images().unwrap()[0].is_index());
    }

    #[test]
    fn what_other_tools_wrote_is_kept() {
        let scratch = Scratch::new("foreign");
        let store = &scratch.store;
        let digest = Digest::of(b"x");
        let foreign = format!(
            r#"{{"schemaVersion":2,"subject":{{"a":1}},"manifests":[{{"mediaType":"m","digest":"{digest}","size":1,
            "platform":{{"os":"linux"}},"annotations":{{"org.opencontainers.image.ref.name":"12","k":"v"}}}}]}}"#
        );
        std::fs::write(store.layout().index(), foreign).unwrap();
        assert_eq!(listed(store), [(Some("12".to_owned()), digest)]);
        store.tag("h/a:1", entry("one")).unwrap();
        let text = std::fs::read_to_string(store.layout().index()).unwrap();
        for kept in [r#""subject":{"a":1}"#, r#""platform":{"os":"linux"}"#, r#""k":"v""#] {
            assert!(text.contains(kept), "{text}");
        }
        std::fs::write(store.layout().index(), r#"{"schemaVersion":3}"#).unwrap();
        assert!(matches!(store.images(), Err(Error::Newer { .. })));
        std::fs::write(store.layout().index(), r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:../x"}]}"#)
            .unwrap();
        assert!(matches!(store.images(), Err(Error::Record { .. })));
    }

    /// What is written can be read.
    #[test]
    fn an_index_has_a_limit() {
        let scratch = Scratch::new("full");
        let names = ["h/a:1".to_owned(), "x".repeat(LIMIT)];
        assert!(matches!(scratch.store.tag_all(&names, &entry("one")), Err(Error::Full { .. })));
        assert_eq!(scratch.store.images().unwrap(), []);
        scratch.store.tag_all(&names[..1], &entry("one")).unwrap();
        assert_eq!(listed(&scratch.store).len(), 1);
    }

    #[test]
    fn many_writers_lose_nothing() {
        let scratch = Scratch::new("writers");
        std::thread::scope(|scope| {
            for i in 0..8 {
                let store = &scratch.store;
                scope.spawn(move || store.tag(&format!("h/a:{i}"), entry(&i.to_string())).unwrap());
            }
        });
        assert_eq!(scratch.store.images().unwrap().len(), 8);
    }
}
