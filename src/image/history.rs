//! How an image was made, step by step, and which other images stand on its layers.

use std::collections::BTreeSet;

use super::find::Found;
use super::list::{List, layer_size, list};
use super::{Error, Result, find};
use crate::oci::Digest;
use crate::oci::image_config::History;
use crate::store::Store;

/// One step.
#[derive(Debug)]
pub struct Step {
    /// The image that the step made, if it is here.
    pub id: Option<Digest>,
    pub history: History,
    /// Bytes of its layer, as a tar stream; 0 where it made none.
    pub size: u64,
    /// The names of all images that end with its layer.
    pub names: Vec<String>,
}

/// The steps of the image that `text` names, the last first.
pub fn history(store: &Store, text: &str) -> Result<Vec<Step>> {
    let image = find::find(store, text)?.ok_or_else(|| Error::Unknown { name: text.to_owned() })?;
    let List { images: all, .. } = list(store)?;
    let mut told = BTreeSet::from([image.id.clone()]);
    let mut below = image.layers.len();
    let mut steps = Vec::new();
    for history in image.config.history.iter().rev() {
        let layers = image.layers.get(..below).unwrap_or_default();
        let ends_here = |other: &&Found| !layers.is_empty() && other.layers == layers;
        let same: Vec<&Found> = all.iter().map(|listed| &listed.image).filter(ends_here).collect();
        let id = match steps.is_empty() {
            true => Some(image.id.clone()),
            false => {
                // Of several that have these layers, rather one that was made by these steps.
                let is_other = |other: &&&Found| !image.config.history.starts_with(&other.config.history);
                let new = same.iter().filter(|other| !told.contains(&other.id));
                new.min_by_key(is_other).map(|other| other.id.clone())
            }
        };
        told.extend(id.clone());
        let mut size = 0;
        if !history.empty_layer && below > 0 {
            below -= 1;
            size = layer_size(store, &image, below);
        }
        let names = same.iter().flat_map(|other| other.names.clone()).collect();
        steps.push(Step { id, history: history.clone(), size, names });
    }
    Ok(steps)
}
