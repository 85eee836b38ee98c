//! Compressing a layer in another way than its blob is.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;

use crate::image::Result;
use crate::layer::compression::{Window, plain};
use crate::oci::{Compression, Digest};
use crate::store::Tmp;
use crate::store::blobs::BlobWriter;
use crate::sys::{self, Call};

/// How layers are to be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub compression: Compression,
    /// Of the format: 1 to 9 for gzip, 1 to 20 for zstd.
    pub level: Option<i32>,
    /// Also where the registry has the layer as it is.
    pub force: bool,
}

impl Wanted {
    /// Two that are called the same make the same of the same bytes.
    pub(super) fn name(&self) -> String {
        format!("{:?} {}", self.compression, self.level())
    }

    fn level(&self) -> i32 {
        self.level.unwrap_or(match self.compression {
            Compression::Gzip => GZIP_LEVEL,
            Compression::Zstd => ZSTD_LEVEL,
            Compression::None => 0,
        })
    }
}

/// What each format's own tools take where nothing is said.
const GZIP_LEVEL: i32 = 5;
const ZSTD_LEVEL: i32 = 3;

/// Compresses the blob of a layer anew into `tmp`, under its own name: the path, the digest and the size of what came out.
pub(super) fn compress(blob: &Path, wanted: Wanted, tmp: &Tmp) -> Result<(PathBuf, Digest, u64)> {
    let path = tmp.path().join(blob.file_name().unwrap_or_default());
    let out = BlobWriter::create(&path)?;
    let read = |error: io::Error| sys::Error::new(format!("read({})", blob.display()), error);
    let tar = plain(File::open(blob).map_err(read)?, Window::default()).map_err(read)?;
    let level = wanted.level();
    let written = match wanted.compression {
        Compression::Gzip => {
            let encoder = GzEncoder::new(out, flate2::Compression::new(level.unsigned_abs()));
            copy(tar, encoder, GzEncoder::finish)
        }
        Compression::Zstd => {
            zstd::Encoder::new(out, level).and_then(|encoder| copy(tar, encoder, zstd::Encoder::finish))
        }
        Compression::None => copy(tar, out, Ok),
    };
    Ok(written.call_with(|| format!("write({})", path.display()))?.seal())
}

fn copy<W: Write>(
    mut from: impl io::Read,
    mut to: W,
    finish: impl FnOnce(W) -> io::Result<BlobWriter>,
) -> io::Result<BlobWriter> {
    io::copy(&mut from, &mut to)?;
    finish(to)
}
