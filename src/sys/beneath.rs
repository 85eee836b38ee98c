//! Opening beneath a directory descriptor (openat2(2)): the one way to paths that somebody else made.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::path::Arg;

/// How often a race is tried again before it is reported: for a second or so. A path of a hundred `..` was seen to lose 583 times
/// in a row to one process that did nothing but rename.
const TRIES: usize = 100_000;

/// Opens `path` beneath `root`, which is its root directory (absolute links lead inside).
///
/// The kernel gives up with EAGAIN where a `..` meets a rename or a mount *anywhere* on the machine, which any user can cause at
/// will; that says nothing about the path, so it is tried again.
pub fn open<P: Arg + Copy>(
    root: impl AsFd,
    path: P,
    flags: OFlags,
    mode: Mode,
    how: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let root = root.as_fd();
    let how = how | ResolveFlags::IN_ROOT;
    for _ in 0..TRIES {
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, mode, how) {
            Err(Errno::AGAIN | Errno::INTR) => rustix::thread::sched_yield(),
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}
