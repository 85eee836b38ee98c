//! One layer: its bytes go to the blob file and, through a pipe, to the worker that unpacks them, both at once.
//!
//! A connection that breaks is followed by another, which goes on where the first one was: worker and blob file do not notice.
//! What an earlier pull received is handed to the worker before the first request.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::progress::Event;
use super::{Claimed, Pull};
use crate::image::{Error, Result};
use crate::layer::budget::Budget;
use crate::layer::compression::Window;
use crate::layer::worker::{self, Input, Limits, RunningUnpack};
use crate::layer::{About, stream};
use crate::oci::{Descriptor, Digest, Reference};
use crate::registry;
use crate::store;
use crate::store::blobs::BlobWriter;
use crate::store::layers::LayerRecord;
use crate::sys::{self, Call};

/// A layer's parts, complete and checked, not in their places yet. `None`: the store has that part already.
#[derive(Debug)]
pub(super) struct Parts {
    /// `None`: of an artifact.
    pub diff_id: Option<Digest>,
    pub blob_digest: Digest,
    pub blob: Option<PathBuf>,
    pub unpacked: Option<PathBuf>,
}

/// So much more is downloaded after the worker has given up: a damaged blob is then called damaged, not unreadable.
const WORTH_KNOWING: u64 = 64 << 20;
/// A connection that brought so many bytes was not in vain, and the next one is the first again.
const PROGRESS: u64 = 1 << 20;
/// Bodies that end too early without an error, one after the other, before the blob itself counts as short.
const SHORT: usize = 3;

/// Held by the one layer that is unpacked with a large window: layers that need one are rare, and wait for each other.
static LARGE_WINDOW: Mutex<()> = Mutex::new(());

/// What all layers of a pull have in common.
#[derive(Debug, Default)]
pub(super) struct Together {
    /// One of them failed.
    pub given_up: AtomicBool,
    /// `None`: each has a limit of its own, or there is none.
    pub budget: Option<Budget>,
}

/// How a layer is tried.
#[derive(Clone, Copy)]
struct How {
    /// What lies there already is used.
    resume: bool,
    window: Window,
}

/// How the bytes of one blob arrive.
struct Receiving<'a> {
    name: &'a Reference,
    blob: &'a Descriptor,
    writer: BlobWriter,
    /// To the worker; taken away when nobody reads it any more.
    pipe: &'a mut Option<File>,
    given_up: &'a AtomicBool,
}

impl Pull<'_> {
    /// Fetches, unpacks and checks one layer, going on where the network failed.
    pub(super) fn fetch(&self, name: &Reference, claimed: &Claimed<'_>, together: &Together) -> Result<Parts> {
        let layer = &claimed.layer.blob.digest;
        let mut begun = std::fs::metadata(claimed.blob_path()).is_ok_and(|metadata| metadata.len() > 0);
        let mut turn = None;
        loop {
            let how =
                How { resume: begun || turn.is_some(), window: turn.as_ref().map_or(Window::Usual, |_| Window::Large) };
            let error = match self.attempt(name, claimed, how, together) {
                Ok(parts) => {
                    self.progress.event(Event::Done { layer });
                    return Ok(parts);
                }
                Err(error) => error,
            };
            match &error {
                Error::Layer { source, .. } if source.about() == About::Window && turn.is_none() => {
                    turn = Some(LARGE_WINDOW.lock().unwrap_or_else(PoisonError::into_inner));
                    continue;
                }
                // What an earlier pull left may be no part of the blob.
                _ if begun && !error.is_of_the_network() => {}
                Error::WrongDigest { .. } | Error::WrongSize { .. } if self.registry.leave(layer) => {}
                _ => return Err(error),
            }
            (begun, turn) = (false, None);
            self.progress.event(Event::Again { layer, from: 0, reason: &error.to_string() });
        }
    }

    fn attempt(&self, name: &Reference, claimed: &Claimed<'_>, how: How, together: &Together) -> Result<Parts> {
        let (Together { given_up, budget }, How { resume, window }) = (together, how);
        let (blob, tmp) = (claimed.layer.blob, &claimed.tmp);
        let diff_id = claimed.layer.diff_id.cloned();
        let mut parts = Parts { diff_id, blob_digest: blob.digest.clone(), blob: None, unpacked: None };
        self.progress.event(Event::Started { layer: &blob.digest, size: blob.size });
        let Some(diff_id) = claimed.layer.diff_id else {
            if !self.is_stored(blob)? {
                parts.blob = Some(self.download(name, claimed, resume, &mut None, given_up)?);
            }
            return Ok(parts);
        };
        let of_layer = |source| Error::Layer { diff_id: diff_id.clone(), source };
        let start = |input| {
            let expected = Some(diff_id.clone());
            let limits = Limits { size: self.max_layer_size, window, ..Limits::default() };
            worker::start_layer(&self.ids, tmp, self.mode(), expected, limits, budget.as_ref(), input).map_err(of_layer)
        };
        // That a layer is here says nothing of this blob, unless it was made from it.
        let known = self.store.layer_record(self.mode(), diff_id).ok().flatten();
        let check = |blob, known: &LayerRecord| stream::check(blob, diff_id, known.tar_size, window).map_err(of_layer);
        let unpacked = if self.is_stored(blob)? {
            let file = self.store.open_blob(&blob.digest)?;
            match &known {
                Some(known) => return check(file, known).map(|()| parts),
                // From another tool, or from a time when this account unpacked in another way.
                None => start(Input::File(file))?.finish().map_err(of_layer)?,
            }
        } else {
            let mut worker = if known.is_some() { None } else { Some(start(Input::Pipe)?) };
            let mut pipe = worker.as_mut().and_then(RunningUnpack::take_input);
            let copied = self.download(name, claimed, resume, &mut pipe, given_up);
            drop(pipe);
            // Whatever happened, the worker has to end before its directory goes.
            let unpacked = worker.map(RunningUnpack::finish);
            match (copied, &unpacked) {
                (Ok(path), _) => parts.blob = Some(path),
                // The pipe broke since the worker gave up, and it knows why.
                (Err(Error::System(error)), Some(Err(_))) if error.errno() == libc::EPIPE => {}
                (Err(error), unpacked) => {
                    if let (Some(Ok(unpacked)), Some(budget)) = (unpacked, budget)
                        && worker::remove_layer(&self.ids, tmp).is_ok()
                    {
                        budget.give_back(unpacked.summary.tar_size);
                    }
                    return Err(error);
                }
            }
            match (unpacked, &known, &parts.blob) {
                (Some(unpacked), ..) => unpacked.map_err(of_layer)?,
                (None, Some(known), Some(path)) => {
                    let file = File::open(path).call_with(|| format!("open({})", path.display()))?;
                    return check(file, known).map(|()| parts);
                }
                (None, ..) => return Ok(parts),
            }
        };
        parts.unpacked = Some(worker::finish_layer(tmp, &unpacked, Some(blob.digest.clone()))?);
        Ok(parts)
    }

    /// Whether the store has the blob: one that the disk has damaged is downloaded again.
    fn is_stored(&self, blob: &Descriptor) -> Result<bool> {
        let Some(size) = self.store.blob_size(&blob.digest) else { return Ok(false) };
        if self.store.hash_blob(&blob.digest)? != blob.digest {
            return Ok(false);
        }
        if size == blob.size { Ok(true) } else { Err(wrong_size(blob, size)) }
    }

    /// Downloads a blob to where it is received; with `resume`, what is there already is used.
    fn download(
        &self,
        name: &Reference,
        claimed: &Claimed<'_>,
        resume: bool,
        pipe: &mut Option<File>,
        given_up: &AtomicBool,
    ) -> Result<PathBuf> {
        let path = claimed.blob_path();
        let writer = if resume { BlobWriter::resume(&path)? } else { BlobWriter::create(&path)? };
        let blob = claimed.layer.blob;
        self.receive(Receiving { name, blob, writer, pipe, given_up }, resume.then_some(&path))
    }

    /// Downloads a blob, checks it, and gives its path. `begun`: where its first bytes lie, which the writer has hashed.
    fn receive(&self, mut receiving: Receiving<'_>, begun: Option<&Path>) -> Result<PathBuf> {
        let blob = receiving.blob;
        let missing = blob.size.saturating_sub(receiving.writer.size());
        let what = format!("layer `{}`", blob.digest);
        has_room(&self.store.layout().tmp(), receiving.name, &what, missing)?;
        if let Some(path) = begun {
            receiving.feed(path)?;
        }
        let (mut attempts, mut short) = (self.registry.attempts(), 0);
        while receiving.writer.size() < blob.size {
            let before = receiving.writer.size();
            let result = self.stream(&mut receiving);
            let size = receiving.writer.size();
            match result {
                Ok(()) if size == before || short == SHORT => break,
                Ok(()) => short += 1,
                // There is nothing behind what came.
                Err(Error::Registry(registry::Error::Status { code: 416, .. })) => break,
                // All is here, whatever else it wanted to send.
                Err(Error::Registry(_)) if size == blob.size => break,
                Err(Error::Registry(error)) => {
                    if size - before >= PROGRESS {
                        attempts = self.registry.attempts();
                    }
                    let Some(pause) = self.registry.again(&blob.digest, &mut attempts, &error) else {
                        return Err(error.into());
                    };
                    let reason = &error.to_string();
                    self.progress.event(Event::Again { layer: &blob.digest, from: size, reason });
                    if !registry::wait(pause, || receiving.given_up.load(Ordering::Relaxed)) {
                        return Err(Error::GivenUp);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if receiving.writer.size() != blob.size {
            return Err(wrong_size(blob, receiving.writer.size()));
        }
        match receiving.writer.finish(&blob.digest) {
            Err(store::Error::WrongDigest { expected, found }) => {
                Err(Error::WrongDigest { what: "layer", expected, found })
            }
            finished => Ok(finished?),
        }
    }

    /// One answer of the registry, from where the file ends.
    fn stream(&self, receiving: &mut Receiving<'_>) -> Result<()> {
        let size = receiving.writer.size();
        let digest = &receiving.blob.digest;
        let mut source = self.registry.blob(receiving.name, digest, size)?;
        // A registry that can send no part sends all, of which the beginning is here.
        let mut known = size.saturating_sub(source.start);
        while let Some(chunk) = source.next_chunk()? {
            if receiving.given_up.load(Ordering::Relaxed) {
                return Err(Error::GivenUp);
            }
            let skipped = known.min(chunk.len() as u64);
            known -= skipped;
            receiving.take(chunk.get(skipped as usize..).unwrap_or_default())?;
            self.progress.event(Event::Received { layer: digest, bytes: receiving.writer.size() });
        }
        Ok(())
    }
}

impl Receiving<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let size = self.writer.size() + bytes.len() as u64;
        if size > self.blob.size {
            return Err(wrong_size(self.blob, size));
        }
        self.pass_on(bytes)?;
        self.writer.write_all(bytes).call("write(blob)")?;
        Ok(())
    }

    /// To the worker, which may have given up.
    fn pass_on(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(writing) = self.pipe
            && let Err(error) = writing.write_all(bytes)
        {
            *self.pipe = None;
            if error.kind() != io::ErrorKind::BrokenPipe || self.blob.size - self.writer.size() > WORTH_KNOWING {
                return Err(sys::Error::new("write(pipe to the worker)", error).into());
            }
        }
        Ok(())
    }

    /// Passes on what lies in the file already.
    fn feed(&mut self, path: &Path) -> Result<()> {
        if self.writer.size() > self.blob.size {
            return Err(wrong_size(self.blob, self.writer.size()));
        }
        let say = || format!("read({})", path.display());
        let mut file = File::open(path).call_with(say)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            let read = file.read(&mut buffer).call_with(say)?;
            match buffer.get(..read) {
                None | Some([]) => return Ok(()),
                Some(bytes) => self.pass_on(bytes)?,
            }
        }
    }
}

fn wrong_size(blob: &Descriptor, found: u64) -> Error {
    Error::WrongSize { what: "layer", digest: blob.digest.clone(), expected: blob.size, found }
}

/// Refuses what can't fit before it is asked for: else an endless answer would fill the disk first.
pub fn has_room(directory: &Path, name: &Reference, what: &str, missing: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(directory).call_with(|| format!("statvfs({})", directory.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    // A ramfs says nothing of its size.
    if missing <= free || disk.f_blocks == 0 {
        return Ok(());
    }
    let what = format!("`{name}`: {what} takes {missing} bytes, and {free} are free");
    Err(sys::Error::new(what, io::Error::from_raw_os_error(libc::ENOSPC)).into())
}
