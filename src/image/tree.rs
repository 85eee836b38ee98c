//! The layers of images as one tree: a layer stands on those below it, whatever image it is of.

use std::collections::BTreeMap;

use super::find::Found;
use super::list::{List, layer_size, list, size};
use super::{Error, Result, find};
use crate::oci::Digest;
use crate::store::Store;

/// One layer, in its place above others.
#[derive(Debug)]
pub struct Node {
    pub diff_id: Digest,
    /// Bytes, as a tar stream.
    pub size: u64,
    /// The names of the images that end with it.
    pub top_of: Vec<String>,
    /// Those that stand on it.
    pub above: Vec<Node>,
}

/// An image and its layers.
#[derive(Debug)]
pub struct Tree {
    pub image: Found,
    /// Bytes of its files.
    pub size: u64,
    /// Its layers, the lowest first, and nothing above them; or its topmost layer and then all that stands on that.
    pub nodes: Vec<Node>,
}

/// The layers of the image that `text` names; with `what_requires` those of others that stand on its topmost one.
pub fn tree(store: &Store, text: &str, what_requires: bool) -> Result<Tree> {
    let image = find::find(store, text)?.ok_or_else(|| Error::Unknown { name: text.to_owned() })?;
    let List { images, .. } = list(store)?;
    let all = All { store, images: images.into_iter().map(|listed| listed.image).collect() };
    let nodes = match what_requires {
        true => {
            let own = all.node(&image.layers, &image, Vec::new());
            own.into_iter().chain(all.above(&image.layers)).collect()
        }
        false => (1..=image.layers.len())
            .filter_map(|count| all.node(image.layers.get(..count)?, &image, Vec::new()))
            .collect(),
    };
    Ok(Tree { size: size(store, &image), image, nodes })
}

struct All<'a> {
    store: &'a Store,
    images: Vec<Found>,
}

impl All<'_> {
    /// The last of these layers, which `image` begins with. `None`: there are none.
    fn node(&self, layers: &[Digest], image: &Found, above: Vec<Node>) -> Option<Node> {
        let diff_id = layers.last()?.clone();
        let size = layer_size(self.store, image, layers.len() - 1);
        let ends_here = self.images.iter().filter(|other| other.layers == layers);
        let mut top_of: Vec<String> = ends_here.flat_map(|other| other.names.clone()).collect();
        // Images come in any order.
        top_of.sort();
        Some(Node { diff_id, size, top_of, above })
    }

    /// All that stands on these layers.
    fn above(&self, layers: &[Digest]) -> Vec<Node> {
        let mut next: BTreeMap<&Digest, &Found> = BTreeMap::new();
        for image in &self.images {
            if let Some([first, ..]) = image.layers.strip_prefix(layers) {
                next.entry(first).or_insert(image);
            }
        }
        let nodes = next.into_values().filter_map(|image| {
            let layers = image.layers.get(..=layers.len())?;
            self.node(layers, image, self.above(layers))
        });
        nodes.collect()
    }
}
