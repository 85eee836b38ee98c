//! A program that lived on when its monitor died: only where it has no pid namespace of its own to end with.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::container::state::{State, Status};
use crate::host::lock;
use crate::store::records;
use crate::sys::signal;

/// How long a killed program is waited for.
const LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

/// Kills it: the lock is free, so nobody else will.
pub fn end(directory: &Path) {
    let Ok(Some(state)) = records::read::<State>(&directory.join("state.json")) else { return };
    end_of(directory, &state);
}

/// As [`end`], where the state is read already.
pub fn end_of(directory: &Path, state: &State) {
    if !state.unbound || state.status != Status::Running || lock::is_held(&directory.join("lock")).unwrap_or(true) {
        return;
    }
    let deadline = Instant::now() + LIMIT;
    while let Some(pidfd) = state.pidfd().filter(|_| Instant::now() < deadline) {
        if signal::send(pidfd.as_fd(), libc::SIGKILL).is_err() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}
