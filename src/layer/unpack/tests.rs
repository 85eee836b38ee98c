//! A table of hostile and odd archives. Each case is unpacked beside a *canary* tree that its names try to reach; whatever the
//! outcome, the canary must not have changed in any way that the kernel would show (times of change included).

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::*;
use crate::host::change;

mod kinds;
mod links;
mod malformed;
mod names;
mod owners;
mod sparse;
mod sweep;
mod whiteouts;

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
        records.iter().for_each(|(key, value)| super::super::pax::record(&mut bytes, key.as_bytes(), value));
        self.add(b"pax", EntryType::XHeader, 0o644, b"", &bytes)
    }

    /// An entry whose name needs no room in its header.
    fn named(self, name: &[u8], data: &str) -> Self {
        self.pax(&[("path", name)]).file("x", data)
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
        assert!(!error.contains(char::is_control) && error.len() < 1000, "{case}: {error:?}");
        scratch.assert_untouched(case);
    }
}
