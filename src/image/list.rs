//! All images of the store.

use std::collections::{BTreeMap, BTreeSet};

use super::find::Found;
use super::{Error, Result};
use crate::oci::Digest;
use crate::store::Store;
use crate::store::images::{Entry, Summary};
use crate::store::layers::{LayerRecord, Mode};

/// So many images are read sooner than a thread is started.
const SHARE: usize = 50;

/// One image or index, whatever number of names it has.
#[derive(Debug)]
pub struct Listed {
    pub image: Found,
    /// Seconds since 1970; 0 where the image does not say.
    pub created: i64,
    /// Bytes of the files of all layers, each layer once; of an artifact, of its blobs; of an index, its own.
    pub size: u64,
    /// The id of the image here that it was made on, the nearest one; not known of one that was read in brief.
    pub parent: Option<Digest>,
    /// Others here were made on it.
    pub has_children: bool,
}

impl Listed {
    fn new(image: Found, created: i64, size: u64) -> Self {
        Self { image, created, size, parent: None, has_children: false }
    }

    /// Nobody means it by a name, and nothing was made on it.
    pub fn is_dangling(&self) -> bool {
        self.image.names.is_empty() && !self.has_children
    }

    /// Nobody means it by a name, but it is what others were made on.
    pub fn is_intermediate(&self) -> bool {
        self.image.names.is_empty() && self.has_children
    }
}

/// All images.
#[derive(Debug)]
pub struct List {
    /// The newest first.
    pub images: Vec<Listed>,
    /// What can't be read: the key of its entry, which is the manifest's digest, and why.
    pub broken: Vec<(Digest, Error)>,
}

/// Reads the index, and the manifest and config of every image, on all cores.
pub fn list(store: &Store) -> Result<List> {
    all(store, listed)
}

/// Reads the index, and of images whose entries say when they were made and how large they are nothing else: names, ids and
/// digests are true.
pub fn brief(store: &Store) -> Result<List> {
    all(store, |store, entry, names, sizes| match entry.summary().filter(|_| store.has_blob(&entry.digest)) {
        Some(summary) => Ok(Listed::new(Found::in_brief(entry, summary, names), summary.created, summary.size)),
        None => listed(store, entry, names, sizes),
    })
}

/// Sizes of layers. Of images on one base most layers are the same.
type Sizes = BTreeMap<Digest, u64>;

fn all(
    store: &Store,
    look: impl Fn(&Store, &Entry, Vec<String>, &mut Sizes) -> Result<Listed> + Copy + Sync,
) -> Result<List> {
    let entries = store.images()?;
    let mut names: BTreeMap<&Digest, Vec<String>> = BTreeMap::new();
    let mut distinct = Vec::new();
    for entry in &entries {
        let names = names.entry(entry.key()).or_insert_with(|| {
            distinct.push(entry);
            Vec::new()
        });
        names.extend(entry.name().map(str::to_owned));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = distinct.len().div_ceil(cores).max(SHARE);
    let load = |share: &[&Entry]| {
        let mut sizes = Sizes::new();
        let load = |entry: &&Entry| {
            let names = names.get(entry.key()).cloned().unwrap_or_default();
            (entry.key().clone(), look(store, entry, names, &mut sizes))
        };
        share.iter().map(load).collect::<Vec<_>>()
    };
    let (mut images, mut broken) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let (own, others) = distinct.split_at(share.min(distinct.len()));
        let others: Vec<_> = others.chunks(share).map(|share| scope.spawn(|| load(share))).collect();
        let loaded = std::iter::once(load(own)).chain(
            others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
        );
        for (key, result) in loaded.flatten() {
            match result {
                Ok(listed) => images.push(listed),
                Err(error) => broken.push((key, error)),
            }
        }
    });
    // The order of the index, where two are equally old.
    images.sort_by_key(|listed: &Listed| std::cmp::Reverse(listed.created));
    relate(&mut images);
    Ok(List { images, broken })
}

/// Finds out what was made on what, as Podman does: one image has the layers and the history of the other, and more history. Where
/// Podman asks for one step more, since each is an image there, here it is any number.
fn relate(images: &mut [Listed]) {
    let mut by_top: BTreeMap<Option<&Digest>, Vec<usize>> = BTreeMap::new();
    for (place, Listed { image, .. }) in images.iter().enumerate() {
        by_top.entry(image.layers.last()).or_default().push(place);
    }
    let related = |child: &Listed| {
        let Found { layers, config, .. } = &child.image;
        let tops: BTreeSet<_> = match layers.is_empty() {
            true => BTreeSet::from([None]),
            false => layers.iter().map(Some).collect(),
        };
        let places = tops.into_iter().filter_map(|top| by_top.get(&top)).flatten().copied();
        let mut parents: Vec<(usize, &Found)> =
            places.filter_map(|place| Some((place, &images.get(place)?.image))).collect();
        parents.retain(|(_, parent)| {
            let history = &parent.config.history;
            let says_something = !parent.layers.is_empty() || !history.is_empty();
            says_something
                && layers.starts_with(&parent.layers)
                && history.len() < config.history.len()
                && config.history.starts_with(history)
        });
        let nearest = parents.iter().max_by_key(|(_, parent)| (parent.config.history.len(), !parent.names.is_empty()));
        (nearest.map(|(_, parent)| parent.id.clone()), parents.iter().map(|(place, _)| *place).collect::<Vec<_>>())
    };
    let related: Vec<_> = images.iter().map(related).collect();
    let with_children: BTreeSet<usize> = related.iter().flat_map(|(_, parents)| parents).copied().collect();
    for (place, (child, (parent, _))) in images.iter_mut().zip(related).enumerate() {
        child.parent = parent;
        child.has_children = with_children.contains(&place);
    }
}

/// The entry of an image that is in the store with all its parts, which from now on says what a list shows.
pub(super) fn summarized(store: &Store, entry: Entry) -> Result<Entry> {
    let Listed { image, created, size, .. } = listed(store, &entry, Vec::new(), &mut Sizes::new())?;
    let summary = Some(Summary { manifest: entry.digest.clone(), id: image.id, created, size });
    Ok(Entry { summary, ..entry })
}

fn listed(store: &Store, entry: &Entry, names: Vec<String>, sizes: &mut Sizes) -> Result<Listed> {
    let image = Found::load_itself(store, entry, names)?;
    let size = if entry.is_index() { entry.size } else { known_size(store, &image, sizes) };
    let created = created(&image);
    Ok(Listed::new(image, created, size))
}

/// Seconds since 1970; 0 where it does not say.
pub fn created(image: &Found) -> i64 {
    let text = image.config.created.as_deref().unwrap_or_default();
    chrono::DateTime::parse_from_rfc3339(text).map(|time| time.timestamp()).unwrap_or(0)
}

/// What its layers take unpacked; the compressed size of those that this store does not hold unpacked.
pub(super) fn size(store: &Store, image: &Found) -> u64 {
    known_size(store, image, &mut Sizes::new())
}

fn known_size(store: &Store, image: &Found, sizes: &mut Sizes) -> u64 {
    if image.manifest.check_is_image().is_err() {
        return image.manifest.layers.iter().fold(0, |sum, blob| sum.saturating_add(blob.size));
    }
    let mut seen = BTreeSet::new();
    let layers = image.layers.iter().zip(&image.manifest.layers).filter(|(diff_id, _)| seen.insert(*diff_id));
    let mut sum = 0;
    for (diff_id, blob) in layers {
        sum += match sizes.get(diff_id) {
            Some(size) => *size,
            None => {
                let size = record(store, diff_id).map_or(blob.size, |record| record.size);
                sizes.insert(diff_id.clone(), size);
                size
            }
        };
    }
    sum
}

/// Bytes of one layer of an image as a tar stream; 0 if it has not so many.
pub(super) fn layer_size(store: &Store, image: &Found, place: usize) -> u64 {
    let layer = image.layers.get(place).zip(image.manifest.layers.get(place));
    layer.map_or(0, |(diff_id, blob)| record(store, diff_id).map_or(blob.size, |record| record.tar_size))
}

fn record(store: &Store, diff_id: &Digest) -> Option<LayerRecord> {
    Mode::ALL.iter().find_map(|mode| store.layer_record(*mode, diff_id).ok().flatten())
}
