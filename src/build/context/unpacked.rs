//! A build context that came as an archive, in a directory of its own under the store's `tmp/`.
//!
//! A worker unpacks it, beneath that directory alone; every file becomes the user's. What it leads to by symlinks is never followed
//! out of it: see [`super::Context`]. Who is killed leaves a directory that anybody sweeps.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::build::step::copy::feed;
use crate::build::{Error, Result};
use crate::host::change;
use crate::host::subid::IdMaps;
use crate::layer::copy::Owners;
use crate::layer::worker;
use crate::store::{Store, Tmp};
use crate::sys::Call;

/// What is copied at a time.
const PIECE: usize = 256 << 10;

/// The directory, as long as the value lives.
#[derive(Debug)]
pub struct Unpacked {
    path: PathBuf,
    ids: IdMaps,
    tmp: Option<Tmp>,
}

impl Unpacked {
    /// An empty one.
    pub fn new(store: &Store) -> Result<Self> {
        let (ids, tmp) = (IdMaps::of_account()?, store.tmp_dir()?);
        let path = tmp.path().join("context");
        change::create_dir(&path)?;
        Ok(Self { path, ids, tmp: Some(tmp) })
    }

    /// The directory that holds what an archive holds, plain or compressed.
    pub fn of_archive(store: &Store, archive: impl Read) -> Result<Self> {
        let unpacked = Self::new(store)?;
        let (read, end) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
        let place = "the build context";
        let running = worker::start_extract(&unpacked.ids, &unpacked.path, Owners::Own, read.as_fd(), place)?;
        drop(read);
        feed(end, |out| copy(archive, out), || running.finish())?;
        Ok(unpacked)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn copy(mut from: impl Read, to: &mut impl Write) -> Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count.call("read(the build context)").map_err(Error::Context)?,
        };
        match buffer.get(..count).filter(|piece| !piece.is_empty()) {
            Some(piece) => to.write_all(piece).map_err(Error::Pipe)?,
            None => return Ok(()),
        }
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Some(tmp) = self.tmp.take() {
            // A directory may be closed to its owner. What can't be removed now, the next sweep meets.
            let _ = worker::remove_tmp(&self.ids, tmp);
        }
    }
}
