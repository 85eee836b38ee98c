//! Stacks of another kind than one image's on an ordinary disk: very many layers, a directory that lives.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use coracle::overlay;
use coracle::overlay::living::Living;
use rustix::mount::{MountFlags, mount, mount_bind};

use super::stage::{self, Stage};

#[test]
fn five_hundred_layers_with_the_kernel() {
    stage::run("kernel", "five_hundred_layers");
}

#[test]
fn five_hundred_layers_with_fuse() {
    stage::run("fuse", "five_hundred_layers");
}

/// As many as the kernel's driver takes: each has a file of its own, one that all have, and a part of one directory.
pub fn five_hundred_layers(stage: &Stage) {
    const COUNT: usize = 500;
    overlay::raise_descriptor_limit();
    let mut stage = stage.clone();
    stage.lowers = (0..COUNT).map(|at| format!("layer{at}")).collect();
    for (at, layer) in stage.lowers.iter().enumerate() {
        let layer = stage.place.join(layer);
        fs::create_dir_all(layer.join("d")).unwrap();
        fs::write(layer.join(format!("d/{at}")), at.to_string()).unwrap();
        fs::write(layer.join("all"), at.to_string()).unwrap();
        if at > 0 {
            fs::write(layer.join(format!("hidden{at}")), "").unwrap();
            stage::whiteout(&stage.place.join(format!("layer{}/hidden{at}", at - 1)));
        }
    }
    let mounted = stage.mount(&stage.driver);
    let at = |name: &str| mounted.at.join(name);
    assert_eq!(fs::read_dir(at("d")).unwrap().count(), COUNT);
    assert_eq!(fs::read_dir(at("")).unwrap().count(), 2);
    assert_eq!(fs::read_to_string(at("all")).unwrap(), "0");
    assert_eq!(fs::read_to_string(at("d/499")).unwrap(), "499");
    fs::write(at("d/499"), "written").unwrap();
    fs::remove_file(at("all")).unwrap();
    for name in 0..COUNT {
        fs::remove_file(at(&format!("d/{name}"))).unwrap();
    }
    fs::remove_dir(at("d")).unwrap();
    assert_eq!(fs::read_dir(at("")).unwrap().count(), 0);
    mounted.unmount();
}

#[test]
fn living() {
    stage::run("fuse", "a_living_directory");
}

fn identity(path: &Path) -> (u64, u64) {
    let meta = fs::metadata(path).unwrap();
    (meta.dev(), meta.ino())
}

/// What is mounted in it, and what is to be hidden, shows as an empty directory; all of that can still be written over.
pub fn a_living_directory(stage: &Stage) {
    let mut stage = stage.clone();
    stage.lowers = vec!["lower1".to_owned()];
    let below = stage.place.join("lower1");
    for dir in ["disk", "bound", "hidden/deep", "kept"] {
        fs::create_dir_all(below.join(dir)).unwrap();
    }
    mount("tmpfs", below.join("disk"), "tmpfs", MountFlags::empty(), None).unwrap();
    mount_bind(below.join("kept"), below.join("bound")).unwrap();
    for file in ["disk/file", "hidden/file", "kept/file"] {
        fs::write(below.join(file), "").unwrap();
    }
    // A mark of an overlay means nothing where somebody else's files lie.
    let none = rustix::fs::XattrFlags::empty();
    fs::write(below.join("kept/marked"), "").unwrap();
    rustix::fs::setxattr(below.join("kept/marked"), "user.overlay.whiteout", b"y", none).unwrap();
    stage.features.living = Some(Living { hides: vec![identity(&below.join("hidden"))] });
    let mounted = stage.mount("fuse");
    let at = |name: &str| mounted.at.join(name);
    let list = |name: &str| -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(at(name)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(list(""), ["bound", "disk", "hidden", "kept"]);
    assert_eq!(list("kept"), ["file", "marked"]);
    for empty in ["disk", "bound", "hidden"] {
        assert!(list(empty).is_empty() && fs::metadata(at(empty).join("file")).is_err(), "{empty}");
        fs::create_dir(at(empty).join("sub")).unwrap();
        fs::write(at(empty).join("file"), "own").unwrap();
        assert_eq!(list(empty), ["file", "sub"]);
        fs::rename(at(empty).join("sub"), at("kept").join(empty)).unwrap();
        fs::remove_dir_all(at(empty)).unwrap();
        fs::create_dir(at(empty)).unwrap();
        assert!(list(empty).is_empty(), "{empty}");
    }
    assert_eq!(list("kept"), ["bound", "disk", "file", "hidden", "marked"]);
    assert_eq!(fs::read_dir(below.join("disk")).unwrap().count(), 1, "something was written below");
    mounted.unmount();
}
