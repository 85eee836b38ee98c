//! Paths: of this machine, in an image, in a container.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode as FileMode, OFlags};

use super::Candidate;
use super::objects::store;
use super::place::Place;
use crate::container::find;
use crate::image::find::find as find_image;
use crate::layer::merged::{Merged, Owners};
use crate::oci::Digest;
use crate::store::Store;
use crate::store::layers::Mode;

/// How many symlinks lead on, as in the kernel (path_resolution(7)).
const LINKS: usize = 40;

/// Paths of this machine that begin so; only directories, where nothing else will do.
pub fn of_machine(typed: &str, only_directories: bool) -> Vec<Candidate> {
    let (folder, name) = split(typed);
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let directory = match folder.strip_prefix("~/") {
        Some(rest) => home().map(|home| home.join(rest)),
        None if folder.is_empty() => Some(PathBuf::from(".")),
        None => Some(PathBuf::from(folder)),
    };
    let entries = directory.and_then(|directory| std::fs::read_dir(directory).ok());
    let named = entries.into_iter().flatten().flatten().filter_map(|entry| {
        let found = entry.file_name().into_string().ok().filter(|found| shows(found, name))?;
        // Of what a link leads to.
        let is_directory = Path::new(&entry.path()).is_dir();
        (is_directory || !only_directories).then_some((found, is_directory))
    });
    candidates(folder, named.collect())
}

/// Paths in the image of this name.
pub fn in_image(place: &Place<'_>, name: &str, typed: &str) -> Vec<Candidate> {
    let tree = store(place).and_then(|store| {
        let image = find_image(&store, name).ok()??;
        Mode::ALL.into_iter().find_map(|mode| layers(&store, mode, &image.layers, Vec::new()))
    });
    tree.map(|tree| in_tree(&tree, typed)).unwrap_or_default()
}

/// Paths in a container, as far as its own layers have them: not what is mounted there.
pub fn in_container(place: &Place<'_>, name: &str, typed: &str) -> Vec<Candidate> {
    let tree = store(place).and_then(|store| {
        let found = find::find(&store, name).ok()?;
        let upper = directory(&found.directory.join("upper"))?;
        let container = found.container;
        match &container.rootfs {
            None => layers(&store, container.mode, &container.layers, vec![(upper, Owners::Disk)]),
            Some(rootfs) => {
                let lower = (directory(&rootfs.path)?, Owners::Foreign);
                let upper = rootfs.overlay.then_some((upper, Owners::Disk));
                Some(Merged::root(upper.into_iter().chain([lower]).collect()))
            }
        }
    });
    tree.map(|tree| in_tree(&tree, typed)).unwrap_or_default()
}

/// The layers of an image below those that are `above` it; `None`: they are not unpacked so.
fn layers(store: &Store, mode: Mode, diff_ids: &[Digest], above: Vec<(OwnedFd, Owners)>) -> Option<Merged> {
    let lowers = diff_ids.iter().rev().map(|diff_id| Some((directory(&store.layer_fs(mode, diff_id))?, Owners::Disk)));
    let all = above.into_iter().map(Some).chain(lowers).collect::<Option<Vec<_>>>()?;
    (!all.is_empty()).then(|| Merged::root(all))
}

fn directory(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, FileMode::empty()).ok()
}

fn in_tree(root: &Merged, typed: &str) -> Vec<Candidate> {
    let (folder, name) = split(typed);
    let Some(way) = walk(root, folder) else { return Vec::new() };
    let entries = way.last().unwrap_or(root).entries().unwrap_or_default();
    let named = entries.into_iter().filter_map(|entry| {
        let is_directory = |found: &str| match entry.kind() {
            FileType::Symlink => walk(root, &format!("{folder}{found}")).is_some(),
            _ => entry.is_dir(),
        };
        let found = std::str::from_utf8(&entry.name).ok().filter(|found| shows(found, name))?;
        Some((found.to_owned(), is_directory(found)))
    });
    candidates(folder, named.collect())
}

/// The directories on the way to one, from the root of a tree, which no link leads out of. `None`: there is no such directory.
fn walk(root: &Merged, path: &str) -> Option<Vec<Merged>> {
    let names = |path: &str| -> Vec<String> {
        path.split('/').filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).rev().collect()
    };
    let mut way: Vec<Merged> = Vec::new();
    // The next one last.
    let mut ahead = names(path);
    let mut links = 0;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            way.pop();
            continue;
        }
        let here = way.last().unwrap_or(root);
        match here.link(name.as_bytes()).ok()? {
            None => way.push(here.enter(name.as_bytes()).ok()??),
            Some(target) => {
                links += 1;
                let target = String::from_utf8(target).ok().filter(|_| links <= LINKS)?;
                if target.starts_with('/') {
                    way.clear();
                }
                ahead.extend(names(&target));
            }
        }
    }
    Some(way)
}

/// The folder, up to its slash, and the beginning of a name in it.
fn split(typed: &str) -> (&str, &str) {
    typed.rfind('/').and_then(|slash| typed.split_at_checked(slash + 1)).unwrap_or(("", typed))
}

/// What is hidden shows to who asks for it.
fn shows(name: &str, typed: &str) -> bool {
    name.starts_with(typed) && (typed.starts_with('.') || !name.starts_with('.'))
}

fn candidates(folder: &str, mut named: Vec<(String, bool)>) -> Vec<Candidate> {
    named.sort();
    let path = |(name, is_directory)| format!("{folder}{name}{}", if is_directory { "/" } else { "" });
    named.into_iter().map(|entry| Candidate::new(path(entry), "")).collect()
}
