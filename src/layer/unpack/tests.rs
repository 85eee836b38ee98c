//! A table of hostile and odd archives. Each case is unpacked beside a *canary* tree that its names try to reach; whatever the
//! outcome, the canary must not have changed in any way that the kernel would show (times of change included).

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::*;
use crate::host::change;

mod owners;

/// Archives in the making.
#[derive(Clone, Default)]
struct Tar(Vec<u8>);

fn tar() -> Tar {
    Tar::default()
}

impl Tar {
    fn add(mut self, name: &[u8], kind: EntryType, mode: u32, link: &[u8], data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_000_000_000);
        header.set_size(data.len() as u64);
        for number in [Header::set_uid, Header::set_gid] {
            number(&mut header, 0);
        }
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.data(data)
    }

    fn data(mut self, data: &[u8]) -> Self {
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, data: &str) -> Self {
        self.add(name.as_bytes(), EntryType::Regular, 0o644, b"", data.as_bytes())
    }

    fn dir(self, name: &str, mode: u32) -> Self {
        self.add(name.as_bytes(), EntryType::Directory, mode, b"", b"")
    }

    fn symlink(self, name: &str, target: &str) -> Self {
        self.add(name.as_bytes(), EntryType::Symlink, 0o777, target.as_bytes(), b"")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.add(name.as_bytes(), EntryType::Link, 0o644, target.as_bytes(), b"")
    }

    fn node(self, name: &str, kind: EntryType) -> Self {
        self.add(name.as_bytes(), kind, 0o640, b"", b"")
    }

    fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut bytes = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length = (rest..).find(|n| n.to_string().len() + rest == *n).unwrap_or_default();
            bytes.extend_from_slice(format!("{length} {key}=").as_bytes());
            bytes.extend_from_slice(value);
            bytes.push(b'\n');
        }
        self.add(b"pax", EntryType::XHeader, 0o644, b"", &bytes)
    }

    fn change_last(mut self, change: impl Fn(&mut Header)) -> Self {
        let start = self.0.len() - 512;
        let mut header = Header::from_byte_slice(&self.0[start..]).clone();
        change(&mut header);
        header.set_cksum();
        self.0[start..].copy_from_slice(header.as_bytes());
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

struct Scratch {
    path: PathBuf,
    canary: Vec<String>,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coracle-unpack-{}-{name}", std::process::id()));
        change::remove_tree(&path).unwrap();
        change::create_dirs(&path.join("root")).unwrap();
        change::create_dirs(&path.join("canary/dir")).unwrap();
        fs::write(path.join("canary/file"), "untouched").unwrap();
        let canary = snapshot(&path.join("canary"));
        Self { path, canary }
    }

    fn unpack(&self, bytes: &[u8]) -> Result<Summary> {
        // An earlier archive may have shut it.
        fs::set_permissions(self.root(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        unpack(bytes, fs::File::open(self.root()).unwrap().as_fd(), Mode::Recorded).map(|(summary, _)| summary)
    }

    fn root(&self) -> PathBuf {
        self.path.join("root")
    }

    fn assert_untouched(&self, case: &str) {
        assert_eq!(snapshot(&self.path.join("canary")), self.canary, "{case}: the canary changed");
        assert_eq!(fs::read_dir(&self.path).unwrap().count(), 2, "{case}: something beside the root");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = change::remove_tree(&self.path);
    }
}

/// All that can be seen of a tree.
fn snapshot(path: &Path) -> Vec<String> {
    let meta = fs::symlink_metadata(path).unwrap();
    let mut names = [0; 1000];
    let attributes = rustix::fs::llistxattr(path, &mut names[..]).unwrap();
    let (ino, mode, size, links) = (meta.ino(), meta.mode(), meta.size(), meta.nlink());
    let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
    let mut all = vec![format!("{path:?} {ino} {mode:o} {size} {links} {times:?} {:?}", &names[..attributes])];
    if meta.is_dir() {
        let mut below: Vec<_> = fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
        below.sort();
        all.extend(below.iter().flat_map(|path| snapshot(path)));
    }
    all
}

fn attribute(path: &Path, name: &str) -> Option<String> {
    let mut value = [0; 100];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    Some(String::from_utf8_lossy(&value[..length]).into_owned())
}

/// One entry as a test writes it: type, mode, content or target, marks.
fn describe(path: &Path) -> String {
    let Ok(meta) = fs::symlink_metadata(path) else { return "-".into() };
    let (kind, mode) = (meta.file_type(), meta.mode() & 0o7777);
    let mut text = if kind.is_dir() {
        format!("d{mode:o}")
    } else if kind.is_symlink() {
        format!("l {}", fs::read_link(path).unwrap().display())
    } else if kind.is_fifo() {
        format!("p{mode:o}")
    } else if kind.is_char_device() {
        format!("whiteout {}", meta.rdev())
    } else {
        let content = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        format!("f{mode:o} {}", content.unwrap_or_default())
    };
    for (name, mark) in [("user.overlay.opaque", "opaque"), ("user.coracle.device", "device")] {
        if let Some(value) = attribute(path, name) {
            text.push_str(&format!(" {mark}={value}"));
        }
    }
    text.trim_end().to_owned()
}

/// A name for errors, an archive, and what is at each path after it.
type Case<'a> = (&'a str, Tar, &'a [(&'a str, &'a str)]);

/// Unpacks each and compares what the paths became.
fn good(name: &str, cases: &[Case<'_>]) {
    for (case, archive, expected) in cases {
        let scratch = Scratch::new(name);
        scratch.unpack(&archive.clone().end()).unwrap_or_else(|error| panic!("{case}: {error}"));
        for (path, description) in *expected {
            assert_eq!(&describe(&scratch.root().join(path)), description, "{case}: {path}");
        }
        scratch.assert_untouched(case);
    }
}

/// Unpacks each and expects an error with these words.
fn bad(name: &str, cases: &[(&str, Vec<u8>, &str)]) {
    for (case, archive, words) in cases {
        let scratch = Scratch::new(name);
        let error = scratch.unpack(archive).expect_err(case).to_string();
        assert!(error.contains(words), "{case}: {error}");
        scratch.assert_untouched(case);
    }
}

const CANARY: &str = "../canary/file";

#[test]
fn names_that_climb_are_errors() {
    let climbs = |archive: Tar| archive.end();
    bad(
        "climb",
        &[
            ("dot dot", climbs(tar().file(CANARY, "x")), "climbs above the root"),
            ("hidden", climbs(tar().file("./../canary/file", "x")), "climbs"),
            ("lexical", climbs(tar().file("a/../../canary/file", "x")), "climbs"),
            ("absolute", climbs(tar().file("/../canary/file", "x")), "climbs"),
            ("directory", climbs(tar().dir("../canary/dir", 0o777)), "climbs"),
            ("link out", climbs(tar().link("a", CANARY)), "climbs"),
            ("whiteout", climbs(tar().file("../canary/.wh.file", "")), "climbs"),
            ("opaque", climbs(tar().file("../canary/.wh..wh..opq", "")), "climbs"),
            ("pax path", climbs(tar().pax(&[("path", CANARY.as_bytes())]).file("a", "x")), "climbs"),
            ("empty", climbs(tar().file("", "x")), "empty name"),
            ("root is a file", climbs(tar().file("./", "x")), "root of the layer"),
            ("root is a link", climbs(tar().symlink("/", "/canary")), "root of the layer"),
            ("root by dots", climbs(tar().symlink("a/..", "/canary")), "root of the layer"),
        ],
    );
}

#[test]
fn what_symlinks_name_is_inside() {
    let scratch = Scratch::new("inside-name");
    let canary = scratch.path.join("canary");
    let absolute = canary.to_str().unwrap();
    let inside = format!("{absolute}/file");
    let inside = inside.trim_start_matches('/');
    let chain = (0..30).fold(tar().dir("d", 0o755), |t, i| t.symlink(&format!("l{i}"), &format!("l{}", i + 1)));
    good(
        "inside",
        &[
            ("absolute name", tar().file(&format!("/{inside}"), "x"), &[(inside, "f644 x")]),
            ("absolute parent", tar().symlink("l", absolute).file("l/file", "x"), &[(inside, "f644 x")]),
            ("climbing parent", tar().symlink("l", "../canary").file("l/file", "x"), &[("canary/file", "f644 x")]),
            ("far up", tar().symlink("l", "../../../..").file("l/a", "x"), &[("a", "f644 x")]),
            ("to the root", tar().symlink("l", "/").dir("l/d", 0o700), &[("d", "d700"), ("l", "l /")]),
            ("in the layer", tar().dir("usr", 0o755).symlink("l", "usr").file("l/a", "x"), &[("usr/a", "f644 x")]),
            (
                "dangling",
                tar().symlink("lib", "usr/lib").file("lib/a", "x"),
                &[("usr/lib/a", "f644 x"), ("usr", "d755")],
            ),
            ("chain", chain.symlink("l30", "d").file("l0/a", "x"), &[("d/a", "f644 x")]),
            (
                "whiteout through a link",
                tar().dir("d", 0o755).symlink("l", "d").file("l/.wh.a", ""),
                &[("d/a", "whiteout 0")],
            ),
            ("link through a link", tar().file("d/a", "x").symlink("l", "/d").link("b", "l/a"), &[("b", "f644 x")]),
            (
                "a file over a link",
                tar().symlink("l", &format!("/{inside}")).file("l", "x"),
                &[("l", "f644 x"), (inside, "-")],
            ),
            (
                "a directory over a link",
                tar().dir("d", 0o750).symlink("l", "d").dir("l", 0o700),
                &[("l", "d700 opaque=y"), ("d", "d750")],
            ),
            ("a link to a symlink", tar().symlink("l", absolute).link("m", "l"), &[("m", &format!("l {absolute}"))]),
        ],
    );
    bad(
        "inside",
        &[
            ("loop", tar().symlink("a", "b").symlink("b", "a").file("a/x", "").end(), "too many symbolic links"),
            ("self", tar().symlink("a", "a").file("a/x", "").end(), "too many symbolic links"),
            ("file as parent", tar().file("a", "").file("a/x", "").end(), "which is not a directory"),
        ],
    );
}

#[test]
fn hard_links_stay_in_the_layer() {
    good(
        "links",
        &[
            ("plain", tar().file("a", "x").link("b", "a"), &[("b", "f644 x")]),
            ("absolute", tar().file("a", "x").link("b", "/a"), &[("b", "f644 x")]),
            ("to itself", tar().file("a", "x").link("a", "./a"), &[("a", "f644 x")]),
            ("over another", tar().file("a", "x").file("b", "y").link("b", "a"), &[("b", "f644 x")]),
            (
                "replaced after",
                tar().file("a", "x").link("b", "a").file("a", "new"),
                &[("a", "f644 new"), ("b", "f644 x")],
            ),
        ],
    );
    bad(
        "links",
        &[
            ("to nothing", tar().link("b", "a").end(), "`b` is a hard link to `a`, which is not in the layer"),
            ("to nothing below", tar().link("b", "d/a").end(), "not in the layer"),
            ("to a directory", tar().dir("d", 0o755).link("b", "d").end(), "not in the layer"),
            ("to a whiteout", tar().file(".wh.a", "").link("b", "a").end(), "not in the layer"),
            ("to the root", tar().link("b", "/").end(), "not in the layer"),
            ("without a target", tar().link("b", "").end(), "empty name"),
        ],
    );
}

#[test]
fn whiteouts_hide_what_is_below_in_any_order() {
    good(
        "whiteouts",
        &[
            ("of nothing here", tar().file("d/.wh.a", ""), &[("d/a", "whiteout 0"), ("d/.wh.a", "-")]),
            ("before a file", tar().file(".wh.a", "").file("a", "x"), &[("a", "f644 x")]),
            ("after a file", tar().file("a", "x").file(".wh.a", ""), &[("a", "f644 x")]),
            ("before a directory", tar().file(".wh.d", "").dir("d", 0o755), &[("d", "d755 opaque=y")]),
            ("after a directory", tar().dir("d", 0o755).file(".wh.d", ""), &[("d", "d755 opaque=y")]),
            (
                "before what is in it",
                tar().file(".wh.d", "").file("d/a", "x"),
                &[("d", "d755 opaque=y"), ("d/a", "f644 x")],
            ),
            ("twice", tar().file(".wh.a", "").file(".wh.a", ""), &[("a", "whiteout 0")]),
            (
                "opaque",
                tar().file("d/a", "x").file("d/.wh..wh..opq", "").file("d/b", "y"),
                &[("d", "d755 opaque=y"), ("d/a", "f644 x"), ("d/b", "f644 y")],
            ),
            ("opaque twice", tar().file("d/.wh..wh..opq", "").file("d/.wh..wh..opq", ""), &[("d", "d755 opaque=y")]),
            ("opaque root", tar().file(".wh..wh..opq", ""), &[("", "d555 opaque=y")]),
            (
                "of AUFS",
                tar().dir(".wh..wh.plnk", 0o700).file(".wh..wh.aufs", ""),
                &[(".wh..wh.plnk", "-"), ("", "d555")],
            ),
            ("as a directory", tar().dir(".wh.d/", 0o755), &[("d", "whiteout 0")]),
        ],
    );
    bad(
        "whiteouts",
        &[
            ("of no name", tar().file(".wh.", "").end(), "names nothing"),
            ("of .", tar().file("a/.wh..", "").end(), "names nothing"),
            ("of ..", tar().file("a/.wh...", "").end(), "names nothing"),
            ("as a parent", tar().file(".wh.a/b", "").end(), "below a whiteout"),
        ],
    );
}

#[test]
fn a_file_system_without_devices_gets_whiteouts_as_attributes() {
    let scratch = Scratch::new("attribute-form");
    let root = fs::File::open(scratch.root()).unwrap();
    let mut tree = Tree::new(root.as_fd()).unwrap();
    tree.whiteout_file(root.as_fd(), b"a").unwrap();
    assert_eq!(attribute(&scratch.root(), "user.overlay.opaque").as_deref(), Some("x"));
    assert_eq!(attribute(&scratch.root().join("a"), "user.overlay.whiteout").as_deref(), Some("y"));
    // An entry below the whiteout: an opaque directory takes its place.
    let place = tree.place(b"a/b").unwrap().unwrap();
    assert_eq!(attribute(&scratch.root().join("a"), "user.overlay.opaque").as_deref(), Some("y"));
    tree.whiteout_file(root.as_fd(), b"c").unwrap();
    tree.mark_opaque(root.as_fd()).unwrap();
    tree.whiteout_file(root.as_fd(), b"d").unwrap();
    assert_eq!(describe(&scratch.root().join("c")), "-");
    assert_eq!(describe(&scratch.root().join("d")), "-");
    drop(place);
}

#[test]
fn types_and_attributes_are_kept() {
    let time = |t: Tar| t.pax(&[("mtime", b"-1.25")]).file("a", "x");
    let char_device = |t: Tar| {
        t.node("null", EntryType::Char).change_last(|header| {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        })
    };
    let shut = tar().dir("d", 0o000).file("d/a", "x").dir("d/e", 0o555).file("d/e/f", "y");
    good(
        "types",
        &[
            ("modes", tar().add(b"su", EntryType::Regular, 0o6755, b"", b"x"), &[("su", "f6755 x")]),
            ("sticky", tar().dir("tmp", 0o1777).file("tmp/a", ""), &[("tmp", "d1777"), ("tmp/a", "f644")]),
            ("setgid directory", tar().dir("d", 0o2755).dir("d/e", 0o755), &[("d/e", "d755")]),
            ("device", char_device(tar()), &[("null", "f640  device=c 1:3")]),
            ("0:0 is no whiteout", tar().node("a", EntryType::Char), &[("a", "f640  device=c 0:0")]),
            ("block", tar().node("a", EntryType::Block), &[("a", "f640  device=b 0:0")]),
            ("fifo", tar().node("a", EntryType::Fifo), &[("a", "p640")]),
            ("root", tar().dir("./", 0o700), &[("", "d700")]),
            ("no root", tar().file("d/a", ""), &[("", "d555"), ("d", "d755")]),
            ("missing parents get no time from children", time(tar()), &[("a", "f644 x")]),
            ("old directory", tar().dir("d/", 0o711).change_last(|h| h.as_old_mut().linkflag = [0]), &[("d", "d711")]),
            (
                "a chain of types",
                tar().file("a", "x").dir("a", 0o700).symlink("a", "/x").file("a", "end"),
                &[("a", "f644 end")],
            ),
            ("a directory with content goes", tar().file("a/b/c", "x").file("a", "y"), &[("a", "f644 y")]),
            (
                "a directory again",
                tar().dir("d", 0o700).file("d/a", "x").dir("d", 0o711),
                &[("d", "d711"), ("d/a", "f644 x")],
            ),
            (
                "odd names",
                tar().file("a\nb\u{1b}[2J", "x").add(b"\xff\xfe", EntryType::Regular, 0o600, b"", b"y"),
                &[("a\nb\u{1b}[2J", "f644 x")],
            ),
            (
                "a long name",
                tar()
                    .add(b"././@LongLink", EntryType::GNULongName, 0o644, b"", &[&[b'n'; 200][..], b"\0"].concat())
                    .file("short", "x"),
                &[(&"n".repeat(200), "f644 x")],
            ),
            ("shut", shut, &[("d", "d0")]),
        ],
    );
    let scratch = Scratch::new("times");
    let archive = time(tar().dir("d", 0o755)).file("d/late", "x").file("late", "");
    scratch.unpack(&archive.end()).unwrap();
    let meta = |name: &str| fs::symlink_metadata(scratch.root().join(name)).unwrap();
    assert_eq!((meta("a").mtime(), meta("a").mtime_nsec()), (-2, 750_000_000));
    assert_eq!(meta("d").mtime(), 1_000_000_000);
}

#[test]
fn attributes_that_an_overlay_obeys_are_dropped() {
    let scratch = Scratch::new("xattrs");
    let records: &[(&str, &[u8])] = &[
        ("SCHILY.xattr.user.kept", b"a\nb="),
        ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.overlay.redirect", b"/etc"),
        ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ("SCHILY.xattr.user.coracle.device", b"c 1:3"),
        ("SCHILY.xattr.user.containers.override_stat", b"0:0:4755"),
        ("SCHILY.xattr.security.selinux", b"x"),
    ];
    let archive = tar().pax(records).dir("d", 0o755).pax(records).file("a", "").pax(records).symlink("l", "x");
    let summary = scratch.unpack(&archive.end()).unwrap();
    for name in ["a", "d"] {
        let path = scratch.root().join(name);
        let mut names = [0; 1000];
        let length = rustix::fs::llistxattr(&path, &mut names[..]).unwrap();
        let listed: Vec<_> = names[..length].split(|b| *b == 0).filter(|n| !n.starts_with(b"security.")).collect();
        assert_eq!(listed, [&b"user.kept"[..], b""], "{name}");
        assert_eq!(attribute(&path, "user.kept").as_deref(), Some("a\nb="));
    }
    assert_eq!(summary.dropped_attributes, 6 + 6 + 7);
}

#[test]
fn malformed_archives_are_errors() {
    let huge = |size: u64| tar().file("a", "").change_last(|header| header.set_size(size)).end();
    let mut checksum = tar().file("a", "").end();
    checksum[0] = b'b';
    let cut = |length: usize| tar().file("a", "some data").end()[..length].to_vec();
    let pax = |key: &str, value: &[u8]| tar().pax(&[(key, value)]).file("a", "").end();
    let long = |length: usize| pax("path", "n/".repeat(length / 2).as_bytes());
    let big_header = |kind| tar().node("a", kind).change_last(|header| header.set_size(100 << 20)).end();
    bad(
        "malformed",
        &[
            ("data that never comes", huge(1 << 40), "ends within the data"),
            ("a size that overflows", huge(u64::MAX - 10), "ends within the data"),
            ("checksum", checksum, "checksum"),
            ("cut in a header", cut(300), "ends within a header"),
            ("cut in the data", cut(515), "ends within the data"),
            ("zeros between", [vec![0; 512], tar().file("a", "").end()].concat(), "between entries"),
            ("a large extended header", big_header(EntryType::XHeader), "is refused"),
            ("a large long name", big_header(EntryType::GNULongName), "is refused"),
            ("a large global header", big_header(EntryType::XGlobalHeader), "is refused"),
            ("not a number", pax("size", b"-5"), "malformed"),
            ("not a time", pax("mtime", b"nan"), "malformed"),
            ("a NUL", pax("path", b"a\0b"), "NUL"),
            ("a NUL in a link", tar().pax(&[("linkpath", b"a\0b")]).symlink("a", "").end(), "NUL"),
            ("a name of 256", pax("path", &[b'n'; 256]), "more than 255 bytes"),
            ("a path of 5000", long(5000), "more than 4095 bytes"),
            ("a type", tar().node("a", EntryType::new(b'Z')).end(), "does not know: `Z`"),
            ("a size by pax", tar().pax(&[("size", b"99999999")]).file("a", "").end(), "ends within the data"),
            ("a symlink to nothing", tar().symlink("a", "").end(), "symlinkat"),
        ],
    );
}

#[test]
fn the_size_of_an_extended_header_wins_and_links_have_no_data() {
    // RUSTSEC-2026-0068 and CVE-2025-62518: a reader that took the header's size would see another entry.
    let inner = tar().file("smuggled", "x").0;
    let by_pax = tar().pax(&[("size", inner.len().to_string().as_bytes())]).file("a", "").data(&inner).file("b", "");
    let in_link = tar().file("a", "").add(b"l", EntryType::Link, 0o644, b"a", b"").change_last(|h| h.set_size(512));
    good(
        "sizes",
        &[
            ("pax", by_pax, &[("smuggled", "-"), ("b", "f644")]),
            ("link", in_link.file("b", "x"), &[("b", "f644 x"), ("l", "f644")]),
        ],
    );
    // What follows the end is read, for the digest, and ignored.
    let scratch = Scratch::new("garbage");
    let bytes = [tar().file("a", "").end(), b"garbage".repeat(1000)].concat();
    assert_eq!(scratch.unpack(&bytes).unwrap().tar_size, bytes.len() as u64);
    // No end at all.
    assert_eq!(scratch.unpack(&tar().file("b", "").0).unwrap().entries, 1);
}

#[test]
fn sparse_files_keep_their_holes() {
    let expected = [&[b'x'; 3][..], &[0; 99_997], b"end"].concat();
    let old = [("GNU.sparse.size", &b"100003"[..]), ("GNU.sparse.map", b"0,3,100000,3"), ("GNU.sparse.name", b"s")];
    let new = [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.realsize", b"100003"), ("GNU.sparse.name", b"s")];
    let mut map = b"2\n0\n3\n100000\n3\n".to_vec();
    map.resize(512, 0);
    map.extend_from_slice(b"xxxend");
    let gnu = tar().add(b"s", EntryType::GNUSparse, 0o644, b"", b"");
    let gnu = gnu.change_last(|header| {
        header.set_size(6);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.set_real_size(100_003);
        for (place, (offset, length)) in [(0, 3), (100_000, 3)].into_iter().enumerate() {
            gnu.sparse[place].set_offset(offset);
            gnu.sparse[place].set_length(length);
        }
    });
    for (case, archive) in [
        ("0.1", tar().pax(&old).file("x", "xxxend")),
        ("1.0", tar().pax(&new).add(b"x", EntryType::Regular, 0o644, b"", &map)),
        ("gnu", gnu.data(b"xxxend")),
    ] {
        let scratch = Scratch::new("sparse");
        scratch.unpack(&archive.file("after", "y").end()).unwrap_or_else(|error| panic!("{case}: {error}"));
        let path = scratch.root().join("s");
        assert!(fs::read(&path).unwrap() == expected, "{case}");
        assert!(fs::metadata(&path).unwrap().blocks() * 512 < 50_000, "{case}: no hole");
        assert_eq!(describe(&scratch.root().join("after")), "f644 y", "{case}");
    }
    let map = |map: &[u8], size: &[u8]| {
        tar().pax(&[("GNU.sparse.size", size), ("GNU.sparse.map", map)]).file("x", "xxxend").end()
    };
    bad(
        "sparse",
        &[
            ("overlap", map(b"0,3,2,3", b"100"), "overlaps"),
            ("outside", map(b"0,3,98,3", b"100"), "leaves the file"),
            ("overflow", map(b"18446744073709551615,3,0,3", b"100"), "overflows"),
            ("too little data", map(b"0,3", b"100"), "differ in length"),
            ("exabytes", map(b"0,3,9223372036854775804,3", b"9223372036854775807"), "can't be made"),
            ("no size", tar().pax(&[("GNU.sparse.map", b"0,6")]).file("x", "xxxend").end(), "no size"),
        ],
    );
}

#[test]
fn zeros_become_a_hole() {
    let scratch = Scratch::new("zeros");
    let data = [&[1; 70_000][..], &[0; 400_000], &[2; 5], &[0; 200_000]].concat();
    scratch.unpack(&tar().add(b"a", EntryType::Regular, 0o644, b"", &data).end()).unwrap();
    let path = scratch.root().join("a");
    assert!(fs::read(&path).unwrap() == data);
    assert!(fs::metadata(&path).unwrap().blocks() * 512 < 300_000);
}

#[test]
fn an_archive_cut_anywhere_or_with_any_bit_flipped_touches_nothing_else() {
    let whole: Vec<u8> =
        tar().symlink("l", "../canary").pax(&[("path", b"l/file")]).file("x", "data").link("m", "l/file").end();
    let scratch = Scratch::new("sweep");
    for length in (0..whole.len()).step_by(97) {
        let _ = scratch.unpack(&whole[..length]);
    }
    for bit in (0..whole.len() * 8).step_by(53) {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let _ = scratch.unpack(&flipped);
    }
    scratch.assert_untouched("sweep");
}

#[test]
fn an_owner_that_can_not_be_mapped_is_named() {
    let scratch = Scratch::new("owner");
    let archive = tar().file("a", "").change_last(|header| header.set_uid(1 << 33)).end();
    let root = fs::File::open(scratch.root()).unwrap();
    let error = unpack(archive.as_slice(), root.as_fd(), Mode::Mapped).unwrap_err();
    assert!(error.to_string().contains("`a` belongs to 8589934592:0"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("subuid")));
}

#[test]
fn numbers_left_blank_are_zero() {
    let scratch = Scratch::new("blank");
    let blank = |header: &mut Header| {
        for field in [108..116, 116..124, 136..148] {
            header.as_mut_bytes()[field].fill(0);
        }
    };
    scratch.unpack(&tar().file("a", "").change_last(blank).end()).unwrap();
    assert_eq!(fs::metadata(scratch.root().join("a")).unwrap().mtime(), 0);
}
