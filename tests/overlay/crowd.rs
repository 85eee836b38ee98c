//! Several processes at once in the same directories (`crowd.py` says what they do), in the style of fsstress.
//!
//! What becomes of the tree is nobody's choice, but each failure is one that another process explains, what is listed is there,
//! both drivers show the same tree afterwards, and all of it can be removed. As in `random`, what they leave is the next lower layer.

use std::process::Command;

use super::random::tree::{assert_equal, linked, tree};
use super::random::{clear, push_layer};
use super::stage::{self, Mounted, Stage};
use crate::harness::long_or;

const LAYERS: usize = 3;

/// `crowd:SEED:PROCESSES`
pub fn crowd(stage: &Stage) {
    let mut stage = stage.clone();
    stage.lowers = vec!["lower0".to_owned()];
    std::fs::create_dir(stage.place.join("lower0")).unwrap();
    for round in 0..LAYERS {
        let mounted = stage.mount(&stage.driver);
        stress(&stage, &mounted, round);
        let left = tree(&mounted.at);
        mounted.unmount();
        let broken = linked(&left);
        for driver in ["kernel", "fuse"] {
            let mounted = stage.mount(driver);
            assert_equal(&left, &tree(&mounted.at), &broken);
            mounted.unmount();
        }
        push_layer(&mut stage);
    }
    let mounted = stage.mount(&stage.driver);
    stress(&stage, &mounted, LAYERS);
    clear(&stage, mounted);
}

fn stress(stage: &Stage, mounted: &Mounted, round: usize) {
    let script = crate::architecture::root().join("tests/overlay/crowd.py");
    let mut python = Command::new("/usr/bin/python3");
    let python = python.arg(script).arg(&stage.driver).args(&stage.words).arg(round.to_string());
    let done = python.arg(long_or(50_000, 500).to_string()).current_dir(&mounted.at).status().unwrap();
    assert!(done.success(), "round {round} of {:?}", stage.words);
}

#[test]
fn kernel() {
    stage::run("kernel", "crowd:1:4");
}

#[test]
fn fuse() {
    stage::run("fuse", "crowd:1:4");
}

#[test]
fn fuse_with_many() {
    stage::run("fuse", "crowd:2:16");
}
