//! What the layers of one image may take of the disk together, however many are unpacked at once.
//!
//! ```text
//! pull ── eventfd(2), a semaphore: how many portions are left ──▶ worker of a layer: one portion less for each that it unpacks
//!                                                            ├──▶ worker of another layer
//!                                                            └──▶ …
//! ```
//!
//! The kernel counts, so no worker has to ask the pull, which is busy with the network. What is taken for a layer that comes to
//! nothing is given back when its files are gone: by its worker if that fails, by the pull if the worker is content and the pull
//! is not.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::EventfdFlags;
use rustix::io::Errno;

use crate::sys::{self, Call};

/// Bytes. A layer takes one at least.
const PORTION: u64 = 16 << 10;

/// Of the pull.
#[derive(Debug)]
pub struct Budget {
    left: OwnedFd,
    /// All that there was, in bytes.
    pub size: u64,
}

impl Budget {
    /// Nine tenths of what the disk of this directory has free. `None`: it does not say what it has (a ramfs).
    pub fn of_disk(directory: &Path) -> sys::Result<Option<Self>> {
        let disk = rustix::fs::statvfs(directory).call_with(|| format!("statvfs({})", directory.display()))?;
        let size = disk.f_bavail.saturating_mul(disk.f_frsize) / 10 * 9;
        if disk.f_blocks == 0 { Ok(None) } else { Self::new(size).map(Some) }
    }

    fn new(size: u64) -> sys::Result<Self> {
        let flags = EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        // 64 TiB, if the disk has more.
        let portions = u32::try_from(size / PORTION).unwrap_or(u32::MAX);
        Ok(Self { left: rustix::event::eventfd(portions, flags).call("eventfd2")?, size })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.left.as_fd()
    }

    /// A layer that took so many bytes is not kept.
    pub fn give_back(&self, bytes: u64) {
        add(self.fd(), bytes.div_ceil(PORTION));
    }
}

fn add(left: BorrowedFd<'_>, portions: u64) {
    // It can't be full of what was taken from it.
    let _ = rustix::io::write(left, &portions.to_ne_bytes());
}

/// Of a worker. A clone takes from the same, and gives all back.
#[derive(Debug, Clone)]
pub struct Share {
    left: Arc<OwnedFd>,
    taken: Arc<AtomicU64>,
    /// Bytes of the last portion that are not used.
    unused: u64,
}

impl Share {
    pub fn new(left: OwnedFd) -> Self {
        Self { left: Arc::new(left), taken: Arc::default(), unused: 0 }
    }

    /// Takes so many bytes; `false`: there are fewer left.
    pub fn take(&mut self, bytes: u64) -> bool {
        while self.unused < bytes {
            match rustix::io::read(&*self.left, &mut [0_u8; 8]) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(_) => return false,
            }
            self.taken.fetch_add(1, Ordering::Relaxed);
            self.unused += PORTION;
        }
        self.unused -= bytes;
        true
    }

    /// All that it took.
    pub fn give_back(self) {
        add(self.left.as_fd(), self.taken.swap(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_take_from_one() {
        let budget = Budget::new(10 * PORTION).unwrap();
        let share = || Share::new(budget.fd().try_clone_to_owned().unwrap());
        let (mut one, mut other) = (share(), share());
        assert!(one.take(1) && one.take(PORTION - 1) && one.take(4 * PORTION));
        assert!(other.take(5 * PORTION) && !other.take(1) && !one.take(1));
        other.give_back();
        assert!(one.take(5 * PORTION) && !one.take(1));
        budget.give_back(PORTION + 1);
        assert!(one.take(2 * PORTION) && !one.take(1));
    }
}
