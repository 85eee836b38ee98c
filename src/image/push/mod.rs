//! Pushing: from an image of the store to a name at a registry, or to an archive.
//!
//! ```text
//! manifest ─▶ plan: blobs and manifest, as they are or in another format or compression
//!          ─▶ blobs, some at once: there already? else mounted from another repository of the registry, else uploaded
//!          ─▶ the manifest, once all that it names is there
//! ```
//!
//! An index is pushed after its images, each by its digest; one in an index is pushed after its own. The blobs are those that were
//! pulled or made: nothing is compressed again unless that is asked for, so an image keeps its digests.

pub mod compress;
mod destination;
mod plan;
mod source;
mod variants;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use compress::Wanted;
pub use destination::Destination;
use plan::{Held, Plan};

use super::manifest::Open;
use super::needs::Needs;
use super::pull::progress::{Event, Progress};
use super::{Error, Result};
use crate::oci::manifest::ManifestError;
use crate::oci::media_type::{DOCKER_INDEX, Format, OCI_INDEX};
use crate::oci::{Digest, Document, Index, Reference};
use crate::registry::{self, Mount, Outgoing, Trusted};
use crate::store::Store;

/// Blobs that are sent at the same time.
pub const PARALLEL: usize = 3;
/// Indexes in an index.
const INDEX_DEPTH: usize = 3;

/// How to push.
pub struct Push<'a> {
    pub store: &'a Store,
    pub destination: &'a dyn Destination,
    pub progress: &'a dyn Progress,
    /// `None`: as the image is.
    pub format: Option<Format>,
    /// `None`: as the layers are.
    pub compress: Option<Wanted>,
    /// The images of an index are pushed in these ways, too.
    pub variants: &'a [Wanted],
    /// Where an image of an index is that the store does not hold.
    pub reach: &'a (dyn Fn(&Reference) -> Result<Trusted> + Sync),
    /// Which repositories of the registry have a blob, as far as the store knows; filled when it is first asked.
    pub elsewhere: OnceLock<BTreeMap<Digest, String>>,
}

/// Each blob once.
fn distinct(blobs: impl IntoIterator<Item = Outgoing>) -> Vec<Outgoing> {
    let mut seen = BTreeSet::new();
    blobs.into_iter().filter(|blob| seen.insert(blob.digest.clone())).collect()
}

impl Push<'_> {
    /// Pushes the image whose manifest is `manifest` to the name `to`; the digest that it has there.
    pub fn image(&self, manifest: &Digest, to: &Reference) -> Result<Digest> {
        let (bytes, Document::Manifest(manifest)) = self.document(manifest)? else { return Err(Error::DeepIndex(0)) };
        self.send(&self.plan((bytes, *manifest), to, &Held::InStore, self.compress)?, to)
    }

    /// Pushes an index and, with `all`, its images.
    pub fn index(&self, open: &Open, all: bool, to: &Reference) -> Result<Digest> {
        let source_of = |manifest: &Digest| open.made.sources.get(manifest).map(String::as_str);
        let mut index = open.index.clone();
        if all {
            self.instances(&mut index, &source_of, to, INDEX_DEPTH)?;
            self.add_variants(&mut index, &open.index, &source_of, to)?;
        }
        let (bytes, media_type) = self.written(index, &open.index, &open.bytes)?;
        self.progress.event(Event::Writing);
        self.put(to, media_type, &bytes)
    }

    /// Pushes all that an index names, and lets it name what was pushed. `source_of`: where that is which the store does not hold.
    fn instances<'s>(
        &self,
        index: &mut Index,
        source_of: &dyn Fn(&Digest) -> Option<&'s str>,
        to: &Reference,
        depth: usize,
    ) -> Result<()> {
        let of = index.manifests.len();
        for (place, entry) in index.manifests.iter_mut().enumerate() {
            self.progress.event(Event::Instance { manifest: &entry.digest, number: place + 1, of });
            let repository = source_of(&entry.digest).filter(|_| !self.store.has_blob(&entry.digest));
            let source = repository.map(|repository| self.source(repository, &entry.digest)).transpose()?;
            let (bytes, document) = match &source {
                Some(source) => source.document()?,
                None => self.document(&entry.digest)?,
            };
            let (bytes, media_type) = match document {
                Document::Manifest(manifest) => {
                    let is_image = manifest.check_is_image().is_ok();
                    let plan = self.plan_anywhere((bytes, *manifest), source, to, self.compress)?;
                    if let Some(wanted) = self.compress.filter(|_| is_image) {
                        variants::mark(entry, wanted.compression);
                    }
                    self.send(&plan, &to.at(Digest::of(&plan.manifest)))?;
                    (plan.manifest, plan.media_type)
                }
                Document::Index(_) if depth == 0 => return Err(Error::DeepIndex(INDEX_DEPTH)),
                Document::Index(old) => {
                    let mut new = old.clone();
                    // What is in an index that a registry has is there, too.
                    self.instances(&mut new, &|_| repository, to, depth - 1)?;
                    let (bytes, media_type) = self.written(new, &old, &bytes)?;
                    self.put(&to.at(Digest::of(&bytes)), media_type, &bytes)?;
                    (bytes, media_type)
                }
            };
            (entry.digest, entry.size) = (Digest::of(&bytes), bytes.len() as u64);
            media_type.clone_into(&mut entry.media_type);
        }
        Ok(())
    }

    /// An index as it is pushed, and its type. What nobody wants changed keeps its bytes, and so its digest.
    fn written(&self, mut new: Index, old: &Index, bytes: &[u8]) -> Result<(Vec<u8>, &'static str)> {
        let format = self.format_of(new.media_type.as_deref());
        let media_type = if format == Format::Docker { DOCKER_INDEX } else { OCI_INDEX };
        if new.media_type.as_deref().unwrap_or(OCI_INDEX) != media_type {
            new.media_type = Some(media_type.to_owned());
        }
        let bytes = match new == *old {
            true => bytes.to_vec(),
            false => serde_json::to_vec(&new).map_err(ManifestError::from)?,
        };
        Ok((bytes, media_type))
    }

    /// Sends what the registry lacks of an image, and its manifest.
    fn send(&self, plan: &Plan, to: &Reference) -> Result<Digest> {
        self.send_blobs(plan, to, true)?;
        self.progress.event(Event::Config { digest: &plan.config.digest });
        self.progress.event(Event::Writing);
        match self.put(to, plan.media_type, &plan.manifest) {
            Err(Error::Registry(registry::Error::LacksBlob { .. })) => {
                // It said that it had them, or lost one meanwhile.
                self.send_blobs(plan, to, false)?;
                self.put(to, plan.media_type, &plan.manifest)
            }
            stored => stored,
        }
    }

    /// Stores a manifest or index, whose digest it gives. The registry may tell no other.
    fn put(&self, to: &Reference, media_type: &str, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        match self.destination.put_manifest(to, media_type, bytes)? {
            Some(told) if told != digest.to_string() => {
                Err(Error::OtherDigest { told: told.chars().take(100).collect(), digest })
            }
            _ => Ok(digest),
        }
    }

    /// Several at once; with `look`, only those that are not there.
    fn send_blobs(&self, plan: &Plan, to: &Reference, look: bool) -> Result<()> {
        // The config is told of by itself.
        let layers = plan.layers.iter().map(|layer| (layer, self.progress));
        let blobs: Vec<(&Outgoing, &dyn Progress)> = layers.chain([(&plan.config, &() as &dyn Progress)]).collect();
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let given_up = || failed.load(Ordering::Relaxed);
        let work = || -> Result<()> {
            while let Some((blob, progress)) = blobs.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !given_up()) {
                let sent = self.send_blob(plan, blob, to, look, *progress, &given_up);
                let layer = &blob.digest;
                match sent.inspect_err(|_| failed.store(true, Ordering::Relaxed))? {
                    true => progress.event(Event::Done { layer }),
                    false => progress.event(Event::Present { layer }),
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let started: Vec<_> = (0..PARALLEL.min(blobs.len())).map(|_| scope.spawn(work)).collect();
            started.into_iter().try_for_each(|thread| thread.join().unwrap_or(Err(Error::GivenUp)))
        })
    }

    /// Gives the repository a blob. `false`: no byte had to be sent.
    fn send_blob(
        &self,
        plan: &Plan,
        blob: &Outgoing,
        to: &Reference,
        look: bool,
        progress: &dyn Progress,
        given_up: &dyn Fn() -> bool,
    ) -> Result<bool> {
        let layer = &blob.digest;
        if look && self.destination.has_blob(to, layer, blob.size)? {
            return Ok(false);
        }
        let source = plan.source.as_ref().filter(|source| source.name.registry() == to.registry());
        let mut begun = None;
        if let Some(from) = source.map(|source| source.name.repository()).or_else(|| self.elsewhere(to, layer)) {
            match self.destination.mount(to, layer, from)? {
                Some(Mount::Done) => return Ok(false),
                Some(Mount::Upload(upload)) => begun = Some(upload),
                None => {}
            }
        }
        progress.event(Event::Started { layer, size: blob.size });
        if let Some(source) = &plan.source {
            source.fetch(blob, given_up)?;
        }
        let told = |bytes| progress.event(Event::Received { layer, bytes });
        self.destination.push_blob(to, blob, begun, &told, given_up)?;
        Ok(true)
    }

    /// Another repository of the registry that has a blob, by the names of the store's images.
    fn elsewhere(&self, to: &Reference, blob: &Digest) -> Option<&str> {
        let all = self.elsewhere.get_or_init(|| {
            let mut all = BTreeMap::new();
            for entry in self.store.images().unwrap_or_default() {
                let name = entry.name().and_then(|name| name.parse::<Reference>().ok());
                let there = |name: &Reference| name.registry() == to.registry() && name.repository() != to.repository();
                let Some(name) = name.filter(there) else { continue };
                let Ok(needs) = Needs::of(self.store, [&entry]) else { continue };
                all.extend(needs.blobs.into_iter().map(|blob| (blob, name.repository().to_owned())));
            }
            all
        });
        all.get(blob).map(String::as_str)
    }
}
