//! `partial/`: blobs whose transfer was cut, kept so that the next pull goes on where it was.
//!
//! ```text
//! partial/<hex>   the first bytes of the blob; who receives it holds the lock of this very file
//! ```
//!
//! Whoever dies leaves the file behind. It is trusted no more than the network: the digest of the whole decides. What nobody
//! has touched for [`AGE`] goes with the next sweep, all that nobody receives with a prune.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Result, Store};
use crate::host::change;
use crate::host::lock::Lock;
use crate::oci::Digest;
use crate::sys::Call;

/// How long what was received waits for the rest.
pub(super) const AGE: Duration = Duration::from_secs(7 * 86_400);
/// Less is fetched again as fast as it is kept, in bytes.
const WORTH: u64 = 1 << 20;

/// The file in which a blob is received, ours as long as this value lives; then it stays as it is.
#[derive(Debug)]
pub struct Partial {
    lock: Lock,
    path: PathBuf,
}

impl Partial {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps what came for the next pull, if it is worth it.
    pub fn leave(self) -> Result<()> {
        let length = rustix::fs::fstat(self.lock.fd()).call_with(|| format!("fstat({})", self.path.display()))?.st_size;
        if length.cast_unsigned() < WORTH { self.discard() } else { Ok(()) }
    }

    /// Removes it, unless it has become a blob.
    pub fn discard(self) -> Result<()> {
        if self.lock.is_at(&self.path)? {
            change::remove_file(&self.path)?;
        }
        Ok(())
    }
}

impl Store {
    /// The file in which this blob is to be received: empty, or what an earlier transfer left. `None`: another process is
    /// receiving the same blob.
    pub fn partial(&self, digest: &Digest) -> Result<Option<Partial>> {
        change::create_dir(&self.layout().partial())?;
        let path = self.layout().partial().join(digest.hex());
        Ok(Lock::try_exclusive(&path)?.map(|lock| Partial { lock, path }))
    }

    /// Removes what has waited for longer than `age` and nobody receives.
    pub fn sweep_partial(&self, age: Duration) -> Result<()> {
        let folder = self.layout().partial();
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.call_with(|| format!("opendir({})", folder.display()))?,
        };
        for entry in entries {
            let entry = entry.call_with(|| format!("readdir({})", folder.display()))?;
            // It may have gone in the meantime; a clock that went back makes it young.
            let touched = entry.metadata().and_then(|metadata| metadata.modified());
            let old = touched.is_ok_and(|touched| touched.elapsed().unwrap_or_default() >= age);
            let path = entry.path();
            if old && let Some(lock) = Lock::try_exclusive(&path)? {
                Partial { lock, path }.discard()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    #[test]
    fn what_was_received_stays_for_the_next_and_not_for_ever() {
        let scratch = Scratch::new("partial");
        let store = &scratch.store;
        let (large, small) = (Digest::of(b"large"), Digest::of(b"small"));
        let names = || std::fs::read_dir(store.layout().partial()).unwrap().count();
        store.sweep_partial(Duration::ZERO).unwrap();
        let partial = store.partial(&large).unwrap().unwrap();
        assert!(store.partial(&large).unwrap().is_none(), "received twice at once");
        std::fs::write(partial.path(), vec![1; WORTH as usize]).unwrap();
        store.sweep_partial(Duration::ZERO).unwrap();
        partial.leave().unwrap();
        let few = store.partial(&small).unwrap().unwrap();
        std::fs::write(few.path(), b"few").unwrap();
        few.leave().unwrap();
        assert_eq!(names(), 1);
        let partial = store.partial(&large).unwrap().unwrap();
        assert_eq!(std::fs::metadata(partial.path()).unwrap().len(), WORTH);
        // It has become a blob, and another process has begun to receive it once more.
        std::fs::rename(partial.path(), store.blob_path(&large)).unwrap();
        let other = store.partial(&large).unwrap().unwrap();
        partial.discard().unwrap();
        assert_eq!(names(), 1);
        drop(other);
        store.sweep_partial(AGE).unwrap();
        assert_eq!(names(), 1);
        store.sweep_partial(Duration::ZERO).unwrap();
        assert_eq!(names(), 0);
    }
}
