//! What a disk makes of an image, and what a command that was killed leaves of one: it can be had again, and removed.

use std::path::PathBuf;

use super::server::{Parts, Server};
use crate::harness::{Case, Driver};

/// A store that holds an image, and its registry.
struct Held {
    case: Case,
    parts: Parts,
    name: String,
}

impl Held {
    fn new() -> Self {
        let (case, parts) = (Case::new(Driver::Auto), Parts::new());
        let name = case.pull(&format!("{}/x:1", Server::start(parts.answers()).address));
        Self { case, parts, name }
    }

    /// Where its manifest, config and layer lie.
    fn blobs(&self) -> [PathBuf; 3] {
        let digest = crate::harness::image::digest;
        let documents = [&self.parts.manifest, &self.parts.config].map(|json| digest(json.to_string().as_bytes()));
        let [manifest, config] = documents;
        [manifest, config, digest(&self.parts.layer)]
            .map(|digest| self.case.store().join("images/blobs/sha256").join(digest.trim_start_matches("sha256:")))
    }

    fn left(&self) -> Vec<PathBuf> {
        let all = ["layers", "images/blobs/sha256"].map(|folder| std::fs::read_dir(self.case.store().join(folder)));
        all.into_iter().flat_map(|folder| folder.unwrap().map(|entry| entry.unwrap().path())).collect()
    }
}

/// Of other bytes, and cut.
#[test]
fn a_pull_replaces_what_is_damaged() {
    let held = Held::new();
    for (place, rotten) in [(0, "rotten"), (0, ""), (1, "rotten"), (1, ""), (2, "rotten")] {
        std::fs::write(&held.blobs()[place], rotten).unwrap();
        held.case.pull(&held.name);
        held.case.coracle(["system", "check"]).code(0).stdout("");
    }
}

#[test]
fn what_is_damaged_can_be_removed() {
    for place in [0, 1] {
        for way in [&["rmi"][..], &["rmi", "-f"], &["rmi", "-a"], &["rmi", "-a", "-f"], &["image", "prune", "-a", "-f"]]
        {
            let held = Held::new();
            std::fs::write(&held.blobs()[place], "rotten").unwrap();
            let name = (way.len() == 1 || way == ["rmi", "-f"]).then_some(held.name.as_str());
            held.case.coracle(way.iter().copied().chain(name)).code(0).stderr("");
            held.case.coracle(["images", "-q"]).code(0).stdout("").stderr("");
            assert!(!held.blobs()[0].exists());
        }
    }
}

/// A pull that is killed before the name, or a removal after it.
#[test]
fn a_prune_removes_what_nothing_names() {
    let held = Held::new();
    let other = held.case.busybox();
    held.case.coracle(["create", "--name", "box", &held.name, "x"]).code(0);
    let before = held.left().len();
    let index = held.case.store().join("images/index.json");
    let text = std::fs::read_to_string(&index).unwrap();
    let mut named: serde_json::Value = serde_json::from_str(&text).unwrap();
    named["manifests"].as_array_mut().unwrap().retain(|entry| !entry.to_string().contains(&held.name));
    std::fs::write(&index, named.to_string()).unwrap();
    // The container keeps the layer, not the blobs.
    held.case.coracle(["image", "prune", "-f"]).code(0).stdout("");
    assert_eq!(held.left().len(), before - 3);
    held.case.coracle(["rm", "box"]).code(0);
    held.case.coracle(["system", "prune", "-f"]).code(0).stdout("Total reclaimed space: 300kB\n");
    assert_eq!(held.left().len(), before - 4);
    held.case.sh(&other, "echo whole").code(0).stdout("whole\n");
}
