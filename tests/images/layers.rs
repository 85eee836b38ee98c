//! Hostile and broken layers, through a whole pull, each in every way in which layers travel: exit code 125 and one line that
//! says what is wrong, or what should come of it; nothing visible, nothing left, nothing outside touched, little memory, little time.
//!
//! What becomes of every sort of entry is tested where entries are unpacked; here, one of each kind.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use tar::EntryType;

use super::registry::{LEFT, MEMORY, TIME, highest, size};
use super::server::{Answers, Parts, Server};
use crate::harness::image::digest;
use crate::harness::{Case, Driver, Finished, Layer, binary, long_or, tell};

/// The answers of a registry with an image of one layer: `blob` on the way, `plain` for the image's configuration.
pub fn image(blob: Vec<u8>, plain: &[u8]) -> Answers {
    let describe =
        |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()});
    let mut parts = Parts::new();
    parts.config["rootfs"]["diff_ids"] = json!([digest(plain)]);
    let config = parts.config.to_string();
    parts.manifest["config"] = describe("application/vnd.oci.image.config.v1+json", config.as_bytes());
    parts.manifest["layers"] = json!([describe("application/vnd.oci.image.layer.v1.tar+gzip", &blob)]);
    parts.layer = blob;
    parts.answers()
}

/// A world with a tree that no layer may touch, beside its store.
struct World {
    case: Case,
    before: Vec<String>,
}

impl World {
    fn new() -> Self {
        let case = Case::new(Driver::Auto);
        std::fs::create_dir_all(case.home.join("canary/dir")).unwrap();
        std::fs::write(case.home.join("canary/file"), "untouched").unwrap();
        let before = seen(&case.home.join("canary"));
        Self { case, before }
    }

    /// Whatever the layer is: no process has more memory than may be, nor have all together, and nothing outside changes.
    fn pull(&self, what: &str, answers: Answers, flags: &[&str]) -> Finished {
        let server = Server::start(answers);
        let (limit, program, name) = (format!("--data={}", MEMORY << 10), binary(), format!("{}/x:1", server.address));
        let words = [&[limit.as_str(), program.to_str().unwrap(), "pull"][..], flags, &[name.as_str()]].concat();
        let running = self.case.command_of(Path::new("prlimit"), words).start();
        let memory = highest(running.pid().as_raw_nonzero().get());
        let finished = running.finish();
        assert!(memory < MEMORY, "{what}: {memory} KiB of memory: {finished}");
        assert_eq!(seen(&self.case.home.join("canary")), self.before, "the canary changed: {finished}");
        finished
    }

    /// The pull fails soon with one line of error that holds `words`, and leaves nothing.
    #[track_caller]
    fn refuses(&self, what: &str, answers: Answers, flags: &[&str], words: &str) {
        let begun = Instant::now();
        let finished = self.pull(what, answers, flags).code(125).stdout("").error(words);
        assert!(begun.elapsed() < TIME, "{what}: it took {:?}", begun.elapsed());
        let errors = finished.stderr.lines().filter(|line| line.starts_with("Error: ")).count();
        assert_eq!(errors, 1, "{what}: {finished}");
        self.case.coracle(["images", "-q"]).code(0).stdout("");
        for folder in ["layers", "tmp", "images/blobs/sha256"] {
            let left = std::fs::read_dir(self.case.store().join(folder)).unwrap().count();
            assert_eq!(left, 0, "{what}: left in {folder}");
        }
        let left = size(&self.case.store());
        assert!(left <= LEFT, "{what}: {left} bytes are left");
    }

    /// The pull succeeds, and the layer has these files with this content.
    #[track_caller]
    fn accepts(&self, what: &str, answers: Answers, expected: &[(&str, &str)]) {
        self.pull(what, answers, &[]).code(0);
        let layers = self.case.store().join("layers");
        let layer = std::fs::read_dir(&layers).unwrap().next().unwrap().unwrap().path();
        for (path, content) in expected {
            let found = std::fs::read(layer.join("fs").join(path));
            let found = found.unwrap_or_else(|error| panic!("{what}: {path}: {error}"));
            assert!(found == content.as_bytes(), "{what}: {path}");
        }
    }
}

/// All that can be seen of a tree.
fn seen(path: &Path) -> Vec<String> {
    let meta = std::fs::symlink_metadata(path).unwrap();
    let mut names = [0; 1000];
    let attributes = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
    let mut all = vec![format!(
        "{path:?} {} {:o} {} {times:?} {:?}",
        meta.ino(),
        meta.mode(),
        meta.nlink(),
        &names[..attributes]
    )];
    if meta.is_dir() {
        all.extend(std::fs::read_dir(path).unwrap().flat_map(|entry| seen(&entry.unwrap().path())));
    }
    all
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// One entry that comes to a bad end, of each kind.
fn bad_entries(canary: &str) -> Vec<(&'static str, Layer, &'static str)> {
    let layer = || Layer::new().file("first", 0o644, "x");
    let header = |kind, size: &str| {
        let mut bytes = layer().entry(kind, "header", 0o644, (0, 0), "", b"").tar();
        bytes.truncate(bytes.len() - 1024);
        let start = bytes.len() - 512;
        bytes[start + 124..start + 124 + size.len()].copy_from_slice(size.as_bytes());
        bytes[start + 148..start + 156].fill(b' ');
        let sum: u32 = bytes[start..].iter().map(|byte| u32::from(*byte)).sum();
        bytes[start + 148..start + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        Layer::new().raw(&bytes)
    };
    let outside = canary.trim_start_matches('/');
    vec![
        ("a path", layer().file("../canary/file", 0o644, "x"), "`../canary/file` climbs above the root"),
        ("a link's target", layer().hard_link("l", "../canary/file"), "`l` climbs above the root"),
        ("a link to nothing", layer().symlink("s", canary).hard_link("l", "s/file"), "which is not in the layer"),
        ("an absolute link", layer().hard_link("l", &format!("/{outside}/file")), "which is not in the layer"),
        ("a loop", layer().symlink("a", "b").symlink("b", "a").file("a/x", 0o644, ""), "too many symbolic links"),
        ("a file as a parent", layer().file("first/x", 0o644, ""), "`first/x` lies in `first`"),
        ("a whiteout of nothing", layer().file(".wh.", 0o644, ""), "`.wh.` is a whiteout that names nothing"),
        ("below a whiteout", layer().file(".wh.a/b", 0o644, ""), "`.wh.a/b` lies below a whiteout"),
        ("a root", layer().symlink("/", canary), "is the root of the layer but not a directory"),
        ("an owner", layer().owned_file("a", 0o644, (2_000_000, 0), ""), "`a` belongs to 2000000:0"),
        ("a NUL", layer().pax("path", "a\0b").file("x", 0o644, ""), "a NUL byte in it"),
        ("a long name", layer().pax("path", "n".repeat(300)).file("x", 0o644, ""), "more than 255 bytes"),
        ("an escape", layer().file("../\x1b[2Jcanary", 0o644, ""), "`../?[2Jcanary` climbs"),
        ("a type", layer().entry(EntryType::new(b'Z'), "z", 0o644, (0, 0), "", b""), "does not know: `Z`"),
        ("a record", layer().entry(EntryType::XHeader, "p", 0o644, (0, 0), "", b"9 nonsense"), "malformed record"),
        ("100 MB of header", header(EntryType::XHeader, "00575360400\0"), "is refused"),
        ("a large long name", header(EntryType::GNULongName, "77777777777\0"), "is refused"),
        ("data that never comes", header(EntryType::Regular, "77777777777\0"), "ends within the data of `header`"),
        (
            "a sparse lie",
            layer().pax("GNU.sparse.size", "9").pax("GNU.sparse.map", "0,9,5,9").file("s", 0o644, "x"),
            "`s` is malformed",
        ),
        ("a map without a size", layer().pax("GNU.sparse.map", "0,0").file("s", 0o644, ""), "no size"),
        ("zeros between", Layer::new().raw(&[0; 512]).file("a", 0o644, ""), "a block of zeros stands between entries"),
        ("no archive", Layer::new().raw(&b"#!/bin/sh\nexit\n".repeat(100)), "checksum"),
        ("half a header", Layer::new().raw(&[b'x'; 100]), "checksum"),
    ]
}

#[test]
fn an_entry_that_comes_to_a_bad_end() {
    let world = World::new();
    let canary = world.case.home.join("canary").to_str().unwrap().to_owned();
    for (number, (what, layer, words)) in bad_entries(&canary).into_iter().enumerate() {
        let plain = layer.tar();
        let blob = match number % 3 {
            0 => gzip(&plain),
            1 => zstd(&plain),
            _ => plain.clone(),
        };
        world.refuses(what, image(blob, &plain), &[], words);
    }
}

/// Names that lead outside, if they were followed from anywhere but the layer's root.
#[test]
fn entries_that_stay_inside() {
    let world = World::new();
    let canary = world.case.home.join("canary").to_str().unwrap().to_owned();
    let inside = canary.trim_start_matches('/');
    let file = format!("{inside}/file");
    let layer = Layer::new()
        .symlink("l", &canary)
        .file("l/file", 0o644, "inside")
        .symlink("up", "../../../../../..")
        .file("up/top", 0o644, "top")
        .file(&format!("/{inside}/absolute"), 0o644, "absolute")
        .hard_link("link", "l/file")
        .entry(EntryType::Char, "null", 0o666, (0, 0), "", b"")
        .entry(EntryType::Fifo, "pipe", 0o600, (0, 0), "", b"")
        .symlink("replaced", &canary)
        .dir("replaced", 0o777)
        .file("replaced/x", 0o644, "replaced")
        .pax("SCHILY.xattr.user.overlay.redirect", "/etc")
        .pax("SCHILY.xattr.trusted.overlay.opaque", "y")
        .file("last", 0o4755, "last")
        .whiteout("gone");
    let plain = layer.tar();
    let absolute = format!("{inside}/absolute");
    let expected = [
        (file.as_str(), "inside"),
        ("link", "inside"),
        ("top", "top"),
        (absolute.as_str(), "absolute"),
        ("replaced/x", "replaced"),
        ("null", ""),
        ("last", "last"),
    ];
    world.accepts("all of them", image(gzip(&plain), &plain), &expected);
}

#[test]
fn streams_that_are_odd_and_whole() {
    let plain = Layer::new().file("a", 0o644, "one").file("b", 0o644, vec![b'b'; 200_000]).tar();
    let (first, second) = plain.split_at(700);
    let skippable = |bytes: &[u8]| [&[0x5f, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4][..], bytes].concat();
    let mut named = gzip(&plain);
    named[3] |= 0x08;
    named.splice(10..10, *b"name\0");
    let cases: [(&str, Vec<u8>); 7] = [
        ("two members of gzip", [gzip(first), gzip(second)].concat()),
        ("an empty member", [gzip(b""), gzip(&plain), gzip(b"")].concat()),
        ("a member with a name", named),
        ("two frames of zstd", [zstd(first), zstd(second)].concat()),
        ("frames to be skipped, as zstd:chunked has them", skippable(&[zstd(&plain), skippable(&[])].concat())),
        ("zstd with a checksum", {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap()
        }),
        ("not compressed", plain.clone()),
    ];
    for (what, blob) in cases {
        World::new().accepts(what, image(blob, &plain), &[("a", "one")]);
    }
    // What follows the end of the archive counts for the digest.
    let longer = [&plain[..], &b"garbage".repeat(1000)].concat();
    World::new().accepts("garbage behind the end", image(gzip(&longer), &longer), &[("a", "one")]);
    // An end that was forgotten.
    let shorter = &plain[..plain.len() - 1024];
    World::new().accepts("no end", image(gzip(shorter), shorter), &[("a", "one")]);
}

/// A stream that is no archive to its end, of each kind; what `plain` would have been.
fn broken_streams(plain: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let changed = |mut bytes: Vec<u8>, from_end: usize| {
        let place = bytes.len() - from_end;
        bytes[place] ^= 0x55;
        bytes
    };
    let cut = |bytes: Vec<u8>, from_end: usize| bytes[..bytes.len() - from_end].to_vec();
    let mut checked = zstd::Encoder::new(Vec::new(), 1).unwrap();
    checked.include_checksum(true).unwrap();
    checked.write_all(plain).unwrap();
    let checked = checked.finish().unwrap();
    // Magic, descriptor, window descriptor (RFC 8878, 3.1.1.1.2).
    let window = |log: u8| vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, (log - 10) << 3, 0x01, 0x00, 0x00];
    vec![
        ("a wrong CRC", changed(gzip(plain), 6), "can't be read"),
        ("a wrong length", changed(gzip(plain), 2), "can't be read"),
        ("no trailer", cut(gzip(plain), 8), "can't be read"),
        ("half a trailer", cut(gzip(plain), 3), "can't be read"),
        ("cut in the middle", cut(gzip(plain), 60), "can't be read"),
        ("garbage behind a member", [gzip(plain), b"garbage!".to_vec()].concat(), "can't be read"),
        ("a header alone", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], "can't be read"),
        ("another method", vec![0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], "can't be read"),
        ("compressed twice", gzip(&gzip(plain)), "it is not a readable tar archive"),
        ("a window of 2 GiB", window(31), "a window of more than the 32 MiB"),
        (
            "a window of 64 MiB behind a small one",
            [zstd(plain), window(26)].concat(),
            "a window of more than the 32 MiB",
        ),
        ("a wrong checksum of zstd", changed(checked.clone(), 1), "can't be read"),
        ("zstd, cut", cut(checked, 10), "can't be read"),
        ("a frame to be skipped that is cut", vec![0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f, 1], "can't be read"),
        ("bzip2", b"BZh91AY&SY".to_vec(), "compressed with bzip2: of layers only gzip and zstd"),
        ("xz", b"\xfd7zXZ\0\0\x04".to_vec(), "compressed with xz"),
        ("lz4", b"\x04\x22\x4d\x18\x64\x40\xa7".to_vec(), "compressed with lz4"),
    ]
}

#[test]
fn streams_that_are_broken() {
    let world = World::new();
    let plain = Layer::new().file("a", 0o644, "one").file("b", 0o644, vec![b'b'; 200_000]).tar();
    for (what, blob, words) in broken_streams(&plain) {
        world.refuses(what, image(blob, &plain), &[], words);
    }
}

/// How many cases the tables have.
pub fn cases() -> usize {
    bad_entries("/canary").len() + broken_streams(&Layer::new().file("a", 0o644, "x").tar()).len()
}

/// A gigabyte from a megabyte or less: the limit is a flag's or the configuration's, and is met long before the end.
#[test]
fn bombs_end_at_the_limit() {
    let world = World::new();
    let bytes = || std::io::repeat(b'x').take(1 << 30);
    let mut head = Layer::new().pax("size", "1073741824").file("bomb", 0o644, "").tar();
    head.truncate(head.len() - 1024);
    let mut gzip = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(head.as_slice().chain(bytes()), flate2::Compression::fast());
    encoder.read_to_end(&mut gzip).unwrap();
    let zstd = zstd::encode_all(head.as_slice().chain(bytes()), 1).unwrap();
    for blob in [gzip, zstd] {
        let answers = || image(blob.clone(), b"not looked at");
        world.refuses("a flag", answers(), &["--max-layer-size=10m"], "it unpacks to more than 10485760 bytes");
        let folder = world.case.home.join(".config/coracle");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), "[engine]\nmax_layer_size = \"5m\"\n").unwrap();
        world.refuses("the configuration", answers(), &[], "it unpacks to more than 5242880 bytes");
        std::fs::remove_file(folder.join("config.toml")).unwrap();
    }
}

/// A million entries, a third of them directories; a hundred thousand where time is short.
#[test]
fn a_crowd_of_entries() {
    let count = long_or(333_333, 33_000);
    let mut layer = Layer::new();
    for number in 0..count {
        let folder = format!("d{number}");
        layer = layer.dir(&folder, 0o755).file(&format!("{folder}/f"), 0o644, "").symlink(&format!("{folder}/l"), "f");
    }
    is_unpacked("a crowd in folders", layer, 3 * count + 1, &format!("d{}/f", count - 1));
}

/// As many in one folder: files that belong to somebody, links to them, and what hides names of layers below.
#[test]
fn a_crowd_in_one_folder() {
    let count = long_or(333_333, 10_000);
    let mut layer = Layer::new();
    for number in 0..count {
        let name = format!("f{number}");
        layer = layer.owned_file(&name, 0o644, (33, 40), "").hard_link(&format!("l{number}"), &name);
        layer = layer.whiteout(&format!("w{number}"));
    }
    is_unpacked("a crowd in one folder", layer, 3 * count + 1, &format!("l{}", count - 1));
}

/// A layer of so many entries, of which this is an empty file, is pulled within the limits.
fn is_unpacked(what: &str, layer: Layer, entries: usize, file: &str) {
    let plain = layer.file("last", 0o644, "last").tar();
    let world = World::new();
    let begun = Instant::now();
    world.accepts(what, image(gzip(&plain), &plain), &[("last", "last"), (file, "")]);
    tell(&format!("{what}: {entries} entries in {:?}", begun.elapsed()));
    let layers = world.case.store().join("layers");
    let layer = std::fs::read_dir(layers).unwrap().next().unwrap().unwrap().path();
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(layer.join("layer.json")).unwrap()).unwrap();
    assert_eq!(record["entries"], entries, "{what}: {record}");
}
