//! The ends of a copy that lie in a container: workers, seen from those who start them.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use super::{Source, Target};
use crate::host::subid::IdMaps;
use crate::layer::Result;
use crate::layer::read::Live;
use crate::layer::worker::{Job, Reply, Running, unexpected};

/// A container whose file systems are mounted.
#[derive(Debug)]
pub struct Inside<'a> {
    /// The container's directory: all that the worker sees by path.
    pub directory: &'a Path,
    /// Its user namespace and its root.
    pub live: &'a Live,
}

/// A worker that copies.
#[derive(Debug)]
pub struct RunningCopy {
    running: Running,
}

/// Starts a worker that writes `source` to `out`.
pub fn start_pack(ids: &IdMaps, inside: &Inside<'_>, source: Source, out: BorrowedFd<'_>) -> Result<RunningCopy> {
    start(ids, inside, &Job::CopyOut { source }, out)
}

/// Starts a worker that makes what `input` holds, plain or compressed; of `user`, where one is named, as the container knows it.
pub fn start_unpack(
    ids: &IdMaps,
    inside: &Inside<'_>,
    target: Target,
    user: Option<String>,
    input: BorrowedFd<'_>,
) -> Result<RunningCopy> {
    start(ids, inside, &Job::CopyIn { target, user }, input)
}

fn start(ids: &IdMaps, inside: &Inside<'_>, job: &Job, stream: BorrowedFd<'_>) -> Result<RunningCopy> {
    let fds = [stream, inside.live.user_namespace.as_fd(), inside.live.root.as_fd()];
    Ok(RunningCopy { running: Running::start(ids, inside.directory, job, &fds)? })
}

impl RunningCopy {
    /// Waits for the end; how many entries the stream had.
    pub fn finish(self) -> Result<u64> {
        match self.running.result()? {
            Reply::Copied(entries) => Ok(entries),
            other => Err(unexpected(&other)),
        }
    }
}
