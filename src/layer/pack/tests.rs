//! Trees that are packed, unpacked and packed again: what came out first must come out again, to the byte.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

use super::super::merged::Owners;
use super::super::tar_stream::{Entry, Kind, TarStream};
use super::super::unpack::unpack;
use super::*;
use crate::host::change;
use crate::store::layers::Mode as Kept;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coracle-pack-{}-{name}", std::process::id()));
        change::remove_tree(&path).unwrap();
        change::create_dir(&path).unwrap();
        Self(path)
    }

    fn dir(&self, name: &str) -> PathBuf {
        change::create_dirs(&self.0.join(name)).unwrap();
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = change::remove_tree(&self.0);
    }
}

fn root(layers: &[&Path]) -> Merged {
    Merged::root(layers.iter().map(|path| (File::open(path).unwrap().into(), Owners::Disk)).collect())
}

fn packed(layers: &[&Path], form: Form) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(root(layers), form, &["left-out".to_owned()], &mut bytes).unwrap();
    bytes
}

fn unpacked(scratch: &Scratch, name: &str, bytes: &[u8]) -> PathBuf {
    let place = scratch.dir(name);
    unpack(bytes, File::open(&place).unwrap().as_fd(), Kept::Recorded).unwrap();
    fs::set_permissions(&place, PermissionsExt::from_mode(0o700)).unwrap();
    place
}

fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut stream = TarStream::new(bytes);
    std::iter::from_fn(|| stream.next_entry().unwrap()).collect()
}

fn names(bytes: &[u8]) -> Vec<String> {
    entries(bytes).into_iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect()
}

fn attribute(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty()).unwrap();
}

fn whiteout(path: &Path) {
    mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
}

/// xorshift: the same trees on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn name(&mut self) -> Vec<u8> {
        let length = [1, 3, 8, 60, 99, 100, 101, 150, 250][self.below(9) as usize];
        (0..length).map(|_| *b"abcXYZ.- \xff\n".get(self.below(11) as usize).unwrap()).map(|b| b.max(b'-')).collect()
    }
}

/// Fills a directory with everything that an upper directory holds.
fn fill(random: &mut Random, directory: &Path, depth: u64, files: &mut Vec<PathBuf>) {
    for _ in 0..random.below(9) {
        let path = directory.join(std::ffi::OsStr::from_bytes(&random.name()));
        if path.symlink_metadata().is_ok() || path.as_os_str().len() > 3000 {
            continue;
        }
        match random.below(10) {
            0..3 if depth > 0 => {
                fs::create_dir(&path).unwrap();
                fill(random, &path, depth - 1, files);
                if random.below(3) == 0 {
                    attribute(&path, "user.overlay.opaque", b"y");
                }
                fs::set_permissions(&path, PermissionsExt::from_mode(0o700 | random.below(0o10000) as u32)).unwrap();
            }
            3 => symlink("x".repeat(random.below(300) as usize + 1), &path).unwrap(),
            4 => mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o640), 0).unwrap(),
            5 => whiteout(&path),
            6 if !files.is_empty() => fs::hard_link(&files[random.below(files.len() as u64) as usize], &path).unwrap(),
            _ => {
                file(random, &path);
                files.push(path.clone());
            }
        }
        // What a symlink was made at can't be set through it.
        if path.symlink_metadata().unwrap().is_file() || path.is_dir() {
            let time = std::time::UNIX_EPOCH
                + std::time::Duration::new(random.below(9_000_000_000), random.below(1_000_000_000) as u32);
            File::open(&path).unwrap().set_modified(time).unwrap();
        }
    }
}

fn file(random: &mut Random, path: &Path) {
    let file = File::create(path).unwrap();
    let byte = [random.below(255) as u8 + 1];
    file.write_all_at(&byte.repeat(random.below(3000) as usize), 0).unwrap();
    if random.below(4) == 0 {
        // With a hole, and sometimes one at the end.
        file.write_all_at(&byte.repeat(5000), random.below(4) * (1 << 20)).unwrap();
        file.set_len((3 << 20) + 5000 + random.below(2) * 77_777).unwrap();
    }
    if random.below(3) == 0 {
        attribute(path, "user.a", &byte.repeat(random.below(200) as usize));
        attribute(path, "user.coracle.owner", b"private");
    }
    fs::set_permissions(path, PermissionsExt::from_mode(0o600 | random.below(0o10000) as u32)).unwrap();
}

#[test]
fn random_trees_come_back_as_they_went() {
    for seed in 1..60 {
        let scratch = Scratch::new("random");
        let tree = scratch.dir("tree");
        fill(&mut Random(seed * 0x9e37_79b9), &tree, 4, &mut Vec::new());
        let first = packed(&[&tree], Form::LAYER);
        let copy = unpacked(&scratch, "copy", &first);
        assert!(first == packed(&[&copy], Form::LAYER), "seed {seed}");
        assert_eq!(first.len() % 512, 0);
    }
}

#[test]
fn a_layer_says_what_it_hides() {
    let scratch = Scratch::new("hides");
    let tree = scratch.dir("tree");
    for dir in ["d/opaque", "d/marked", "z"] {
        change::create_dirs(&tree.join(dir)).unwrap();
    }
    whiteout(&tree.join("d/gone"));
    attribute(&tree.join("d/opaque"), "user.overlay.opaque", b"y");
    fs::write(tree.join("d/opaque/new"), "x").unwrap();
    attribute(&tree.join("d/marked"), "user.overlay.opaque", b"x");
    fs::write(tree.join("d/marked/also-gone"), "").unwrap();
    attribute(&tree.join("d/marked/also-gone"), "user.overlay.whiteout", b"y");
    fs::write(tree.join("left-out"), "x").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("d/socket")).unwrap();
    let bytes = packed(&[&tree], Form::LAYER);
    let expected = [
        "d/",
        "d/.wh.gone",
        "d/marked/",
        "d/marked/.wh.also-gone",
        "d/opaque/",
        "d/opaque/.wh..wh..opq",
        "d/opaque/new",
        "z/",
    ];
    assert_eq!(names(&bytes), expected);
    assert!(bytes == packed(&[&unpacked(&scratch, "copy", &bytes)], Form::LAYER));

    // Its own name says what a whiteout says.
    fs::write(tree.join("d/.wh.x"), "").unwrap();
    let error = pack(root(&[&tree]), Form::LAYER, &[], std::io::sink()).unwrap_err();
    assert!(error.to_string().contains("`d/.wh.x`") && error.hint().is_some(), "{error}");
    assert!(pack(root(&[&tree]), Form::TREE, &[], std::io::sink()).is_ok());
}

#[test]
fn layers_are_seen_as_one_tree() {
    let scratch = Scratch::new("tree");
    let (upper, middle, lower) = (scratch.dir("upper"), scratch.dir("middle"), scratch.dir("lower"));
    for (layer, path, text) in [
        (&lower, "d/kept", "lower"),
        (&lower, "d/changed", "lower"),
        (&lower, "d/gone", "lower"),
        (&lower, "o/below", "lower"),
        (&lower, "f/was-dir", "lower"),
        (&lower, "left-out", "the image's own"),
        (&middle, "d/changed", "middle"),
        (&middle, "o/middle", "middle"),
        (&upper, "d/new", "upper"),
        (&upper, "f", "upper"),
    ] {
        change::create_dirs(layer.join(path).parent().unwrap()).unwrap();
        fs::write(layer.join(path), text).unwrap();
    }
    whiteout(&upper.join("d/gone"));
    attribute(&middle.join("o"), "user.overlay.opaque", b"y");
    change::create_dirs(&upper.join("o")).unwrap();
    let bytes = packed(&[&upper, &middle, &lower], Form::TREE);
    let expected = ["d/", "d/changed", "d/kept", "d/new", "f", "left-out", "o/", "o/middle"];
    assert_eq!(names(&bytes), expected);
    let copy = unpacked(&scratch, "copy", &bytes);
    assert_eq!(fs::read_to_string(copy.join("d/changed")).unwrap(), "middle");
    assert_eq!(fs::read_to_string(copy.join("f")).unwrap(), "upper");
}

/// As one layer, several hide what each of them hides, and show what they show.
#[test]
fn layers_become_one_layer() {
    let scratch = Scratch::new("layers");
    let (upper, lower) = (scratch.dir("upper"), scratch.dir("lower"));
    for (layer, path) in [
        (&lower, "d/below"),
        (&lower, "f"),
        (&lower, "made/again"),
        (&upper, "d/above"),
        (&upper, "gone/new"),
        (&upper, "made/new"),
    ] {
        change::create_dirs(layer.join(path).parent().unwrap()).unwrap();
        fs::write(layer.join(path), path).unwrap();
    }
    whiteout(&lower.join("d/hidden"));
    whiteout(&lower.join("gone"));
    whiteout(&upper.join("f"));
    attribute(&lower.join("made"), "user.overlay.opaque", b"y");
    let expected = [
        "d/",
        "d/above",
        "d/below",
        "d/.wh.hidden",
        ".wh.f",
        "gone/",
        "gone/.wh..wh..opq",
        "gone/new",
        "made/",
        "made/.wh..wh..opq",
        "made/again",
        "made/new",
    ];
    assert_eq!(names(&packed(&[&upper, &lower], Form::LAYERS)), expected);
}

#[test]
fn links_devices_holes_and_large_numbers() {
    let scratch = Scratch::new("kinds");
    let tree = scratch.dir("tree");
    fs::write(tree.join("device"), "").unwrap();
    attribute(&tree.join("device"), "user.coracle.device", b"b 259:70000");
    let huge = File::create(tree.join("huge")).unwrap();
    huge.set_len(20 << 30).unwrap();
    huge.write_all_at(b"in the middle", 10 << 30).unwrap();
    fs::hard_link(tree.join("huge"), tree.join("link")).unwrap();
    symlink("target", tree.join("s")).unwrap();
    fs::hard_link(tree.join("s"), tree.join("s2")).unwrap();
    let bytes = packed(&[&tree], Form::LAYER);
    assert!(bytes.len() < 3 << 20, "20 GiB of holes are not written: {}", bytes.len());
    let all = entries(&bytes);
    let kinds: Vec<_> = all.iter().map(|entry| (entry.kind, entry.link.as_slice())).collect();
    let expected: [(Kind, &[u8]); 5] = [
        (Kind::BlockDevice, b""),
        (Kind::File, b""),
        (Kind::HardLink, b"huge"),
        (Kind::Symlink, b"target"),
        (Kind::HardLink, b"s"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!((all[0].device, all[1].size), ((259, 70_000), 20 << 30));
    let copy = unpacked(&scratch, "copy", &bytes);
    let meta = fs::metadata(copy.join("link")).unwrap();
    assert_eq!((meta.nlink(), meta.len()), (2, 20 << 30));
    assert!(bytes == packed(&[&copy], Form::LAYER));

    let header = Header { path: b"x".to_vec(), uid: 3_000_000, size: 9 << 30, mtime: (-2, 5), ..Header::marker() };
    let mut bytes = header.encode();
    bytes.truncate(bytes.len().next_multiple_of(512));
    let entry = TarStream::new(bytes.as_slice()).next_entry().unwrap().unwrap();
    assert_eq!((entry.uid, entry.size, entry.mtime), (3_000_000, 9 << 30, (-2, 5)));
}

/// The size is promised before the data are read.
#[test]
fn a_file_that_shrinks_is_filled_up() {
    let scratch = Scratch::new("shrinks");
    let path = scratch.0.join("f");
    fs::write(&path, [7; 1000]).unwrap();
    let file = File::open(&path).unwrap();
    let content = Content::of(file.as_fd(), &rustix::fs::fstat(&file).unwrap()).unwrap();
    fs::write(&path, [7; 10]).unwrap();
    let mut out = Vec::new();
    content.write(file.as_fd(), &mut data::buffer(), &mut out).unwrap();
    assert_eq!((out.len(), out[9], out[10]), (1024, 7, 0));
}
