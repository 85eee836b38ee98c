//! `diff`: what a container, or the topmost layer of an image, changed; or what differs between any two of them.

use super::find::Found;
use super::{Error, Result, tree};
use crate::host::subid::IdMaps;
use crate::image::{self, find::Found as Image};
use crate::layer::changes::Change;
use crate::layer::read::{self, Layer, Tree};
use crate::layer::worker;
use crate::store::Store;

/// What has a tree.
#[derive(Debug)]
pub enum Subject {
    Container(Box<Found>),
    Image(Box<Image>),
}

/// What made `subject` of `other`, by path; without `other`, of what lies directly below it.
pub fn diff(store: &Store, subject: &Subject, other: Option<&Subject>) -> Result<Vec<Change>> {
    let ids = IdMaps::of_account()?;
    let Some(new) = tree_of(store, &ids, subject)? else { return Ok(Vec::new()) };
    let old = match other {
        None => match subject {
            Subject::Container(found) if found.container.rootfs.as_ref().is_some_and(|rootfs| !rootfs.overlay) => {
                return Err(nothing_below(found));
            }
            _ => new.below.clone(),
        },
        Some(other) => layers_of(store, &ids, other)?,
    };
    let container = [Some(subject), other].into_iter().flatten().find_map(|subject| match subject {
        Subject::Container(found) => Some(&found.container),
        Subject::Image(_) => None,
    });
    Ok(read::compare(&ids, &new, &old, &tree::own_paths(container))?)
}

/// `None`: an image without a layer.
fn tree_of(store: &Store, ids: &IdMaps, subject: &Subject) -> Result<Option<Tree>> {
    match subject {
        Subject::Container(found) => tree::of(store, found).map(Some),
        Subject::Image(image) => {
            let mut below = layers_of_image(store, ids, image)?;
            Ok((!below.is_empty()).then(|| Tree { top: below.remove(0), below, live: None }))
        }
    }
}

/// All directories, the topmost first, with everything in them that was written so far.
fn layers_of(store: &Store, ids: &IdMaps, subject: &Subject) -> Result<Vec<Layer>> {
    match subject {
        Subject::Container(found) => {
            let tree = tree::of(store, found)?;
            if tree.live.is_some() {
                read::settle(ids, &tree)?;
            }
            Ok([tree.top].into_iter().chain(tree.below).collect())
        }
        Subject::Image(image) => layers_of_image(store, ids, image),
    }
}

fn layers_of_image(store: &Store, ids: &IdMaps, image: &Image) -> Result<Vec<Layer>> {
    let mode = worker::mode_for(ids);
    match image.layers.iter().find(|layer| !store.has_layer(mode, layer)) {
        Some(diff_id) => {
            Err(image::Error::NotUnpacked { diff_id: diff_id.clone(), image: image.display_name() }.into())
        }
        None => Ok(tree::layers(store, mode, &image.layers)),
    }
}

fn nothing_below(found: &Found) -> Error {
    let directory = found.container.rootfs.as_ref().map(|rootfs| rootfs.path.display().to_string());
    Error::NothingBelow { id: found.container.short_id().to_owned(), directory: directory.unwrap_or_default() }
}
