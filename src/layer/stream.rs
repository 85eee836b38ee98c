//! The pipeline before the unpacker: one thread decompresses, one hashes, the caller unpacks what went through both.
//!
//! Buffers go round in a ring, so memory is bounded and nothing is copied on the way: decompress fills one, the hash reads
//! it, the caller consumes it and gives it back. There is a limit to what is decompressed: a few kilobytes may stand for
//! terabytes.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use super::budget::Share;
use super::compression::{self, Window};
use super::{Error, Result};
use crate::oci::Digest;

const BUFFER: usize = 256 << 10;
/// Buffers in the ring: 1.5 MiB in all, as three layers are read at once.
const BUFFERS: usize = 6;

type Piece = io::Result<Vec<u8>>;

/// How many plain bytes may come.
#[derive(Debug)]
pub enum Limit {
    /// So many.
    Of(u64),
    /// As many as the layers of an image have left together, of so many.
    Shared(Share, u64),
}

impl Limit {
    fn take(&mut self, left: &mut u64, bytes: u64) -> io::Result<()> {
        match self {
            Self::Of(limit) => *left = left.checked_sub(bytes).ok_or_else(|| too_large(*limit))?,
            Self::Shared(share, size) => {
                if !share.take(bytes) {
                    return Err(too_large(*size));
                }
            }
        }
        Ok(())
    }
}

/// The plain bytes of a compressed stream, being hashed. Reads in the caller's thread; never copies.
#[derive(Debug)]
pub struct HashedStream {
    pieces: Receiver<Piece>,
    used: Sender<Vec<u8>>,
    current: Vec<u8>,
    place: usize,
    ended: bool,
    hash: JoinHandle<[u8; 32]>,
}

impl HashedStream {
    /// Starts two threads on `source`. More plain bytes than the limit are an error of the kind `FileTooLarge`.
    pub fn start(source: impl Read + Send + 'static, limit: Limit, window: Window) -> io::Result<Self> {
        let (used, empty) = channel();
        for _ in 0..BUFFERS {
            // The receiver is alive: it is handed to the thread below.
            let _ = used.send(Vec::new());
        }
        let (to_hash, plain) = sync_channel(BUFFERS);
        let (hashed, pieces) = sync_channel(BUFFERS);
        let builder = |name: &str| thread::Builder::new().name(name.to_owned());
        builder("decompress").spawn(move || decompress(source, (limit, window), &empty, &to_hash))?;
        let hash = builder("hash").spawn(move || hash(&plain, &hashed))?;
        Ok(Self { pieces, used, current: Vec::new(), place: 0, ended: false, hash })
    }

    /// The digest of all bytes. Read to the end first: else it is that of a part.
    pub fn digest(self) -> io::Result<Digest> {
        drop(self.pieces);
        drop(self.used);
        let bytes = self.hash.join().map_err(|_| io::Error::other("the hashing thread failed"))?;
        Ok(Digest::from_sha256(bytes))
    }
}

/// Whether a compressed blob holds the layer of this diff id, of which so many plain bytes are known. Few more are read.
pub fn check(blob: File, diff_id: &Digest, size: u64, window: Window) -> Result<()> {
    let mut stream = HashedStream::start(blob, Limit::Of(u64::MAX), window)?;
    io::copy(&mut stream.by_ref().take(size.saturating_add(1)), &mut io::sink()).map_err(Error::Read)?;
    let found = stream.digest()?;
    if found == *diff_id { Ok(()) } else { Err(Error::WrongDiffId { expected: diff_id.clone(), found }) }
}

impl BufRead for HashedStream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.place >= self.current.len() && !self.ended {
            // The threads may have ended: then nobody needs the buffer.
            let _ = self.used.send(std::mem::take(&mut self.current));
            self.place = 0;
            match self.pieces.recv() {
                Ok(Ok(piece)) => self.current = piece,
                Ok(Err(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                Err(_) => self.ended = true,
            }
        }
        Ok(self.current.get(self.place..).unwrap_or_default())
    }

    fn consume(&mut self, used: usize) {
        self.place += used;
    }
}

impl Read for HashedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// Ends at the end of the source, after an error, or when nobody listens any more.
fn decompress(
    source: impl Read + Send,
    (mut limit, window): (Limit, Window),
    empty: &Receiver<Vec<u8>>,
    to_hash: &SyncSender<Piece>,
) {
    let mut plain = match compression::plain(source, window) {
        Ok(plain) => plain,
        Err(error) => {
            let _ = to_hash.send(Err(error));
            return;
        }
    };
    let mut left = if let Limit::Of(limit) = limit { limit } else { 0 };
    while let Ok(mut buffer) = empty.recv() {
        buffer.resize(BUFFER, 0);
        let mut filled = 0;
        let failure = loop {
            match buffer.get_mut(filled..).filter(|rest| !rest.is_empty()).map(|rest| plain.read(rest)) {
                None | Some(Ok(0)) => break None,
                Some(Ok(read)) => filled += read,
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Some(Err(error)) => break Some(error),
            }
        };
        let ended = filled < BUFFER;
        buffer.truncate(filled);
        let failure = failure.or_else(|| limit.take(&mut left, filled as u64).err());
        if filled > 0 && to_hash.send(Ok(buffer)).is_err() {
            return;
        }
        if let Some(error) = failure {
            let _ = to_hash.send(Err(error));
            return;
        }
        if ended {
            return;
        }
    }
}

/// Plain bytes, of which more than a limit are an error of the kind `FileTooLarge`.
#[derive(Debug)]
pub struct Limited<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R: Read> Limited<R> {
    pub fn new(inner: R, limit: u64) -> Self {
        Self { inner, limit, left: limit }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| too_large(self.limit))?;
        Ok(count)
    }
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it unpacks to more than {limit} bytes"))
}

fn hash(plain: &Receiver<Piece>, hashed: &SyncSender<Piece>) -> [u8; 32] {
    let mut state = Sha256::new();
    while let Ok(piece) = plain.recv() {
        if let Ok(bytes) = &piece {
            state.update(bytes);
        }
        if hashed.send(piece).is_err() {
            break;
        }
    }
    state.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_and_hashed_once() {
        let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let packed = zstd::encode_all(bytes.as_slice(), 1).unwrap();
        let mut stream = HashedStream::start(io::Cursor::new(packed), Limit::Of(12_000_000), Window::Usual).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert!(all == bytes);
        assert_eq!(stream.digest().unwrap(), Digest::of(&bytes));
    }

    #[test]
    fn an_error_of_the_source_arrives() {
        let packed = zstd::encode_all([1_u8; 1000].as_slice(), 1).unwrap();
        let cut = packed[..packed.len() - 1].to_vec();
        let mut stream = HashedStream::start(io::Cursor::new(cut), Limit::Of(1000), Window::Usual).unwrap();
        assert!(stream.read_to_end(&mut Vec::new()).is_err());
        // Given up in the middle: the threads end.
        let stream = HashedStream::start(io::repeat(1), Limit::Of(u64::MAX), Window::Usual).unwrap();
        stream.digest().unwrap();
    }
    /// Two bombs, of a megabyte of ones to the gigabyte: the end comes at the limit, not at the end.
    #[test]
    fn a_bomb_ends_at_the_limit() {
        let ones = || io::repeat(1).take(1 << 30);
        let zstd = zstd::encode_all(ones(), 1).unwrap();
        let mut gzip = Vec::new();
        flate2::read::GzEncoder::new(ones(), flate2::Compression::fast()).read_to_end(&mut gzip).unwrap();
        for (bomb, limit) in [(zstd, 10_000_000), (gzip, 1_000_000)] {
            let mut stream = HashedStream::start(io::Cursor::new(bomb), Limit::Of(limit), Window::Usual).unwrap();
            let mut read = 0;
            let error = loop {
                match stream.fill_buf() {
                    Ok(piece) => read += piece.len() as u64,
                    Err(error) => break error,
                }
                let length = stream.current.len();
                stream.consume(length);
            };
            assert!(
                error.kind() == io::ErrorKind::FileTooLarge && error.to_string().contains(&limit.to_string()),
                "{error}"
            );
            assert!(read < limit + 2 * BUFFER as u64, "{read} bytes");
        }
    }
}
