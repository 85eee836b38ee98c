//! One layer: its bytes go to the blob file and, through a pipe, to the worker that unpacks them, both at once.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::progress::Event;
use super::{Missing, Pull};
use crate::image::{Error, Result};
use crate::layer::worker::{self, Input, RunningUnpack};
use crate::oci::{Descriptor, Digest, Reference};
use crate::registry;
use crate::store::blobs::BlobWriter;
use crate::store::{self, Tmp};
use crate::sys::{self, Call};

/// A layer's parts under `tmp/`, complete and checked. `None`: the store has that part already.
#[derive(Debug)]
pub(super) struct Parts {
    pub diff_id: Digest,
    pub blob_digest: Digest,
    pub blob: Option<PathBuf>,
    pub unpacked: Option<PathBuf>,
}

/// So much more is downloaded after the worker has given up: a damaged blob is then called damaged, not unreadable.
const WORTH_KNOWING: u64 = 64 << 20;

impl Pull<'_> {
    /// Fetches, unpacks and checks one layer, trying again where the network failed.
    pub(super) fn fetch(
        &self,
        name: &Reference,
        layer: &Missing<'_>,
        tmp: &Tmp,
        given_up: &AtomicBool,
    ) -> Result<Parts> {
        let digest = &layer.blob.digest;
        let parts = registry::retry(
            || self.attempt(name, layer, tmp, given_up),
            |error| error.is_transient() && !given_up.load(Ordering::Relaxed),
            |error| self.progress.event(Event::Again { layer: digest, reason: &error.to_string() }),
        )?;
        self.progress.event(Event::Done { layer: digest });
        Ok(parts)
    }

    fn attempt(&self, name: &Reference, layer: &Missing<'_>, tmp: &Tmp, given_up: &AtomicBool) -> Result<Parts> {
        let (blob, diff_id) = (layer.blob, layer.diff_id);
        let of_layer = |source| Error::Layer { diff_id: diff_id.clone(), source };
        let mut parts =
            Parts { diff_id: diff_id.clone(), blob_digest: blob.digest.clone(), blob: None, unpacked: None };
        self.progress.event(Event::Started { layer: &blob.digest, size: blob.size });
        let start =
            |input| worker::start_layer(&self.ids, tmp, self.mode(), Some(diff_id.clone()), input).map_err(of_layer);
        let unpacked = if self.store.has_blob(&blob.digest) {
            // From another tool, or from a time when this account unpacked in another way.
            start(Input::File(self.store.open_blob(&blob.digest)?))?.finish().map_err(of_layer)?
        } else {
            let present = self.store.has_layer(self.mode(), diff_id);
            let mut worker = if present { None } else { Some(start(Input::Pipe)?) };
            let mut pipe = worker.as_mut().and_then(RunningUnpack::take_input);
            let copied = self.receive(name, blob, tmp, &mut pipe, given_up);
            drop(pipe);
            // Whatever happened, the worker has to end before its directory goes.
            let unpacked = worker.map(RunningUnpack::finish);
            match (copied, &unpacked) {
                (Ok(path), _) => parts.blob = Some(path),
                // The pipe broke since the worker gave up, and it knows why.
                (Err(Error::System(error)), Some(Err(_))) if error.errno() == libc::EPIPE => {}
                (Err(error), _) => return Err(error),
            }
            match unpacked {
                Some(unpacked) => unpacked.map_err(of_layer)?,
                None => return Ok(parts),
            }
        };
        parts.unpacked = Some(worker::finish_layer(tmp, &unpacked, Some(blob.digest.clone()))?);
        Ok(parts)
    }

    /// Downloads a blob, checks it, and gives its path under `tmp/`. What comes is written to `pipe` too, which is taken away
    /// when nobody reads it any more.
    fn receive(
        &self,
        name: &Reference,
        blob: &Descriptor,
        tmp: &Tmp,
        pipe: &mut Option<File>,
        given_up: &AtomicBool,
    ) -> Result<PathBuf> {
        let mut source = self.registry.blob(name, &blob.digest)?;
        let path = tmp.path().join("blob");
        let mut writer = BlobWriter::create(&path)?;
        while let Some(chunk) = source.next_chunk()? {
            if given_up.load(Ordering::Relaxed) {
                return Err(Error::GivenUp);
            }
            if writer.size() + chunk.len() as u64 > blob.size {
                return Err(wrong_size(blob, writer.size() + chunk.len() as u64));
            }
            if let Some(writing) = pipe
                && let Err(error) = writing.write_all(&chunk)
            {
                *pipe = None;
                if error.kind() != io::ErrorKind::BrokenPipe || blob.size - writer.size() > WORTH_KNOWING {
                    return Err(sys::Error::new("write(pipe to the worker)", error).into());
                }
            }
            writer.write_all(&chunk).call_with(|| format!("write({})", path.display()))?;
            self.progress.event(Event::Received { layer: &blob.digest, bytes: writer.size() });
        }
        if writer.size() != blob.size {
            return Err(wrong_size(blob, writer.size()));
        }
        match writer.finish(&blob.digest) {
            Err(store::Error::WrongDigest { expected, found }) => {
                Err(Error::WrongDigest { what: "layer", expected, found })
            }
            finished => Ok(finished?),
        }
    }
}

fn wrong_size(blob: &Descriptor, found: u64) -> Error {
    Error::WrongSize { what: "layer", digest: blob.digest.clone(), expected: blob.size, found }
}
