//! Directories of `RUN --mount=type=cache`: kept from build to build, below `build-cache/mounts` of the store.

use std::fs::File;
use std::io::BufWriter;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::pipe::{PipeFlags, pipe_with};

use super::parse::{MountSpec, Sharing};
use super::step::copy::feed;
use super::{Error, Result};
use crate::host::change;
use crate::host::lock::Lock;
use crate::host::subid::IdMaps;
use crate::layer::copy::Owners;
use crate::layer::worker;
use crate::oci::Digest;
use crate::store::Store;
use crate::sys::Call;

/// How many writers at a time get directories of their own for one cache that is private.
const MOST: usize = 64;

/// What is mounted of its folder; so it is called in the archive that it begins with.
pub const FILES: &str = "files";

/// A cache that a command uses.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    /// Held while nobody else may have it.
    _lock: Option<Lock>,
}

/// Writes the archive of what a new cache begins with.
type First<'a> = &'a dyn Fn(&mut BufWriter<File>) -> Result<()>;

impl Cache {
    /// The directory of this id, made if it is new. With `locked` sharing it waits for whoever has it.
    pub fn open(store: &Store, id: &str, spec: &MountSpec, first: First<'_>) -> Result<Self> {
        let folder = store.build_cache_folder("mounts")?;
        let name = Digest::of(id.as_bytes()).hex().to_owned();
        let path = |number: usize| match number {
            0 => folder.join(&name),
            number => folder.join(format!("{name}.{number}")),
        };
        let lock =
            |path: &Path| path.with_file_name(format!("{}.lock", path.file_name().unwrap_or_default().display()));
        match spec.sharing {
            Sharing::Shared => Self::made(store, &path(0), None, first),
            Sharing::Locked => {
                let lock = Lock::exclusive(&lock(&path(0)))?;
                Self::made(store, &path(0), Some(lock), first)
            }
            Sharing::Private => {
                for number in 0..MOST {
                    if let Some(lock) = Lock::try_exclusive(&lock(&path(number)))? {
                        return Self::made(store, &path(number), Some(lock), first);
                    }
                }
                Err(Error::Refused(format!("{MOST} commands use the cache `{id}` at this moment")))
            }
        }
    }

    /// A new one appears whole: several may make it at the same time, and the first of them has made it.
    fn made(store: &Store, folder: &Path, lock: Option<Lock>, first: First<'_>) -> Result<Self> {
        let path = folder.join(FILES);
        if !path.exists() {
            let (ids, tmp) = (IdMaps::of_account()?, store.tmp_dir()?);
            let new = tmp.path().join("cache");
            let made = fill(&ids, &new, first).and_then(|()| {
                // Of who was killed between making it and what is in it.
                let _ = change::remove_dir(folder);
                Ok(change::rename_new(&new, folder)?)
            });
            // What can't be removed now, the next sweep meets.
            let _ = worker::remove_tmp(&ids, tmp);
            made?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// By a worker, which may give files to any user of the account's.
fn fill(ids: &IdMaps, folder: &Path, first: First<'_>) -> Result<()> {
    change::create_dir(folder)?;
    let (read, end) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
    let running = worker::start_extract(ids, folder, Owners::Kept, read.as_fd(), "the cache")?;
    drop(read);
    feed(end, first, || running.finish())
}
