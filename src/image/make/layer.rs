//! A new layer: what a worker packs, or what an archive holds, goes at the same time to a blob and through another worker to the
//! layer's files, so that an image runs as soon as it is made.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use flate2::write::GzEncoder;

use crate::host::subid::IdMaps;
use crate::image::{Error, Result};
use crate::layer::compression::{self, Packing};
use crate::layer::pack::Form;
use crate::layer::read::{self, Tree};
use crate::layer::worker::{self, Input, Limits};
use crate::oci::media_type::Format;
use crate::oci::{Compression, Descriptor, Digest};
use crate::store::blobs::BlobWriter;
use crate::store::layers::Mode;
use crate::store::{Commit, Store, Tmp};
use crate::sys::Call;

/// Of 230 MB of programs and libraries, level 1 makes 104 in 1.6 s, level 4 makes 82 in 3.3, level 6 (gzip's own) 80 in 4.1.
pub const LEVEL: u32 = 4;
const PIECE: usize = 256 << 10;

/// A layer that nobody sees yet.
#[derive(Debug)]
pub struct NewLayer {
    /// Ours until all is visible.
    _tmp: Tmp,
    pub(super) mode: Mode,
    pub(super) diff_id: Digest,
    /// Of the compressed bytes.
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) compression: Compression,
    pub(super) blob: PathBuf,
    pub(super) unpacked: PathBuf,
}

impl NewLayer {
    /// Packs a tree, without the paths in `leave_out`. The files of the layer are kept in `mode`.
    pub fn pack(store: &Store, ids: &IdMaps, mode: Mode, tree: &Tree, form: Form, leave_out: &[&str]) -> Result<Self> {
        Self::make(store, ids, mode, |tmp| Parts::pack(ids, mode, tmp, tree, form, leave_out))
    }

    /// Reads a tar archive, which stays as it is if it is compressed.
    pub fn read(store: &Store, ids: &IdMaps, mode: Mode, archive: File, limits: Limits) -> Result<Self> {
        Self::make(store, ids, mode, |tmp| Parts::read(ids, mode, tmp, archive, limits))
    }

    fn make(store: &Store, ids: &IdMaps, mode: Mode, parts: impl FnOnce(&Tmp) -> Result<Parts>) -> Result<Self> {
        let tmp = store.tmp_dir()?;
        match parts(&tmp) {
            Ok(Parts { diff_id, digest, size, compression, blob, unpacked }) => {
                Ok(Self { _tmp: tmp, mode, diff_id, digest, size, compression, blob, unpacked })
            }
            Err(error) => {
                // The first failure is what the user must know; what can't be removed now, the next sweep meets.
                let _ = worker::remove_tmp(ids, tmp);
                Err(error)
            }
        }
    }

    pub fn diff_id(&self) -> &Digest {
        &self.diff_id
    }

    pub(super) fn descriptor(&self, format: Format) -> Descriptor {
        Descriptor::new(format.layer(self.compression), self.digest.clone(), self.size)
    }

    pub(super) fn join(&self, commit: &mut Commit<'_>) {
        commit.layer(self.unpacked.clone(), self.mode, &self.diff_id);
        commit.blob(self.blob.clone(), &self.digest);
    }

    /// Removes what was not needed: the store has such a layer already.
    pub(super) fn clear(self, ids: &IdMaps) {
        let _ = worker::remove_tree_as_root(ids, &self.unpacked);
    }
}

struct Parts {
    diff_id: Digest,
    digest: Digest,
    size: u64,
    compression: Compression,
    blob: PathBuf,
    unpacked: PathBuf,
}

impl Parts {
    fn pack(ids: &IdMaps, mode: Mode, tmp: &Tmp, tree: &Tree, form: Form, leave_out: &[&str]) -> Result<Self> {
        let mut unpacking =
            worker::start_layer(ids, tmp, mode, None, Limits::default(), None, Input::Pipe).map_err(Error::Pack)?;
        let mut files = unpacking.take_input();
        let (tar, out) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call("pipe2")?;
        let packing = read::start_pack(ids, tree, form, leave_out, out.as_fd()).map_err(Error::Pack)?;
        drop(out);
        let path = tmp.path().join("blob");
        let mut blob = GzEncoder::new(BlobWriter::create(&path)?, flate2::Compression::new(LEVEL));
        let copied =
            copy(&mut File::from(tar), &mut files, &mut blob).call_with(|| format!("write({})", path.display()));
        drop(files);
        // Whatever happened, the workers have to end before their directory goes.
        let (packed, unpacked) = (packing.finish(), unpacking.finish());
        // Who gave up first knows why: the other one's stream was cut.
        let unpacked = match copied? {
            Copied::All => packed.and(unpacked),
            Copied::Part => unpacked.and_then(|unpacked| packed.map(|_| unpacked)),
        };
        let unpacked = unpacked.map_err(Error::Pack)?;
        let (blob, digest, size) = blob.finish().call_with(|| format!("write({})", path.display()))?.seal();
        let directory = worker::finish_layer(tmp, &unpacked, Some(digest.clone()))?;
        let (diff_id, compression, unpacked) = (unpacked.diff_id, Compression::Gzip, directory);
        Ok(Self { diff_id, digest, size, compression, blob, unpacked })
    }

    fn read(ids: &IdMaps, mode: Mode, tmp: &Tmp, archive: File, limits: Limits) -> Result<Self> {
        let unreadable = |error| Error::Pack(crate::layer::Error::Read(error));
        let (packing, archive) = compression::peek(archive).map_err(unreadable)?;
        let (mut archive, kept): (Box<dyn Read>, _) = match packing {
            Packing::Gzip => (Box::new(archive), Some(Compression::Gzip)),
            Packing::Zstd => (Box::new(archive), Some(Compression::Zstd)),
            // No layer has another form.
            packing => (compression::unpack(packing, archive).map_err(unreadable)?, None),
        };
        let mut unpacking =
            worker::start_layer(ids, tmp, mode, None, limits, None, Input::Pipe).map_err(Error::Pack)?;
        let mut files = unpacking.take_input();
        let path = tmp.path().join("blob");
        let say = || format!("write({})", path.display());
        let mut blob = BlobWriter::create(&path)?;
        let (copied, blob) = match kept {
            Some(_) => (copy(&mut archive, &mut files, &mut blob), Ok(blob)),
            None => {
                let mut packed = GzEncoder::new(blob, flate2::Compression::new(LEVEL));
                (copy(&mut archive, &mut files, &mut packed), packed.finish())
            }
        };
        let compression = kept.unwrap_or(Compression::Gzip);
        drop(files);
        // Whatever happened, the worker has to end before its directory goes; and it knows what is wrong with the archive.
        let unpacked = unpacking.finish().map_err(Error::Pack);
        match copied {
            // It is no call that failed, but what takes the archive apart.
            Err(error) if error.raw_os_error().is_none() => return Err(unreadable(error)),
            copied => copied.call_with(say)?,
        };
        let unpacked = unpacked?;
        let (blob, digest, size) = blob.call_with(say)?.seal();
        let directory = worker::finish_layer(tmp, &unpacked, Some(digest.clone()))?;
        let (diff_id, unpacked) = (unpacked.diff_id, directory);
        Ok(Self { diff_id, digest, size, compression, blob, unpacked })
    }
}

enum Copied {
    All,
    /// The unpacker has given up.
    Part,
}

/// Copies `tar` to both.
fn copy(tar: &mut impl Read, files: &mut Option<File>, blob: &mut impl Write) -> io::Result<Copied> {
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match tar.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else {
            return Ok(Copied::All);
        };
        if let Some(Err(_)) = files.as_mut().map(|files| files.write_all(piece)) {
            return Ok(Copied::Part);
        }
        blob.write_all(piece)?;
    }
}
