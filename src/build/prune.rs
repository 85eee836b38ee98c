//! What builds remember: how much of it there is, and how it goes.
//!
//! Steps, whose layers images may share; directories of `RUN --mount=type=cache`; and notes that cost nothing to make again. A
//! directory that a command has mounted at this moment stays.

use std::path::{Path, PathBuf};

use super::Result;
use super::caches::FILES;
use crate::container::commit::step;
use crate::container::mount::Source;
use crate::host::change;
use crate::host::subid::IdMaps;
use crate::image::list::list;
use crate::layer::{measure, worker};
use crate::oci::Digest;
use crate::store::Store;
use crate::store::layers::Mode;

/// One thing that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub id: String,
    /// The instruction, or what else it is.
    pub what: String,
    /// Of disk; of a layer that an image has, too, none.
    pub bytes: u64,
    /// An image has its layer, or a command uses it.
    pub in_use: bool,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Step(Digest),
    Mount(PathBuf),
}

/// What went.
#[derive(Debug, Default)]
pub struct Pruned {
    pub ids: Vec<String>,
    pub bytes: u64,
}

/// All that is remembered, steps first.
pub fn kept(store: &Store) -> Result<Vec<Kept>> {
    let images = list(store)?.images;
    let is_images = |diff_id: &Digest| images.iter().any(|listed| listed.image.layers.contains(diff_id));
    let size = |diff_id: &Digest| {
        let record = |mode| store.layer_record(mode, diff_id).ok().flatten().map(|record| record.size);
        Mode::ALL.into_iter().find_map(record).unwrap_or(0)
    };
    let mut all = Vec::new();
    for (path, step) in store.cached_steps() {
        let in_use = is_images(&step.diff_id);
        let bytes = if in_use { 0 } else { size(&step.diff_id) };
        all.push(Kept { id: id_of(&path), what: step.instruction, bytes, in_use, place: Place::Step(step.diff_id) });
    }
    let used: Vec<PathBuf> =
        step::living(store).into_iter().flat_map(|container| container.mounts).filter_map(bound).collect();
    let ids = IdMaps::of_account()?;
    let paths = mounts(store);
    let files: Vec<String> = paths.iter().map(|path| format!("{}/{FILES}", id_of(path))).collect();
    let sizes = match files.is_empty() {
        true => Vec::new(),
        false => measure::sizes(&ids, &store.build_cache().join("mounts"), &files)?,
    };
    for (path, bytes) in paths.into_iter().zip(sizes) {
        let in_use = used.contains(&path.join(FILES));
        all.push(Kept {
            id: id_of(&path),
            what: "a cache of RUN --mount".into(),
            bytes,
            in_use,
            place: Place::Mount(path),
        });
    }
    Ok(all)
}

/// Forgets what no image and no command uses; with `all`, also the steps whose layers images have.
pub fn prune(store: &Store, all: bool) -> Result<Pruned> {
    let kept = kept(store)?;
    let mut pruned = Pruned::default();
    let goes: Vec<&Kept> =
        kept.iter().filter(|kept| !kept.in_use || all && matches!(kept.place, Place::Step(_))).collect();
    {
        let _lock = store.lock_exclusive()?;
        let steps: Vec<&Digest> = goes.iter().filter_map(|kept| kept.step()).collect();
        store.forget_steps(|step| steps.contains(&&step.diff_id))?;
    }
    let ids = IdMaps::of_account()?;
    for kept in goes {
        if let Place::Mount(path) = &kept.place {
            let tmp = store.tmp_dir()?;
            change::rename(path, &tmp.path().join("cache"))?;
            worker::remove_tmp(&ids, tmp)?;
        }
        pruned.ids.push(kept.id.clone());
        pruned.bytes += kept.bytes;
    }
    if all {
        for notes in ["contexts", "files", "images"] {
            change::remove_tree(&store.build_cache().join(notes))?;
        }
    }
    Ok(pruned)
}

impl Kept {
    fn step(&self) -> Option<&Digest> {
        match &self.place {
            Place::Step(diff_id) => Some(diff_id),
            Place::Mount(_) => None,
        }
    }
}

fn id_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().trim_end_matches(".json").to_owned()
}

fn bound(mount: crate::container::mount::Mount) -> Option<PathBuf> {
    match mount.source {
        Source::Bind(path) => Some(path),
        _ => None,
    }
}

/// The folders of caches, in the order of their names.
fn mounts(store: &Store) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(store.build_cache().join("mounts")).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.join(FILES).is_dir()).collect();
    all.sort();
    all
}
