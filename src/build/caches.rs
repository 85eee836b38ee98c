//! Directories of `RUN --mount=type=cache`: kept from build to build, below `build-cache/mounts` of the store.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::MemfdFlags;
use tar::EntryType;

use super::parse::{MountSpec, Sharing};
use super::{Error, Result};
use crate::host::change;
use crate::host::lock::Lock;
use crate::host::subid::IdMaps;
use crate::layer::pack::header::{BLOCK, Header};
use crate::layer::worker;
use crate::oci::Digest;
use crate::store::Store;
use crate::sys::Call;

/// How many writers at a time get directories of their own for one cache that is private.
const MOST: usize = 64;

/// What is mounted of its folder.
const FILES: &str = "files";

/// A cache that a command uses.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    /// Held while nobody else may have it.
    _lock: Option<Lock>,
}

impl Cache {
    /// The directory of this id, made if it is new. With `locked` sharing it waits for whoever has it.
    pub fn open(store: &Store, id: &str, spec: &MountSpec) -> Result<Self> {
        if spec.from.is_some() {
            return Err(Error::Refused("a cache that begins with files from elsewhere is not supported yet".into()));
        }
        let folder = store.build_cache_folder("mounts")?;
        let name = Digest::of(id.as_bytes()).hex().to_owned();
        let path = |number: usize| match number {
            0 => folder.join(&name),
            number => folder.join(format!("{name}.{number}")),
        };
        let lock =
            |path: &Path| path.with_file_name(format!("{}.lock", path.file_name().unwrap_or_default().display()));
        match spec.sharing {
            Sharing::Shared => Self::made(path(0), None, spec),
            Sharing::Locked => {
                let lock = Lock::exclusive(&lock(&path(0)))?;
                Self::made(path(0), Some(lock), spec)
            }
            Sharing::Private => {
                for number in 0..MOST {
                    if let Some(lock) = Lock::try_exclusive(&lock(&path(number)))? {
                        return Self::made(path(number), Some(lock), spec);
                    }
                }
                Err(Error::Refused(format!("{MOST} commands use the cache `{id}` at this moment")))
            }
        }
    }

    /// The directory in its folder is made by a worker, which may give it to any user of the account's.
    fn made(folder: PathBuf, lock: Option<Lock>, spec: &MountSpec) -> Result<Self> {
        let path = folder.join(FILES);
        if change::create_dir(&folder)? || !path.exists() {
            let header = Header {
                path: format!("{FILES}/").into_bytes(),
                kind: EntryType::Directory,
                mode: spec.mode.unwrap_or(0o755),
                uid: spec.uid.unwrap_or(0),
                gid: spec.gid.unwrap_or(0),
                ..Header::marker()
            };
            let mut archive: File =
                rustix::fs::memfd_create(c"cache", MemfdFlags::CLOEXEC).call("memfd_create")?.into();
            archive
                .write_all(&header.encode())
                .and_then(|()| archive.write_all(&[0; 2 * BLOCK]))
                .map_err(Error::Pipe)?;
            archive.rewind().call("lseek")?;
            worker::extract(&IdMaps::of_account()?, &folder, archive.as_fd(), "the cache")?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}
