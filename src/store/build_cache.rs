//! What builds remember: which layer a step gave, and what persists from build to build.
//!
//! ```text
//! build-cache/
//! ├── steps/<key>.json      the layer of a step with this key: parent, instruction and all that it read
//! ├── images/<key>.json     when an image with this content was first made, so that the same again has the same id
//! ├── files/<key>.json      what a server last said of a file that ADD fetched, and the digest of its content
//! ├── contexts/<key>.json   digests of a context's files, by what stat(2) says of them
//! └── mounts/<key>/         a directory of `RUN --mount=type=cache`, with a lock beside it
//! ```
//!
//! All of it may be removed at any time: a step whose record or layer is missing is done again. A record keeps its layer from
//! being removed with the images that use it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::records::{self, Record};
use super::{Result, Store};
use crate::host::change;
use crate::oci::{Descriptor, Digest};

/// The layer of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedStep {
    pub diff_id: Digest,
    pub blob: Descriptor,
    /// RFC 3339.
    pub created: String,
    /// For whoever looks at the cache.
    pub instruction: String,
    /// Not known of one that came from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// For who asks what has changed since; nothing of one that came from a registry.
    #[serde(default, skip_serializing_if = "Sources::is_empty")]
    pub sources: Sources,
}

/// What a step took of the build context: by path, the start of a digest. It decides nothing, and is left out where it would be
/// long.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sources {
    /// Of many files: what lies at the top alone, with all below it.
    pub folded: bool,
    pub digests: BTreeMap<String, String>,
}

impl Sources {
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }
}

/// What a step depends on, in three digests: the layers below it and the time, the instruction, and what that reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    pub below: Digest,
    pub instruction: Digest,
    pub input: Digest,
}

impl Record for CachedStep {
    const KIND: &'static str = "build step";
    const VERSION: u32 = 1;
}

/// When an image was first made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedImage {
    /// RFC 3339.
    pub created: String,
}

impl Record for CachedImage {
    const KIND: &'static str = "built image";
    const VERSION: u32 = 1;
}

/// A file of another machine, as it was when it was last fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedFile {
    pub digest: Digest,
    /// What the server calls this state of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// As the server wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    pub name: String,
}

impl Record for CachedFile {
    const KIND: &'static str = "fetched file";
    const VERSION: u32 = 1;
}

impl Store {
    pub fn build_cache(&self) -> PathBuf {
        self.layout().root().join("build-cache")
    }

    /// A directory below it, made if it is missing.
    pub fn build_cache_folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.build_cache().join(name);
        change::create_dirs(&path)?;
        Ok(path)
    }

    fn build_record(&self, folder: &str, key: &Digest) -> PathBuf {
        self.build_cache().join(folder).join(format!("{}.json", key.hex()))
    }

    /// The layer of the step with this key. A record that can't be read is none.
    pub fn cached_step(&self, key: &Digest) -> Option<CachedStep> {
        records::read(&self.build_record("steps", key)).ok().flatten()
    }

    pub fn cache_step(&self, key: &Digest, step: &CachedStep) -> Result<()> {
        self.build_cache_folder("steps")?;
        records::write(&self.build_record("steps", key), step, false)
    }

    /// What is known of the file at the address with this digest.
    pub fn cached_file(&self, key: &Digest) -> Option<CachedFile> {
        records::read(&self.build_record("files", key)).ok().flatten()
    }

    pub fn cache_file(&self, key: &Digest, file: &CachedFile) -> Result<()> {
        self.build_cache_folder("files")?;
        records::write(&self.build_record("files", key), file, false)
    }

    /// When an image with this content was first made: now, if never.
    pub fn first_made(&self, key: &Digest, now: String) -> Result<String> {
        let path = self.build_record("images", key);
        if let Ok(Some(CachedImage { created })) = records::read(&path) {
            return Ok(created);
        }
        self.build_cache_folder("images")?;
        records::write(&path, &CachedImage { created: now.clone() }, false)?;
        Ok(now)
    }

    /// All steps that are remembered, with the files that remember them.
    pub fn cached_steps(&self) -> Vec<(PathBuf, CachedStep)> {
        let entries = std::fs::read_dir(self.build_cache().join("steps")).into_iter().flatten().flatten();
        let read = |path: PathBuf| Some((path.clone(), records::read(&path).ok().flatten()?));
        entries.filter_map(|entry| read(entry.path())).collect()
    }

    /// Forgets the steps for which `goes` says so. Take the exclusive store lock first.
    pub fn forget_steps(&self, goes: impl Fn(&CachedStep) -> bool) -> Result<()> {
        for (path, _) in self.cached_steps().iter().filter(|(_, step)| goes(step)) {
            change::remove_file(path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    #[test]
    fn steps_are_remembered_until_they_are_forgotten() {
        let scratch = Scratch::new("build-cache");
        let store = &scratch.store;
        let key = |text: &str| Digest::of(text.as_bytes());
        let step = |text: &str| CachedStep {
            diff_id: key(text),
            blob: Descriptor::new("m", key("blob"), 1),
            created: "2026-01-01T00:00:00Z".into(),
            instruction: format!("RUN {text}"),
            sources: Sources::default(),
            parts: None,
        };
        assert_eq!(store.cached_step(&key("a")), None);
        store.cache_step(&key("a"), &step("one")).unwrap();
        store.cache_step(&key("b"), &step("two")).unwrap();
        assert_eq!(store.cached_step(&key("a")), Some(step("one")));
        std::fs::write(store.build_record("steps", &key("b")), "{").unwrap();
        assert_eq!((store.cached_step(&key("b")), store.cached_steps().len()), (None, 1));
        store.forget_steps(|step| step.instruction == "RUN one").unwrap();
        assert_eq!(store.cached_steps().len(), 0);
        let first = store.first_made(&key("i"), "then".into()).unwrap();
        assert_eq!((first, store.first_made(&key("i"), "now".into()).unwrap()), ("then".into(), "then".into()));
    }
}
