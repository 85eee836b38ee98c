//! Where quadlets are: in the folders that Podman looks into, and their drop-ins beside them.
//!
//! A name that is there twice is the first folder's. Drop-ins are looked for in all folders: `container.d`, `web-.container.d`,
//! `web-one.container.d`; of those with one name the most special counts, and they are read in the order of their names.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::{LONGEST, UnitFile};
use super::{Error, Kind, Problem, Quadlet, is_name};

/// Folders further down, and more folders than this, hold nobody's quadlets.
const DEEPEST: usize = 8;
const MOST: usize = 1000;

/// The folders of an administrator for all users, and by their number for single ones.
const OF_USERS: &str = "/etc/containers/systemd/users";

/// Names the folders in place of all others.
const VARIABLE: &str = "QUADLET_UNIT_DIRS";

/// The folder that is the account's own, where new ones go. `None`: it has no home.
pub fn own() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|dirs| dirs.config_dir().join("containers/systemd"))
}

/// Those of this account, the most important first.
pub fn folders() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return std::env::split_paths(&named).filter(|folder| folder.is_absolute()).collect();
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join("containers/systemd"));
    let uid = rustix::process::getuid().as_raw().to_string();
    let shared = [Path::new(OF_USERS).join(uid), OF_USERS.into()];
    runtime.into_iter().chain(own()).chain(shared).collect()
}

/// All quadlets in these folders and below, in the order of their names.
pub fn load(folders: &[PathBuf]) -> (Vec<Quadlet>, Vec<Error>) {
    let all = with_those_below(folders);
    let (mut quadlets, mut errors) = (Vec::new(), Vec::new());
    for path in paths(&all).into_values() {
        match one(&path, &all) {
            Ok(quadlet) => quadlets.push(quadlet),
            Err(error) => errors.push(error),
        }
    }
    (quadlets, errors)
}

/// Where the quadlet of this name is.
pub fn named(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    paths(&with_those_below(folders)).remove(OsStr::new(name))
}

/// The names of all, whether they can be read or not, and where they are.
pub fn names(folders: &[PathBuf]) -> impl Iterator<Item = (String, PathBuf)> {
    let paths = paths(&with_those_below(folders)).into_iter();
    paths.filter_map(|(name, path)| Some((name.into_string().ok()?, path)))
}

fn with_those_below(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    folders.iter().for_each(|folder| walk(folder, 0, &mut all));
    all
}

/// All in which a change may be one of a quadlet: these, those in them, and the drop-ins'.
pub fn watched(folders: &[PathBuf]) -> Vec<PathBuf> {
    let below = with_those_below(folders);
    let drop_ins = below.iter().flat_map(|folder| entries(folder)).filter(|path| path.is_dir() && is_of_drop_ins(path));
    let mut all: Vec<PathBuf> = folders.iter().chain(&below).cloned().chain(drop_ins).collect();
    all.sort();
    all.dedup();
    all
}

fn is_of_drop_ins(folder: &Path) -> bool {
    folder.extension().is_some_and(|extension| extension == "d")
}

/// The files by their names, of two with one name the first.
fn paths(folders: &[PathBuf]) -> BTreeMap<OsString, PathBuf> {
    let mut found = BTreeMap::new();
    for folder in folders {
        for path in entries(folder).into_iter().filter(|path| path.is_file()) {
            if let (Some(name), Some(_)) = (path.file_name(), Kind::of(&path)) {
                found.entry(name.to_owned()).or_insert(path);
            }
        }
    }
    found
}

/// One by its path, with its drop-ins in these folders.
pub fn one(path: &Path, folders: &[PathBuf]) -> Result<Quadlet, Error> {
    let unknown =
        || Problem::Unreadable("neither .container nor .volume, .network, .image or .build".to_owned()).of(path);
    let kind = Kind::of(path).ok_or_else(unknown)??;
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name));
    let no_name = || Problem::Unreadable("its name is not that of a unit".to_owned()).of(path);
    let name = name.ok_or_else(no_name)?.to_owned();
    let mut file = UnitFile::default();
    file.add(path, &text(path)?)?;
    for drop_in in drop_ins(&name, kind, folders) {
        file.add(&drop_in, &text(&drop_in)?)?;
    }
    Ok(Quadlet { name, path: path.to_owned(), kind, file })
}

/// A folder and those in it.
fn walk(folder: &Path, depth: usize, all: &mut Vec<PathBuf>) {
    if depth > DEEPEST || all.len() >= MOST || !folder.is_dir() {
        return;
    }
    all.push(folder.to_owned());
    // A user's own folder there is named by its number.
    let is_of_user = |path: &PathBuf| {
        folder == Path::new(OF_USERS) && path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()).is_some()
    };
    for path in entries(folder).into_iter().filter(|path| !is_of_drop_ins(path) && !is_of_user(path)) {
        walk(&path, depth + 1, all);
    }
}

/// What is in a folder, by name; one that can't be read has nothing.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = read.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn drop_ins(name: &str, kind: Kind, folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for place in places(name, kind) {
        for folder in folders.iter().rev() {
            let files = entries(&folder.join(&place)).into_iter();
            let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "conf"));
            found.extend(files.filter_map(|path| Some((path.file_name()?.to_owned(), path))));
        }
    }
    found.into_values().collect()
}

/// The names of the folders of a quadlet's drop-ins, the most general first.
fn places(name: &str, kind: Kind) -> Vec<String> {
    let extension = kind.extension();
    let stem = name.strip_suffix(&format!(".{extension}")).unwrap_or(name);
    let (base, instance) = stem.split_once('@').map_or((stem, None), |(base, instance)| (base, Some(instance)));
    let dashes = base.match_indices('-').map(|(at, _)| base.get(..=at).unwrap_or(base));
    let mut places = vec![format!("{extension}.d")];
    places.extend(dashes.filter(|prefix| *prefix != base).map(|prefix| format!("{prefix}.{extension}.d")));
    places.extend(instance.filter(|instance| !instance.is_empty()).map(|_| format!("{base}@.{extension}.d")));
    places.push(format!("{name}.d"));
    places
}

fn text(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let file = std::fs::File::open(path);
    // One byte more than it may have, so that it is seen.
    let read = file.and_then(|file| file.take(LONGEST as u64 + 1).read_to_string(&mut text));
    read.map_err(|error| Problem::Unreadable(error.to_string()).of(path))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_go_from_general_to_special() {
        let places = places("web-one@x.container", Kind::Container);
        assert_eq!(places, ["container.d", "web-.container.d", "web-one@.container.d", "web-one@x.container.d"]);
        assert_eq!(super::places("a@.volume", Kind::Volume), ["volume.d", "a@.volume.d"]);
    }
}
