//! Pulling: from a name at a registry to an image in the store.
//!
//! ```text
//! name ─▶ resolve: manifest, config, both checked
//!      ─▶ claim every layer that is missing, in the order of their diff ids: two pulls of one layer do the work once, and two
//!         pulls that wait for each other can't be
//!      ─▶ fetch, some at once: network ─▶ blob file (hashed)
//!                                     └─▶ pipe ─▶ worker: decompress, hash, unpack (not what an artifact has)
//!      ─▶ under the shared store lock: all still there? ─▶ sync, rename, sync, name
//! ```
//!
//! Until the last step nothing is visible. Whoever is killed leaves directories in `tmp/` whose locks are free.

mod fetch;
pub mod progress;
mod resolve;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use fetch::Together;
pub(super) use fetch::has_room;
use progress::{Event, Progress};
use resolve::Resolved;
pub(super) use resolve::no_platform;

use super::{Error, Result, list};
use crate::host::subid::IdMaps;
use crate::layer::budget::Budget;
use crate::layer::worker;
use crate::oci::media_type::OCI_MANIFEST;
use crate::oci::{Descriptor, Digest, Platform, Reference};
use crate::registry::Registry;
use crate::store::images::Entry;
use crate::store::layers::Mode;
use crate::store::partial::Partial;
use crate::store::{Commit, Store, Tmp};

/// Layers that are fetched at the same time.
pub const PARALLEL: usize = 3;

/// How often a pull that waits for another looks at it.
const LOOK: Duration = Duration::from_millis(50);

/// How to pull.
pub struct Pull<'a> {
    pub store: &'a Store,
    pub registry: &'a dyn Registry,
    pub progress: &'a dyn Progress,
    pub platform: Platform,
    /// What this account can map: it decides how the owners of files are kept.
    pub ids: IdMaps,
    pub parallel: usize,
    /// The most bytes that a layer may unpack to; `None`: all together, what the disk can take.
    pub max_layer_size: Option<u64>,
    /// Whether an artifact is taken, of which nothing can be run.
    pub artifacts: bool,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The digest of the config; of an artifact, of the manifest.
    pub id: Digest,
    pub manifest_digest: Digest,
    /// The full reference under which it is listed.
    pub name: String,
}

/// One layer of the image that is not in the store, or not all of it.
struct Missing<'a> {
    /// `None`: a blob of an artifact, which is not unpacked.
    diff_id: Option<&'a Digest>,
    blob: &'a Descriptor,
}

/// A missing layer that is ours to fetch.
struct Claimed<'a> {
    layer: &'a Missing<'a>,
    tmp: Tmp,
    /// Where its blob is received; `None`: in `tmp`, or it is here.
    partial: Option<Partial>,
}

impl Claimed<'_> {
    fn blob_path(&self) -> PathBuf {
        self.partial.as_ref().map_or_else(|| self.tmp.path().join("blob"), |partial| partial.path().to_owned())
    }
}

/// A missing layer whose parts are ready, ours until all is visible.
struct Fetched {
    parts: fetch::Parts,
    _tmp: Tmp,
    partial: Option<Partial>,
}

impl Pull<'_> {
    /// Pulls the image `name`; where it says neither tag nor digest, `latest`. With both, the digest counts.
    pub fn run(&self, name: &Reference) -> Result<Pulled> {
        let name = name.clone().pinned();
        // Whoever was killed left something: a failure to remove it is not this pull's.
        let _ = worker::sweep(self.store);
        self.progress.event(Event::Trying { image: &name });
        let (id, manifest_digest) = self.take(&name, &[name.to_string()]).map_err(|error| error.of(&name))?;
        Ok(Pulled { id, manifest_digest, name: name.to_string() })
    }

    /// Takes the image at `address`, which then has these names, or none. Its id, and the digest of its manifest.
    pub fn take(&self, address: &Reference, names: &[String]) -> Result<(Digest, Digest)> {
        let resolved = self.resolve(address)?;
        let layers = unique(&resolved);
        let mut told = false;
        loop {
            let fetched = self.fetch_missing(address, &layers, !told)?;
            told = true;
            let all = self.commit(names, &resolved, &layers, &fetched)?;
            for partial in fetched.into_iter().filter_map(|fetched| fetched.partial) {
                partial.discard()?;
            }
            if all {
                return Ok((resolved.manifest.id(&resolved.manifest_digest).clone(), resolved.manifest_digest));
            }
            // Somebody removed a layer that was there when we looked.
        }
    }

    fn mode(&self) -> Mode {
        worker::mode_for(&self.ids)
    }

    /// Whether layer and blob are here, and one was made from the other: what a manifest says of them is no proof.
    fn is_present(&self, layer: &Missing<'_>) -> bool {
        let is_made = |diff_id| {
            let known = self.store.layer_record(self.mode(), diff_id).ok().flatten();
            known.is_some_and(|known| known.blob.as_ref() == Some(&layer.blob.digest))
        };
        layer.diff_id.is_none_or(is_made) && self.store.blob_size(&layer.blob.digest) == Some(layer.blob.size)
    }

    fn fetch_missing(&self, name: &Reference, layers: &[Missing<'_>], tell: bool) -> Result<Vec<Fetched>> {
        let mut claimed = Vec::new();
        for layer in layers {
            match self.claim(layer)? {
                Some(tmp) => {
                    let present = self.store.has_blob(&layer.blob.digest);
                    let partial = if present { None } else { self.store.partial(&layer.blob.digest)? };
                    claimed.push(Claimed { layer, tmp, partial });
                }
                None if tell => self.progress.event(Event::Present { layer: &layer.blob.digest }),
                None => {}
            }
        }
        let together = match self.together(name, &claimed) {
            Ok(together) => together,
            Err(failure) => {
                self.give_up(claimed, false);
                return Err(failure);
            }
        };
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<(usize, fetch::Parts)>> {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(layer) = claimed.get(place) else { return Ok(done) };
                match self.fetch(name, layer, &together) {
                    Ok(parts) => done.push((place, parts)),
                    Err(error) => {
                        together.given_up.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        let results: Vec<Result<Vec<(usize, fetch::Parts)>>> = std::thread::scope(|scope| {
            let (_working, written) = mpsc::channel();
            scope.spawn(move || self.store.write_out(&written));
            let threads = self.parallel.clamp(1, claimed.len().max(1));
            let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            started.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::GivenUp))).collect()
        });
        let mut parts = match all_of(results) {
            Ok(parts) => parts,
            Err(failure) => {
                self.give_up(claimed, failure.is_of_the_network());
                return Err(failure);
            }
        };
        let claimed = claimed.into_iter().enumerate();
        Ok(claimed
            .filter_map(|(place, Claimed { tmp, partial, .. })| {
                Some(Fetched { parts: parts.remove(&place)?, _tmp: tmp, partial })
            })
            .collect())
    }

    /// What the disk can take of these layers: all that is to come of their blobs, and what they unpack to.
    fn together(&self, name: &Reference, claimed: &[Claimed<'_>]) -> Result<Together> {
        let tmp = self.store.layout().tmp();
        if claimed.len() > 1 {
            let is_here = |layer: &Claimed<'_>| self.store.has_blob(&layer.layer.blob.digest);
            let came = |layer: &Claimed<'_>| std::fs::metadata(layer.blob_path()).map_or(0, |metadata| metadata.len());
            let to_come = claimed.iter().filter(|layer| !is_here(layer));
            let to_come = to_come.map(|layer| layer.layer.blob.size.saturating_sub(came(layer)));
            let missing = to_come.fold(0, u64::saturating_add);
            has_room(&tmp, name, "what is missing of its layers", missing)?;
        }
        let budget = match self.max_layer_size {
            None if !claimed.is_empty() => Budget::of_disk(&tmp)?,
            _ => None,
        };
        Ok(Together { budget, ..Together::default() })
    }

    /// Removes what was fetched; `resumable`: what was received may be gone on with. What can't be removed now, the next sweep
    /// meets.
    fn give_up(&self, claimed: Vec<Claimed<'_>>, resumable: bool) {
        for Claimed { tmp, partial, .. } in claimed {
            let _ = worker::remove_layer(&self.ids, &tmp);
            let _ = match partial {
                Some(partial) if resumable => partial.leave(),
                Some(partial) => partial.discard(),
                None => Ok(()),
            };
        }
    }

    /// The right to fetch a layer; `None`: it is in the store, perhaps since another process has just put it there.
    fn claim(&self, layer: &Missing<'_>) -> Result<Option<Tmp>> {
        if self.is_present(layer) {
            return Ok(None);
        }
        let Descriptor { digest, size, .. } = layer.blob;
        let key = match layer.diff_id {
            Some(diff_id) => format!("layer {} {diff_id} {digest} {size}", self.mode().name()),
            None => format!("blob {digest} {size}"),
        };
        let tmp = match self.store.try_claim(&key)? {
            Some(tmp) => tmp,
            None => {
                self.progress.event(Event::Waiting { layer: &layer.blob.digest });
                self.claim_of_another(&key)?
            }
        };
        Ok(if self.is_present(layer) { None } else { Some(tmp) })
    }

    /// Waits for another pull of the same layer: as long as it lives and gets on, be it with another layer of its image. One that
    /// has stalled for as long as a registry may, since it was stopped, holds nobody up: the layer is fetched twice, and stays once.
    fn claim_of_another(&self, key: &str) -> Result<Tmp> {
        let received = || {
            let all = std::fs::read_dir(self.store.layout().partial()).into_iter().flatten().flatten();
            all.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).fold(0, u64::wrapping_add)
        };
        let (mut last, mut since) = (received(), Instant::now());
        loop {
            if let Some(tmp) = self.store.try_claim(key)? {
                return Ok(tmp);
            }
            let now = received();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if since.elapsed() > self.registry.stall() {
                return Ok(self.store.tmp_dir()?);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Makes all visible. `false`: something that was there is gone, so all must be looked at again.
    fn commit(
        &self,
        names: &[String],
        resolved: &Resolved,
        layers: &[Missing<'_>],
        fetched: &[Fetched],
    ) -> Result<bool> {
        let _lock = self.store.lock_shared()?;
        let is_of = |parts: &fetch::Parts, layer: &Missing<'_>| {
            parts.diff_id.as_ref() == layer.diff_id && parts.blob_digest == layer.blob.digest
        };
        let is_ready = |layer| match fetched.iter().map(|done| &done.parts).find(|parts| is_of(parts, layer)) {
            Some(parts) => {
                (parts.blob.is_some() || self.store.has_blob(&parts.blob_digest))
                    && (parts.unpacked.is_some()
                        || parts.diff_id.as_ref().is_none_or(|diff_id| self.store.has_layer(self.mode(), diff_id)))
            }
            None => self.is_present(layer),
        };
        if !layers.iter().all(is_ready) {
            return Ok(false);
        }
        let config_digest = &resolved.manifest.config.digest;
        self.progress.event(Event::Config { digest: config_digest });
        self.progress.event(Event::Writing);
        let mut commit = Commit::new(self.store);
        for Fetched { parts, .. } in fetched {
            if let Some((path, diff_id)) = parts.unpacked.as_ref().zip(parts.diff_id.as_ref()) {
                commit.layer(path.clone(), self.mode(), diff_id);
            }
            if let Some(path) = &parts.blob {
                commit.blob(path.clone(), &parts.blob_digest);
            }
        }
        commit.bytes(&resolved.config_bytes)?;
        commit.bytes(&resolved.manifest_bytes)?;
        commit.finish()?;
        let media_type = resolved.media_type.as_deref().unwrap_or(OCI_MANIFEST);
        let size = resolved.manifest_bytes.len() as u64;
        let entry = Entry::new(media_type, resolved.manifest_digest.clone(), size);
        let entry = list::summarized(self.store, entry)?;
        match names {
            [] => self.store.keep(entry)?,
            names => self.store.tag_all(names, &entry)?,
        }
        Ok(true)
    }
}

/// What all threads made, or the first cause, which is not what it made others give up.
fn all_of(results: Vec<Result<Vec<(usize, fetch::Parts)>>>) -> Result<BTreeMap<usize, fetch::Parts>> {
    let mut parts = BTreeMap::new();
    let mut failure = None;
    for result in results {
        match result {
            Ok(done) => parts.extend(done),
            Err(Error::GivenUp) => failure = failure.or(Some(Error::GivenUp)),
            Err(error) => failure = failure.filter(|known| !matches!(known, Error::GivenUp)).or(Some(error)),
        }
    }
    failure.map_or(Ok(parts), Err)
}

/// Each layer once, in the order of the diff ids: the order in which every pull claims. One that is said to be in two blobs, or
/// of two sizes, counts twice, as all of it is to be true.
fn unique(resolved: &Resolved) -> Vec<Missing<'_>> {
    let diff_id = |place| resolved.config.as_ref().and_then(|config| config.rootfs.diff_ids.get(place));
    let blobs = resolved.manifest.layers.iter().enumerate().map(|(place, blob)| (diff_id(place), blob));
    let layers: BTreeMap<_, _> =
        blobs.map(|(diff_id, blob)| ((diff_id, &blob.digest, blob.size), Missing { diff_id, blob })).collect();
    layers.into_values().collect()
}
