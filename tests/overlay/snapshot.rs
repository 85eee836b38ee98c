//! What a tree shows, as text that can be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything that a tree shows, by path: mode, owners, links, times of files, content.
pub fn snapshot(top: &Path) -> BTreeMap<PathBuf, String> {
    let mut shown = BTreeMap::new();
    let mut pending = vec![top.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta =
                fs::symlink_metadata(&path).unwrap_or_else(|error| panic!("listed: {}: {error}", path.display()));
            let mut line = format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
            if meta.is_dir() {
                pending.push(path.clone());
            } else if meta.is_symlink() {
                line += &format!(" -> {}", fs::read_link(&path).unwrap().display());
            } else if meta.is_file() {
                let content = fs::read(&path).unwrap();
                let sum = content.iter().fold(7u64, |sum, byte| sum * 31 % 0xffff_fffb + u64::from(*byte));
                line += &format!(" {}.{:09} {:?} {sum:x}", meta.mtime(), meta.mtime_nsec(), content.len());
            }
            shown.insert(path.strip_prefix(top).unwrap().to_owned(), line);
        }
    }
    shown
}
