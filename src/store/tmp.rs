//! `tmp/`: whatever is being made or removed, each piece in a directory of its own with a lock in it.
//!
//! A directory whose lock is free belongs to nobody, on whichever machine its maker was (the lock is the file server's on NFS):
//! [`Store::sweep`] removes it. Locks and directories are made and swept by different processes at any moment, so a lock counts
//! only when its path still leads to it (see [`crate::host::lock`]), and the lock file is the last thing that goes.

use std::path::{Path, PathBuf};

use super::partial::AGE;
use super::{Result, Store};
use crate::host::change;
use crate::host::lock::{self, Lock};
use crate::oci::Digest;
use crate::sys::Call;

const LOCK: &str = "lock";

/// The most that a retired directory's lock file holds, in bytes.
pub const LAST_WORDS_LIMIT: usize = 16 << 10;

/// How long one pull waits for another that unpacks the same layer.
pub const CLAIM_PATIENCE: std::time::Duration = std::time::Duration::from_secs(3600);

/// A directory under `tmp/` that is ours as long as this value lives; then its content is removed as far as this account can
/// (what belongs to subordinate ids waits for the next sweep).
#[derive(Debug)]
pub struct Tmp {
    lock: Lock,
    keep: bool,
    /// Dropped after the lock, whose file, unlinked while it is open, stays in the directory on NFS (as `.nfs…`).
    place: Place,
}

/// A directory that goes, if it is empty.
#[derive(Debug)]
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        // Not empty: it was to stay, or somebody claimed the same key in the meantime, and the directory is theirs.
        let _ = change::remove_dir(&self.0);
    }
}

/// What a sweep could not remove itself since files in it belong to subordinate ids: whoever can start a worker empties `path`
/// as root of the user's namespace, and then drops this.
pub type Abandoned = Tmp;

impl Tmp {
    /// The directory; its lock file `lock` lies in it too.
    pub fn path(&self) -> &Path {
        &self.place.0
    }

    /// The lock, for a child process that is to hold it too.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Leaves the content where it is, for whoever claims the same key next (a download to be resumed) or sweeps.
    pub fn leave(mut self) {
        self.keep = true;
    }

    /// Makes the directory, lock and all, what is found at `path`, and gives its lock on.
    pub fn become_at(mut self, path: &Path) -> Result<Lock> {
        change::rename(self.path(), path)?;
        self.keep = true;
        Ok(self.lock.share()?)
    }

    /// Takes a directory whose lock file this process holds out of its place, to be removed.
    pub(super) fn adopt(path: PathBuf, lock: Lock) -> Self {
        Self { lock, keep: false, place: Place(path) }
    }

    /// Removes all in it, the lock file last.
    fn clear(&self) -> crate::sys::Result<()> {
        for entry in std::fs::read_dir(self.path()).call_with(|| format!("opendir({})", self.path().display()))? {
            let entry = entry.call_with(|| format!("readdir({})", self.path().display()))?;
            if entry.file_name() != LOCK {
                change::remove_tree(&entry.path())?;
            }
        }
        change::remove_file(&self.path().join(LOCK)).map(|_| ())
    }
}

impl Drop for Tmp {
    fn drop(&mut self) {
        if !self.keep {
            // A failure is not lost: the directory stays, and the next sweep meets it.
            let _ = self.clear();
        }
    }
}

impl Store {
    /// A new directory under `tmp/`, locked.
    pub fn tmp_dir(&self) -> Result<Tmp> {
        loop {
            let path = self.layout().tmp().join(change::random_name()?);
            if !change::create_dir(&path)? {
                continue;
            }
            match Lock::try_exclusive(&path.join(LOCK)) {
                Ok(Some(lock)) => return Ok(Tmp { lock, keep: false, place: Place(path) }),
                // A sweep met the directory between the two calls.
                Ok(None) => {}
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Moves the directory at `path` under `tmp/`: it is gone for everybody, and its content goes when the value does. `lock` is
    /// the held lock of the file `lock` in it.
    ///
    /// What its `state.json` says last is written into the lock file: who has that open to wait for its end can read it
    /// there, even after the file was removed.
    pub fn retire(&self, path: &Path, lock: Lock) -> Result<Tmp> {
        let place = self.layout().tmp().join(change::random_name()?);
        change::rename(path, &place)?;
        if let Ok(words) = std::fs::read(place.join("state.json"))
            && words.len() <= LAST_WORDS_LIMIT
        {
            // Nothing depends on it but the exit code that a waiter prints.
            let _ = rustix::io::pwrite(lock.fd(), &words, 0);
        }
        Ok(Tmp::adopt(place, lock))
    }

    /// Claims one piece of work by a key (`blob sha256:…`): waits while another process has it, then look again whether
    /// it is done. The directory may hold what an earlier holder left ([`Tmp::leave`]).
    pub fn claim(&self, key: &str) -> Result<Tmp> {
        let path = self.claim_path(key);
        loop {
            change::create_dir(&path)?;
            match Lock::exclusive_within(&path.join(LOCK), CLAIM_PATIENCE) {
                Ok(lock) => return Ok(Tmp { lock, keep: false, place: Place(path) }),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// As [`Store::claim`], but `None` at once if another process has it.
    pub fn try_claim(&self, key: &str) -> Result<Option<Tmp>> {
        let path = self.claim_path(key);
        loop {
            change::create_dir(&path)?;
            match Lock::try_exclusive(&path.join(LOCK)) {
                Ok(lock) => return Ok(lock.map(|lock| Tmp { lock, keep: false, place: Place(path) })),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn claim_path(&self, key: &str) -> PathBuf {
        self.layout().tmp().join(format!("claim-{}", Digest::of(key.as_bytes()).hex()))
    }

    /// Removes what nobody works on any more, and blobs whose rest has not come for long. With nothing to do this is two
    /// readdirs. Never waits.
    ///
    /// Gives back, locked, what could not be removed: see [`Abandoned`].
    pub fn sweep(&self) -> Result<Vec<Abandoned>> {
        let tmp = self.layout().tmp();
        let mut abandoned = Vec::new();
        for entry in std::fs::read_dir(&tmp).call_with(|| format!("opendir({})", tmp.display()))? {
            let path = entry.call_with(|| format!("readdir({})", tmp.display()))?.path();
            let lock = match Lock::try_exclusive(&path.join(LOCK)) {
                Ok(Some(lock)) => lock,
                Ok(None) => continue,
                Err(error) if error.is_missing() => continue,
                // Not a directory of ours: a stray file.
                Err(lock::Error::System(error)) if error.errno() == libc::ENOTDIR => {
                    change::remove_file(&path)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let mut left = Tmp { lock, keep: true, place: Place(path) };
            if left.clear().is_err() {
                left.keep = false;
                abandoned.push(left);
            }
        }
        self.sweep_partial(AGE)?;
        Ok(abandoned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    #[test]
    fn a_sweep_takes_what_is_nobodys() {
        let scratch = Scratch::new("sweep");
        let store = &scratch.store;
        let count = || std::fs::read_dir(store.layout().tmp()).unwrap().count();
        let live = store.tmp_dir().unwrap();
        change::create_dir(&live.path().join("x")).unwrap();
        let dead = store.tmp_dir().unwrap();
        std::fs::write(dead.path().join("x"), b"").unwrap();
        dead.leave();
        change::create_dir(&store.layout().tmp().join("cut-before-the-lock")).unwrap();
        assert_eq!(count(), 3);
        assert!(store.sweep().unwrap().is_empty());
        assert_eq!(count(), 1);
        assert!(live.path().join("x").exists());
        drop(live);
        assert_eq!(count(), 0);
    }

    #[test]
    fn one_key_is_worked_on_once() {
        let scratch = Scratch::new("claim");
        let store = &scratch.store;
        let done = std::sync::atomic::AtomicUsize::new(0);
        let result = scratch.root.join("result");
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let _claim = store.claim("layer x").unwrap();
                    if !result.exists() {
                        done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        std::fs::write(&result, b"").unwrap();
                    }
                });
                scope.spawn(|| store.sweep().unwrap());
            }
        });
        assert_eq!(done.into_inner(), 1);
        let held = store.claim("layer x").unwrap();
        assert!(store.try_claim("layer x").unwrap().is_none());
        assert!(store.try_claim("layer y").unwrap().is_some());
        held.leave();
        assert!(store.try_claim("layer x").unwrap().is_some());
    }
}
