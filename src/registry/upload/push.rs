//! One blob to a registry, whole: where a connection breaks, the upload goes on from what the registry has.
//!
//! What is read is hashed on its way, and the last part goes only if all of them have the digest that the blob is called by: what
//! a disk has lost is never pushed under the name of what it was.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::Upload;
use crate::oci::{Digest, Reference};
use crate::registry::{Client, Error, Registry, Result, wait};

/// Of a blob, in one request: more than the 5 MiB that some registries want at least, less than the most that any takes.
const PART: u64 = 8 << 20;

/// A blob that is to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    pub path: PathBuf,
}

/// What is known of a blob on its way.
struct Sending<'a> {
    client: &'a Client,
    to: &'a Reference,
    blob: &'a Outgoing,
    file: File,
    hash: Sha256,
    /// So many bytes of the file.
    hashed: u64,
    /// As far as the registry has told.
    upload: Option<Upload>,
    /// An attempt failed, so the registry may have more.
    broken: bool,
}

impl Client {
    /// Whether the repository of `to` has this blob.
    pub fn has_blob(&self, to: &Reference, digest: &Digest, size: u64) -> Result<bool> {
        // Not every registry tells the size.
        Ok(self.blob_size(to, digest)?.is_some_and(|found| found == size || found == 0))
    }

    /// Sends a blob to the repository of `to`, into the upload `begun` if there is one, until `given_up`. `told` hears how many
    /// bytes are there.
    pub fn push_blob(
        &self,
        to: &Reference,
        blob: &Outgoing,
        begun: Option<Upload>,
        told: &dyn Fn(u64),
        given_up: &dyn Fn() -> bool,
    ) -> Result<()> {
        let file = File::open(&blob.path).map_err(|error| unreadable(blob, &error))?;
        let (hash, hashed) = (Sha256::new(), 0);
        let mut sending = Sending { client: self, to, blob, file, hash, hashed, upload: begun, broken: false };
        let (mut attempts, mut furthest) = (self.attempts(), 0);
        loop {
            let error = match sending.attempt(told) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            sending.broken = true;
            let offset = sending.upload.as_ref().map_or(0, |upload| upload.offset);
            if offset > furthest {
                // A long way may break more often than a short one.
                (attempts, furthest) = (self.attempts(), offset);
            }
            if !attempts.another(&error).is_some_and(|pause| wait(pause, given_up)) {
                return Err(error);
            }
        }
    }
}

impl Sending<'_> {
    fn attempt(&mut self, told: &dyn Fn(u64)) -> Result<()> {
        let Some(mut upload) = self.place()? else { return Ok(()) };
        let resumed = self.broken && upload.offset > 0;
        self.upload = Some(upload.clone());
        let size = self.blob.size;
        while upload.offset < size {
            let part = self.part(upload.offset)?;
            let next = self.client.send_part(&upload, Bytes::from(part)).map_err(out_of_step)?;
            if next.offset <= upload.offset || next.offset > size {
                return Err(self.client.protocol("it takes parts of a blob and does not keep them"));
            }
            told(next.offset);
            upload = next;
            self.upload = Some(upload.clone());
        }
        match self.client.finish_upload(&upload, &self.blob.digest) {
            // It had other bytes from before the break than it told.
            Err(Error::Status { registry, code: 400..=499, message, .. }) if resumed => {
                self.upload = None;
                Err(Error::Broken { registry, cause: message })
            }
            finished => finished,
        }
    }

    /// The bytes from `offset` on. The last ones only if the blob is what it is called.
    fn part(&mut self, offset: u64) -> Result<Vec<u8>> {
        let Outgoing { digest, size, path } = self.blob;
        let read = |from: u64| {
            let mut part = vec![0; usize::try_from(PART.min(size - from)).unwrap_or_default()];
            self.file.read_exact_at(&mut part, from).map_err(|error| unreadable(self.blob, &error)).map(|()| part)
        };
        let part = read(offset)?;
        let end = offset + part.len() as u64;
        while self.hashed < end {
            // An upload may go on behind what was read.
            let piece = if self.hashed < offset { &read(self.hashed)? } else { &part };
            let from = if self.hashed < offset { self.hashed } else { offset };
            let new = piece.get(usize::try_from(self.hashed - from).unwrap_or_default()..).unwrap_or_default();
            self.hash.update(new);
            self.hashed += new.len() as u64;
        }
        if end == *size {
            let found = Digest::from_sha256(self.hash.clone().finalize().into());
            if found != *digest {
                return Err(Error::Rotten { digest: digest.clone(), path: path.clone(), found });
            }
        }
        Ok(part)
    }

    /// Where to go on. `None`: the blob is there, and only the answer was lost.
    fn place(&self) -> Result<Option<Upload>> {
        let start = || self.client.start_upload(self.to).map(Some);
        let Some(upload) = &self.upload else { return start() };
        if !self.broken {
            return Ok(Some(upload.clone()));
        }
        match self.client.upload_state(upload) {
            Ok(state) if state.offset <= self.blob.size => Ok(Some(state)),
            Err(Error::NotFound { .. }) => {
                let there = self.client.has_blob(self.to, &self.blob.digest, self.blob.size)?;
                if there { Ok(None) } else { start() }
            }
            Ok(_) => start(),
            Err(error) => Err(error),
        }
    }
}

/// A part that begins elsewhere than the registry's bytes end (416): it is asked where they do.
fn out_of_step(error: Error) -> Error {
    match error {
        Error::Status { registry, code: 416, message, .. } => Error::Broken { registry, cause: message },
        error => error,
    }
}

fn unreadable(blob: &Outgoing, error: &io::Error) -> Error {
    Error::File { path: blob.path.clone(), cause: error.to_string() }
}
