//! A layer and the blob that it was unpacked from: whether it still holds what that one says, and another in its place.

use std::collections::BTreeSet;
use std::path::Path;

use super::Mended;
use crate::container::Result;
use crate::container::find::{self, Found};
use crate::host::subid::IdMaps;
use crate::image::needs::Needs;
use crate::layer::same;
use crate::layer::worker::{self, Input, Limits};
use crate::oci::Digest;
use crate::store::layers::{FS, Mode};
use crate::store::{Commit, Store, Tmp, owners};

/// Where below `tmp/` a layer is unpacked.
const LAYER: &str = "layer";

/// Where a layer's files differ from those of its blob. `None`: nowhere, or it can't be known here, as the account has other ids
/// than when the layer was made.
pub fn difference(store: &Store, mode: Mode, diff_id: &Digest, blob: &Digest) -> Result<Option<String>> {
    let ids = IdMaps::of_account()?;
    if mode != worker::mode_for(&ids) {
        return Ok(None);
    }
    let again = unpack(store, &ids, mode, diff_id, blob)?;
    let (layer, other) = (store.layer_path(mode, diff_id), again.path().join(LAYER));
    let root = store.layout().root();
    let files = |layer: &Path| layer.strip_prefix(root).unwrap_or(layer).join(FS).display().to_string();
    let found = same::difference(&ids, root, [files(&layer), files(&other)])?;
    let owners = |layer: &Path| std::fs::read(layer.join(owners::FILE)).ok();
    // Layers of old have none.
    let other_owners = owners(&layer).is_some_and(|there| Some(there) != owners(&other));
    worker::remove_tmp(&ids, again)?;
    Ok(found.or_else(|| other_owners.then(|| owners::FILE.to_owned())))
}

fn unpack(store: &Store, ids: &IdMaps, mode: Mode, diff_id: &Digest, blob: &Digest) -> Result<Tmp> {
    let tmp = store.tmp_dir()?;
    let input = Input::File(store.open_blob(blob)?);
    let unpacked =
        worker::start_layer(ids, &tmp, mode, Some(diff_id.clone()), Limits::default(), None, input)?.finish()?;
    worker::finish_layer(&tmp, &unpacked, Some(blob.clone()))?;
    Ok(tmp)
}

/// Unpacks a layer anew and puts it in the place of the damaged one.
pub fn restore(store: &Store, mode: Mode, diff_id: &Digest) -> Result<Mended> {
    let ids = IdMaps::of_account()?;
    let is_whole = |blob: &Digest| store.hash_blob(blob).is_ok_and(|found| found == *blob);
    let blob = sources(store, mode, diff_id)?.into_iter().find(is_whole);
    let Some(blob) = blob.filter(|_| mode == worker::mode_for(&ids)) else { return Ok(Mended::No) };
    let runs_on_it = |found: &Found| found.container.layers.contains(diff_id);
    if find::living(store)?.found.iter().any(runs_on_it) {
        return Ok(Mended::InUse);
    }
    let again = unpack(store, &ids, mode, diff_id, &blob)?;
    let lock = store.lock_exclusive()?;
    let gone = store.retire_layer(mode, diff_id)?;
    let mut commit = Commit::new(store);
    commit.layer(again.path().join(LAYER), mode, diff_id);
    commit.finish()?;
    drop(lock);
    gone.map_or(Ok(()), |gone| worker::remove_tmp(&ids, gone))?;
    Ok(Mended::Done("unpacked again".to_owned()))
}

/// The blobs from which it can be made: its own record and the images tell.
fn sources(store: &Store, mode: Mode, diff_id: &Digest) -> Result<BTreeSet<Digest>> {
    let recorded = store.layer_record(mode, diff_id).ok().flatten().and_then(|record| record.blob);
    let images = store.images()?;
    let of_image = |entry| Needs::of(store, [entry]).ok().and_then(|mut needs| needs.sources.remove(diff_id));
    Ok(images.iter().filter_map(of_image).flatten().chain(recorded).collect())
}
