//! The locks of the store as a whole. Single objects (a container, a layer in the making) have their own.
//!
//! `locks/store` is shared by who makes a container from an image, or pulls one, and exclusive for who removes layers or blobs:
//! so nothing is removed between the moment when somebody decides to use it and the moment when a record says so.
//! There is always somebody who shares it on a busy machine, so whoever wants it alone takes `locks/turn` first, which those who
//! share it pass through: it waits for nobody who comes later. So whoever shares it does so for moments: a download, a sync of
//! much data, and a check of all that is there come before.
//! `locks/index` is exclusive for who rewrites `index.json`; `locks/ids` for who gives a container ids that no other has, until
//! its record says so; `locks/names` for who takes a name away. Readers take none.

use super::{Result, Store};
use crate::host::lock::{Lock, PATIENCE};

impl Store {
    /// As long as it lives, no layer, blob or image is removed.
    pub fn lock_shared(&self) -> Result<Lock> {
        let _turn = Lock::shared_within(&self.layout().locks().join("turn"), PATIENCE)?;
        Ok(Lock::shared_within(&self.layout().locks().join("store"), PATIENCE)?)
    }

    /// As long as it lives, nobody makes a container from an image and no pull commits.
    pub fn lock_exclusive(&self) -> Result<Lock> {
        let _turn = Lock::exclusive_within(&self.layout().locks().join("turn"), PATIENCE)?;
        Ok(Lock::exclusive_within(&self.layout().locks().join("store"), PATIENCE)?)
    }

    /// As long as it lives, nobody else gives ids to a container of its own.
    pub fn lock_ids(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("ids"), PATIENCE)?)
    }

    pub(super) fn lock_names(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("names"), PATIENCE)?)
    }

    pub(super) fn lock_index(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("index"), PATIENCE)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use crate::store::testing::Scratch;

    #[test]
    fn who_shares_the_lock_without_end_starves_nobody() {
        let scratch = Scratch::new("turns");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let shared = scratch.store.lock_shared().unwrap();
                        std::thread::sleep(Duration::from_millis(20));
                        drop(shared);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(50));
            let begun = Instant::now();
            let taken = scratch.store.lock_exclusive().map(drop);
            let waited = begun.elapsed();
            over.store(true, Ordering::Relaxed);
            assert!(taken.is_ok() && waited < Duration::from_secs(5), "{taken:?} after {waited:?}");
        });
    }
}
