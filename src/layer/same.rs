//! Whether two directories hold the same, to the byte: a layer, and the same unpacked once more.
//!
//! Names, kinds, modes, owners, targets, attributes and contents count, and the times of files that hold something: whiteouts
//! and directories have the time at which they were made. Nothing is followed.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::worker::{Job, Reply, Running, unexpected};
use super::{Result, shown};
use crate::host::subid::IdMaps;
use crate::sys::{self, Call, process};

/// The kernel's limit for a value, and for a list of names.
const LARGEST: usize = 64 << 10;

/// What is read of a file at a time.
const PIECE: u64 = 256 << 10;

/// A path at which two directories below `directory`, a directory of the user's, differ.
pub fn difference(ids: &IdMaps, directory: &Path, paths: [String; 2]) -> Result<Option<String>> {
    match Running::start(ids, directory, &Job::Differ { paths }, &[])?.result()? {
        Reply::Differs(path) => Ok(path),
        other => Err(unexpected(&other)),
    }
}

/// The same, in the worker.
pub fn find(top: BorrowedFd<'_>, [one, other]: &[String; 2]) -> sys::Result<Option<String>> {
    // Two for each directory on the way down.
    process::raise_descriptor_limit();
    let above = [open(top, OsStr::new(one), OFlags::DIRECTORY)?, open(top, OsStr::new(other), OFlags::DIRECTORY)?];
    let mut pending = vec![(Arc::new(above), OsString::from("."), Vec::new())];
    while let Some((above, name, path)) = pending.pop() {
        match compare(&above, &name)? {
            Compared::Different => return Ok(Some(shown(if path.is_empty() { b"/" } else { &path }))),
            Compared::Same => {}
            Compared::Directories(inner, names) => {
                let inner = Arc::new(inner);
                let below = |name: OsString| {
                    let path = [&path, b"/".as_slice(), name.as_bytes()].concat();
                    (inner.clone(), name, path)
                };
                pending.extend(names.into_iter().map(below));
            }
        }
    }
    Ok(None)
}

enum Compared {
    Same,
    Different,
    /// The same as far as they themselves go, with the names in both.
    Directories([OwnedFd; 2], BTreeSet<OsString>),
}

/// What has this name in two directories.
fn compare([one, other]: &[OwnedFd; 2], name: &OsStr) -> sys::Result<Compared> {
    let found = |parent: &OwnedFd| match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(None),
        found => found.call_with(|| format!("fstatat({})", name.display())).map(Some),
    };
    let (Some(of_one), Some(of_other)) = (found(one)?, found(other)?) else { return Ok(Compared::Different) };
    if told(&of_one) != told(&of_other) {
        return Ok(Compared::Different);
    }
    let kind = FileType::from_raw_mode(of_one.st_mode);
    let same = match kind {
        FileType::Symlink => {
            let target = |parent| {
                rustix::fs::readlinkat(parent, name, Vec::new()).call_with(|| format!("readlinkat({})", name.display()))
            };
            target(one)? == target(other)?
        }
        FileType::RegularFile | FileType::Directory => {
            let how = if kind == FileType::Directory { OFlags::DIRECTORY } else { OFlags::empty() };
            let both = [open(one.as_fd(), name, how)?, open(other.as_fd(), name, how)?];
            let same = attributes(&both[0])? == attributes(&both[1])?;
            match (same, kind) {
                (true, FileType::Directory) => {
                    let names = names(&both[0])?.into_iter().chain(names(&both[1])?).collect();
                    return Ok(Compared::Directories(both, names));
                }
                (same, FileType::Directory) => same,
                (same, _) => same && same_content(both)?,
            }
        }
        _ => true,
    };
    Ok(if same { Compared::Same } else { Compared::Different })
}

/// What counts of what stat(2) tells.
fn told(stat: &Stat) -> impl PartialEq {
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let size = if is_file { stat.st_size } else { 0 };
    let time = if size > 0 { (stat.st_mtime, stat.st_mtime_nsec) } else { (0, 0) };
    (stat.st_mode, stat.st_uid, stat.st_gid, stat.st_rdev, size, time)
}

fn open(parent: BorrowedFd<'_>, name: &OsStr, how: OFlags) -> sys::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags | how, Mode::empty()).call_with(|| format!("open({})", name.display()))
}

fn names(directory: &OwnedFd) -> sys::Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for entry in Dir::read_from(directory).call("opendir")? {
        let name = entry.call("getdents64")?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.insert(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// All but the labels of security modules.
fn attributes(file: &OwnedFd) -> sys::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = Vec::with_capacity(LARGEST);
    match rustix::fs::flistxattr(file, spare_capacity(&mut names)) {
        Err(Errno::OPNOTSUPP) => 0,
        length => length.call("flistxattr")?,
    };
    let counts =
        |name: &&[u8]| !name.is_empty() && (!name.starts_with(b"security.") || *name == b"security.capability");
    let mut attributes = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(counts) {
        let mut value = Vec::with_capacity(LARGEST);
        rustix::fs::fgetxattr(file, name, spare_capacity(&mut value))
            .call_with(|| format!("fgetxattr({})", shown(name)))?;
        attributes.push((name.to_vec(), value));
    }
    attributes.sort_unstable();
    Ok(attributes)
}

fn same_content(files: [OwnedFd; 2]) -> sys::Result<bool> {
    let [mut one, mut other] = files.map(File::from);
    loop {
        let piece = |file: &mut File| {
            let mut bytes = Vec::new();
            file.take(PIECE).read_to_end(&mut bytes).call("read").map(|_| bytes)
        };
        let (of_one, of_other) = (piece(&mut one)?, piece(&mut other)?);
        if of_one != of_other {
            return Ok(false);
        }
        if of_one.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use rustix::fs::XattrFlags;

    use super::*;

    fn tree(root: &Path) {
        fs::create_dir_all(root.join("deep/er")).unwrap();
        for (name, text) in [("file", "text"), ("deep/er/empty", "")] {
            fs::write(root.join(name), text).unwrap();
            File::open(root.join(name)).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        symlink("file", root.join("link")).unwrap();
    }

    /// The path that is told, and what is done to one of two that were the same.
    type Change = (&'static str, fn(PathBuf));

    #[test]
    fn each_difference_is_found() {
        let root = std::env::temp_dir().join(format!("coracle-same-{}", std::process::id()));
        let paths = ["one", "other"].map(str::to_owned);
        let cases: [Change; 9] = [
            ("", |_| {}),
            ("/file", |root| {
                fs::write(root.join("file"), "tExt").unwrap();
                File::open(root.join("file")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
            }),
            ("/file", |root| {
                File::open(root.join("file")).unwrap().set_modified(std::time::SystemTime::now()).unwrap()
            }),
            ("/file", |root| fs::set_permissions(root.join("file"), fs::Permissions::from_mode(0o4755)).unwrap()),
            ("/link", |root| {
                fs::remove_file(root.join("link")).unwrap();
                symlink("flie", root.join("link")).unwrap();
            }),
            ("/deep/er/empty", |root| fs::remove_file(root.join("deep/er/empty")).unwrap()),
            ("/deep/more", |root| fs::write(root.join("deep/more"), "").unwrap()),
            ("/deep", |root| rustix::fs::setxattr(root.join("deep"), c"user.x", b"", XattrFlags::empty()).unwrap()),
            ("/", |root| fs::set_permissions(root, fs::Permissions::from_mode(0o700)).unwrap()),
        ];
        for (expected, change) in cases {
            let _ = fs::remove_dir_all(&root);
            paths.iter().for_each(|path| tree(&root.join(path)));
            change(root.join("other"));
            let top = rustix::fs::open(&root, OFlags::RDONLY, Mode::empty()).unwrap();
            assert_eq!(find(top.as_fd(), &paths).unwrap().unwrap_or_default(), expected);
        }
        fs::remove_dir_all(root).unwrap();
    }
}
