//! What differs between two trees, each seen through its layers.
//!
//! The trees usually share layers, so most directories are the same parts on both sides, and those are never read: comparing
//! a container with its image costs what the container changed, however large the image is.
//!
//! What counts as a change is what Docker and Podman count where they compare trees: of a file kind, mode, owner, size,
//! modification time, target or attributes; of a directory mode, owner, attributes, or any change below it. A file that was
//! copied up and is what it was has not changed, however the driver wrote it down.

use std::cmp::Ordering;
use std::os::fd::AsFd;

use serde::{Deserialize, Serialize};

use super::merged::{Entry, Merged};
use super::{Error, Result, attributes, shown};
use crate::sys;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Added,
    Changed,
    Deleted,
}

/// One path, absolute within the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: Kind,
    pub path: Vec<u8>,
}

/// What made `new` of `old`, by path. `ignored` paths themselves are left out, not what lies below them.
pub fn changes(new: Merged, old: Merged, ignored: &[String]) -> Result<Vec<Change>> {
    let mut comparison = Comparison { ignored, path: Vec::new(), found: Vec::new() };
    let mut levels = vec![comparison.level(Some(new), Some(old), false)?];
    while let Some(level) = levels.last_mut() {
        comparison.path.truncate(level.length);
        match level.pairs.next() {
            Some(pair) => {
                comparison.path.push(b'/');
                comparison.path.extend_from_slice(pair.name());
                if let Some(inner) = comparison.pair(level, pair)? {
                    levels.push(inner);
                }
            }
            None => {
                comparison.leave(level);
                levels.pop();
            }
        }
    }
    comparison.found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(comparison.found)
}

/// A directory that is being compared.
struct Level {
    new: Option<Merged>,
    old: Option<Merged>,
    pairs: std::vec::IntoIter<Pair>,
    length: usize,
    /// What had been found when it was entered.
    before: usize,
    /// It is among what was found.
    is_told: bool,
}

/// A name on either side, or on both.
enum Pair {
    New(Entry),
    Old(Entry),
    Both(Entry, Entry),
}

impl Pair {
    fn name(&self) -> &[u8] {
        match self {
            Self::New(entry) | Self::Old(entry) | Self::Both(entry, _) => &entry.name,
        }
    }
}

struct Comparison<'a> {
    ignored: &'a [String],
    /// Of the current entry.
    path: Vec<u8>,
    found: Vec<Change>,
}

impl Comparison<'_> {
    fn level(&self, new: Option<Merged>, old: Option<Merged>, is_told: bool) -> Result<Level> {
        let entries = |side: &Option<Merged>| side.as_ref().map_or(Ok(Vec::new()), Merged::entries);
        let pairs = entries(&new).and_then(|new| Ok(pairs(new, entries(&old)?)));
        let pairs = pairs.map_err(|source| self.failed(source))?.into_iter();
        Ok(Level { new, old, pairs, length: self.path.len(), before: self.found.len(), is_told })
    }

    /// Compares one name; two directories that may differ below are given back.
    fn pair(&mut self, level: &Level, pair: Pair) -> Result<Option<Level>> {
        let (entry, before) = match pair {
            Pair::Old(_) => {
                self.tell(Kind::Deleted);
                return Ok(None);
            }
            Pair::New(entry) => {
                self.tell(Kind::Added);
                (entry, None)
            }
            Pair::Both(new, old) => (new, Some(old)),
        };
        let new = if entry.is_dir() { self.enter(level.new.as_ref(), &entry)? } else { None };
        let old = match &before {
            Some(before) if before.is_dir() && entry.is_dir() => self.enter(level.old.as_ref(), before)?,
            _ => None,
        };
        let mut is_told = before.is_none();
        if let Some(before) = before
            && self.differs(level, (&entry, new.as_ref()), (&before, old.as_ref()))?
        {
            self.tell(Kind::Changed);
            is_told = true;
        }
        let Some(new) = new else { return Ok(None) };
        let parts = |side: &Merged| side.identity().map_err(|source| self.failed(source));
        match &old {
            Some(old) if parts(&new)? == parts(old)? => Ok(None),
            _ => self.level(Some(new), old, is_told).map(Some),
        }
    }

    fn enter(&self, parent: Option<&Merged>, entry: &Entry) -> Result<Option<Merged>> {
        match parent {
            Some(parent) => parent.enter(&entry.name).map_err(|source| self.failed(source)),
            None => Ok(None),
        }
    }

    fn differs(
        &self,
        level: &Level,
        (new, new_dir): (&Entry, Option<&Merged>),
        (old, old_dir): (&Entry, Option<&Merged>),
    ) -> Result<bool> {
        if new.identity() == old.identity() {
            return Ok(false);
        }
        let path = self.path.strip_prefix(b"/").unwrap_or(&self.path);
        let owner = |parent: Option<&Merged>, entry| parent.map(|parent| parent.owner(entry, path)).transpose();
        let owners = owner(level.new.as_ref(), new).and_then(|of_new| Ok((of_new, owner(level.old.as_ref(), old)?)));
        let (of_new, of_old) = owners.map_err(|source| self.failed(source))?;
        if new.stat.st_mode != old.stat.st_mode || of_new != of_old {
            return Ok(true);
        }
        let told =
            |entry: &Entry| (entry.stat.st_size, entry.stat.st_mtime, entry.stat.st_mtime_nsec, entry.stat.st_rdev);
        if !new.is_dir() && told(new) != told(old) {
            return Ok(true);
        }
        let sides = [(level.new.as_ref(), new, new_dir), (level.old.as_ref(), old, old_dir)];
        let [new, old] = sides.map(|(parent, entry, inner)| rest(parent, entry, inner));
        Ok(new.map_err(|source| self.failed(source))? != old.map_err(|source| self.failed(source))?)
    }

    /// A directory in which something changed has changed.
    fn leave(&mut self, level: &Level) {
        if !level.is_told && self.found.len() > level.before && !self.path.is_empty() {
            self.tell(Kind::Changed);
        }
    }

    fn tell(&mut self, kind: Kind) {
        let path = self.path.strip_prefix(b"/").unwrap_or(&self.path);
        if !self.ignored.iter().any(|ignored| ignored.as_bytes() == path) {
            self.found.push(Change { kind, path: self.path.clone() });
        }
    }

    fn failed(&self, source: sys::Error) -> Error {
        Error::Compare { entry: shown(&self.path), source }
    }
}

/// What stat(2) does not tell: target and attributes.
fn rest(
    parent: Option<&Merged>,
    entry: &Entry,
    inner: Option<&Merged>,
) -> sys::Result<(Option<Vec<u8>>, Vec<attributes::Attribute>)> {
    use rustix::fs::FileType;
    match (entry.kind(), parent) {
        (FileType::Symlink, Some(parent)) => Ok((parent.target(entry)?, Vec::new())),
        (FileType::RegularFile, Some(parent)) => {
            let file = parent.open(entry)?;
            Ok((None, file.map_or(Ok(Vec::new()), |file| attributes::of(file.as_fd()))?))
        }
        (FileType::Directory, _) => match inner.and_then(Merged::top).map_or(Ok(Vec::new()), attributes::of) {
            // Closed to this user, who can't have changed them.
            Err(error) if error.errno() == libc::EBADF => Ok((None, Vec::new())),
            attributes => Ok((None, attributes?)),
        },
        _ => Ok((None, Vec::new())),
    }
}

/// Both lists, which are in order, as one.
fn pairs(new: Vec<Entry>, old: Vec<Entry>) -> Vec<Pair> {
    let (mut new, mut old) = (new.into_iter().peekable(), old.into_iter().peekable());
    let mut pairs = Vec::new();
    loop {
        let order = match (new.peek(), old.peek()) {
            (None, None) => return pairs,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(new), Some(old)) => new.name.cmp(&old.name),
        };
        let (new, old) = (new.next_if(|_| order != Ordering::Greater), old.next_if(|_| order != Ordering::Less));
        pairs.extend(match (new, old) {
            (Some(new), Some(old)) => Some(Pair::Both(new, old)),
            (Some(new), None) => Some(Pair::New(new)),
            (None, old) => old.map(Pair::Old),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat, setxattr};

    use super::super::merged::Owners;
    use super::*;
    use crate::host::change;

    /// Layers on disk, the topmost first.
    struct Layers(PathBuf, Vec<PathBuf>);

    impl Layers {
        fn new(name: &str, count: usize) -> Self {
            let top = std::env::temp_dir().join(format!("coracle-changes-{}-{name}", std::process::id()));
            change::remove_tree(&top).unwrap();
            let layers: Vec<PathBuf> = (0..count).map(|layer| top.join(layer.to_string())).collect();
            layers.iter().for_each(|layer| change::create_dirs(layer).unwrap());
            Self(top, layers)
        }

        fn write(&self, layer: usize, path: &str, text: &str) -> PathBuf {
            let path = self.1[layer].join(path);
            change::create_dirs(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            // The same time for all: what differs is what the test says.
            File::open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
            path
        }

        fn changes(&self, new: &[usize], old: &[usize]) -> Vec<String> {
            let open = |layers: &[usize]| {
                Merged::root(
                    layers.iter().map(|layer| (File::open(&self.1[*layer]).unwrap().into(), Owners::Disk)).collect(),
                )
            };
            let found = changes(open(new), open(old), &["etc/hosts".to_owned(), "run".to_owned()]).unwrap();
            found.iter().map(|change| format!("{:?} {}", change.kind, String::from_utf8_lossy(&change.path))).collect()
        }
    }

    impl Drop for Layers {
        fn drop(&mut self) {
            let _ = change::remove_tree(&self.0);
        }
    }

    fn whiteout(path: &Path) {
        mknodat(CWD, path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
    }

    /// Layer 0 changes layer 1 in every way.
    fn changed(name: &str) -> Layers {
        let layers = Layers::new(name, 2);
        for path in [
            "d/kept",
            "d/same",
            "d/text",
            "d/mode",
            "d/gone",
            "d/to-dir",
            "o/below",
            "deep/er/x",
            "to-file/x",
            "untouched/x",
        ] {
            layers.write(1, path, "old");
        }
        symlink("a", layers.1[1].join("d/link")).unwrap();
        // Copied up, and nothing else.
        layers.write(0, "d/same", "old");
        layers.write(0, "d/text", "longer");
        let path = layers.write(0, "d/mode", "old");
        fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
        whiteout(&layers.1[0].join("d/gone"));
        layers.write(0, "d/to-dir/new", "");
        symlink("b", layers.1[0].join("d/link")).unwrap();
        layers.write(0, "d/new", "");
        layers.write(0, "o/new", "");
        setxattr(layers.1[0].join("o"), "user.overlay.opaque", b"y", XattrFlags::empty()).unwrap();
        change::create_dirs(&layers.1[0].join("deep/er")).unwrap();
        layers.write(0, "to-file", "");
        layers.write(0, "etc/hosts", "");
        layers.write(0, "run/pid", "");
        layers
    }

    #[test]
    fn what_an_upper_directory_changed() {
        let layers = changed("upper");
        let expected = [
            "Changed /d",
            "Deleted /d/gone",
            "Changed /d/link",
            "Changed /d/mode",
            "Added /d/new",
            "Changed /d/text",
            "Changed /d/to-dir",
            "Added /d/to-dir/new",
            "Added /etc",
            "Changed /o",
            "Deleted /o/below",
            "Added /o/new",
            "Added /run/pid",
            "Changed /to-file",
        ];
        assert_eq!(layers.changes(&[0, 1], &[1]), expected);
        assert_eq!(layers.changes(&[0, 1], &[0, 1]), [""; 0]);
        fs::remove_file(layers.1[0].join("d/new")).unwrap();
        setxattr(layers.1[0].join("d/same"), "user.a", b"b", XattrFlags::empty()).unwrap();
        let found = layers.changes(&[0, 1], &[1]);
        assert!(found.contains(&"Changed /d/same".to_owned()), "{found:?}");
        assert!(!found.contains(&"Added /d/new".to_owned()), "{found:?}");
    }

    /// The other way round; of what is gone, the topmost name tells it.
    #[test]
    fn changes_taken_back() {
        let layers = changed("back");
        let back = layers.changes(&[1], &[0, 1]);
        for change in ["Deleted /etc", "Added /d/gone", "Added /to-file/x", "Added /o/below", "Changed /d/to-dir"] {
            assert!(back.contains(&change.to_owned()), "no {change} in {back:?}");
        }
        assert!(!back.iter().any(|change| change.contains("/d/same") || change.contains("/etc/")), "{back:?}");
    }

    #[test]
    fn trees_without_a_common_layer() {
        let layers = Layers::new("apart", 3);
        layers.write(0, "a/x", "1");
        layers.write(1, "a/x", "1");
        layers.write(1, "b", "22");
        layers.write(2, "b", "1");
        assert_eq!(layers.changes(&[0, 1], &[2]), ["Added /a", "Added /a/x", "Changed /b"]);
        assert_eq!(layers.changes(&[0], &[1]), ["Deleted /b"]);
        assert_eq!(layers.changes(&[0], &[]), ["Added /a", "Added /a/x"]);
    }
}
