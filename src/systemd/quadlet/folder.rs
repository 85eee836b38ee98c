//! A folder of units. Systemd's own generators write theirs into a folder that is empty each time; without an administrator they go into
//! the user's own, where other units are too, and those of quadlets that are gone must go.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::Service;
use crate::host::{atomic_file, change};
use crate::sys;

/// What a unit of ours begins with: by it one is known.
const MARK: &str = "# Made by `coracle quadlet`, which writes it anew: change its source.\n";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("{}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("`{}` is a unit that no quadlet was made into", .0.display())]
    Foreign(PathBuf),
}

impl Error {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Foreign(_) => Some("remove it, or give the quadlet another name with `ServiceName=`".to_owned()),
            Self::System(_) | Self::Folder { .. } => None,
        }
    }
}

/// Writes units and their links, which are on disk when this returns.
pub fn write(folder: &Path, services: &[Service]) -> Result<(), Error> {
    change::create_dirs(folder)?;
    let mut linked = BTreeSet::from([folder.to_owned()]);
    for service in services {
        let path = folder.join(&service.name);
        if path.exists() && !is_ours(&path) {
            return Err(Error::Foreign(path));
        }
        atomic_file::write(&path, format!("{MARK}\n{}", service.text()).as_bytes(), true)?;
        for (link, target) in &service.links {
            let path = folder.join(link);
            if let Some(parent) = path.parent() {
                change::create_dirs(parent)?;
                linked.insert(parent.to_owned());
            }
            link_to(&path, Path::new(target))?;
        }
    }
    linked.iter().try_for_each(|folder| Ok(change::sync_dir(folder)?))
}

/// As [`write`], and no other units of quadlets are left there.
pub fn keep_in_step(folder: &Path, services: &[Service]) -> Result<(), Error> {
    write(folder, services)?;
    let wanted: BTreeSet<PathBuf> =
        services.iter().flat_map(|service| service.links.iter().map(|(link, _)| folder.join(link))).collect();
    let ours: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| is_ours(path)).collect();
    let folders = entries(folder)?.into_iter().filter(|path| path.is_dir() && !path.is_symlink());
    for folder in folders.chain([folder.to_owned()]).collect::<Vec<_>>() {
        for link in entries(&folder)?.into_iter().filter(|path| path.is_symlink() && !wanted.contains(path)) {
            let target = std::fs::read_link(&link).unwrap_or_default();
            let leads_to = |unit: &PathBuf| unit.file_name() == target.file_name();
            if target.components().count() <= 2 && target.is_relative() && ours.iter().any(leads_to) {
                change::remove_file(&link)?;
            }
        }
    }
    for unit in ours.iter().filter(|unit| !services.iter().any(|service| unit.ends_with(&service.name))) {
        change::remove_file(unit)?;
    }
    Ok(())
}

/// Makes the link, in place of one that leads elsewhere.
fn link_to(path: &Path, target: &Path) -> Result<(), Error> {
    if path.is_symlink() && std::fs::read_link(path).is_ok_and(|old| old != target) {
        change::remove_file(path)?;
    }
    match change::symlink(target, path)? || path.is_symlink() {
        true => Ok(()),
        false => Err(Error::Foreign(path.to_owned())),
    }
}

fn is_ours(path: &Path) -> bool {
    !path.is_symlink() && path.is_file() && std::fs::read_to_string(path).is_ok_and(|text| text.starts_with(MARK))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Folder { path: folder.to_owned(), source };
    let read = std::fs::read_dir(folder).map_err(failed)?;
    read.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}
