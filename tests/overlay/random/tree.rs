//! A whole tree as it shows itself, and whether two of them are equal.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::operation::{attributes, shown, sum};
use super::owners::Owners;

/// What lies under one name.
#[derive(Debug)]
pub struct Entry {
    /// Everything that must be equal, content included.
    pub text: String,
    /// User and group.
    pub owner: (u32, u32),
    pub ino: u64,
    pub nlink: u64,
    pub is_dir: bool,
    pub is_file: bool,
}

pub type Tree = BTreeMap<PathBuf, Entry>;

pub fn tree(top: &Path) -> Tree {
    tree_with(top, &Owners::Shown)
}

/// As [`tree`], with the owners that are asked for.
pub fn tree_with(top: &Path, owners: &Owners) -> Tree {
    let mut tree = Tree::new();
    let mut pending = vec![top.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = std::fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("listed: {path:?}: {error}"));
            let stat = owners.of(&path, rustix::fs::lstat(&path).unwrap());
            let mut text = shown(&stat);
            for name in attributes(&path).unwrap().split_whitespace() {
                let mut value = [0; 1024];
                let length = rustix::fs::lgetxattr(&path, name, &mut value[..]).unwrap();
                text += &format!(" [{name} {:x}]", sum(&owners.of_attribute(name, &value[..length])));
            }
            if meta.is_symlink() {
                text += &format!(" -> {}", std::fs::read_link(&path).unwrap().display());
            } else if meta.is_file() {
                let content = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
                text += &format!(" {:x}", sum(&content));
            } else if meta.is_dir() {
                pending.push(path.clone());
            }
            let owner = (stat.st_uid, stat.st_gid);
            let entry = Entry {
                text,
                owner,
                ino: meta.ino(),
                nlink: meta.nlink(),
                is_dir: meta.is_dir(),
                is_file: meta.is_file(),
            };
            tree.insert(path.strip_prefix(top).unwrap().to_owned(), entry);
        }
    }
    tree
}

/// Names of files with several links, which break where one of them was copied up and the file is then not known any more.
pub fn linked(tree: &Tree) -> BTreeSet<PathBuf> {
    let linked = tree.iter().filter(|(_, entry)| !entry.is_dir && entry.nlink > 1);
    linked.map(|(path, _)| path.clone()).collect()
}

/// Equal but for what is in `except`.
pub fn assert_equal(plain: &Tree, other: &Tree, except: &BTreeSet<PathBuf>) {
    let names = |tree: &Tree| tree.keys().cloned().collect::<BTreeSet<_>>();
    let (of_plain, of_other) = (names(plain), names(other));
    let missing: Vec<_> = of_plain.difference(&of_other).collect();
    let added: Vec<_> = of_other.difference(&of_plain).collect();
    assert!(missing.is_empty() && added.is_empty(), "missing: {missing:?}, too many: {added:?}");
    for (path, entry) in plain.iter().filter(|(path, _)| !except.contains(*path)) {
        assert_eq!(entry.text, other[path].text, "{path:?}");
    }
}

/// Whether names share a file in one exactly where they do in the other, and say so in their number of links. `unsure`: numbers
/// in `plain` of files that have names in a lower layer which no longer show.
pub fn assert_equal_links(plain: &Tree, other: &Tree, unsure: &BTreeSet<u64>) {
    let mut numbers: HashMap<u64, u64> = HashMap::new();
    let mut taken: HashMap<u64, u64> = HashMap::new();
    for (path, entry) in plain {
        let shown = &other[path];
        assert_eq!(*numbers.entry(entry.ino).or_insert(shown.ino), shown.ino, "{path:?}: one file, two numbers");
        assert_eq!(*taken.entry(shown.ino).or_insert(entry.ino), entry.ino, "{path:?}: two files, one number");
        // A directory that merges shows 1: nobody has counted.
        let unknown = entry.is_dir && shown.nlink == 1 || unsure.contains(&entry.ino);
        assert!(unknown || entry.nlink == shown.nlink, "{path:?}: {} links, not {}", shown.nlink, entry.nlink);
    }
}
