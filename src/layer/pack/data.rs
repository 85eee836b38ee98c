//! The data of a file: all of it, or, where much of it is holes, a map and the pieces (GNU tar manual, "Storing Sparse Files",
//! PAX format 1.0, which every engine reads).

use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;

use rustix::fs::{SeekFrom, Stat};
use rustix::io::Errno;

use super::super::sparse::{self, Piece};
use super::header::BLOCK;
use crate::host::fault;
use crate::sys::{self, Call};

/// Holes of less in all are written as zeros, which compress well and which older readers understand.
const HOLES: u64 = 1 << 20;

const BUFFER: usize = 256 << 10;

#[derive(Debug)]
pub enum Error {
    Read(sys::Error),
    Write(io::Error),
}

/// What is written of a file.
#[derive(Debug)]
pub struct Content {
    size: u64,
    pieces: Vec<Piece>,
    /// The map that stands before the data, in whole blocks; empty: there is one piece, the file.
    map: Vec<u8>,
}

impl Content {
    /// Looks where the data of an open regular file are.
    pub fn of(file: BorrowedFd<'_>, stat: &Stat) -> sys::Result<Self> {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let stored = u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
        let whole = Self { size, pieces: vec![(0, size)], map: Vec::new() };
        if stored.saturating_add(HOLES) > size {
            return Ok(whole);
        }
        Ok(match pieces(file, size)? {
            Some(pieces) => Self { size, map: map(&pieces), pieces },
            None => whole,
        })
    }

    /// Bytes behind the header, without what fills the last block.
    pub fn packed_size(&self) -> u64 {
        self.map.len() as u64 + self.pieces.iter().map(|(_, length)| length).sum::<u64>()
    }

    /// The file's size, if a map is written.
    pub fn sparse_size(&self) -> Option<u64> {
        (!self.map.is_empty()).then_some(self.size)
    }

    /// Writes exactly what [`Content::packed_size`] promised, and fills the last block.
    pub fn write(&self, file: BorrowedFd<'_>, buffer: &mut [u8], out: &mut impl Write) -> Result<(), Error> {
        out.write_all(&self.map).map_err(Error::Write)?;
        for (offset, length) in &self.pieces {
            copy(file, (*offset, *length), buffer, out)?;
        }
        let rest = (self.packed_size() % BLOCK as u64) as usize;
        let padding = if rest == 0 { 0 } else { BLOCK - rest };
        out.write_all([0; BLOCK].get(..padding).unwrap_or_default()).map_err(Error::Write)
    }
}

/// What [`Content::write`] copies through.
pub fn buffer() -> Vec<u8> {
    vec![0; BUFFER]
}

/// `None`: the file system does not tell, or there are too many.
fn pieces(file: BorrowedFd<'_>, size: u64) -> sys::Result<Option<Vec<Piece>>> {
    let mut pieces = Vec::new();
    let mut end = 0;
    while end < size {
        let start = match rustix::fs::seek(file, SeekFrom::Data(end)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(None),
            Err(error) => return Err(sys::Error::new("lseek(SEEK_DATA)", error)),
        };
        if start >= size {
            break;
        }
        end = match rustix::fs::seek(file, SeekFrom::Hole(start)) {
            Err(Errno::NXIO) => break,
            hole => hole.call("lseek(SEEK_HOLE)")?.min(size),
        };
        pieces.push((start, end - start));
        if pieces.len() >= sparse::LIMIT {
            return Ok(None);
        }
    }
    // The end of the file is told by a piece of nothing.
    if pieces.last().is_none_or(|(start, length)| start + length < size) {
        pieces.push((size, 0));
    }
    Ok(Some(pieces))
}

/// Decimal numbers, one a line, the count first.
fn map(pieces: &[Piece]) -> Vec<u8> {
    let mut text = format!("{}\n", pieces.len());
    for (offset, length) in pieces {
        // Writing to a String can't fail.
        let _ = write!(text, "{offset}\n{length}\n");
    }
    let mut bytes = text.into_bytes();
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn copy(
    file: BorrowedFd<'_>,
    (mut place, mut left): Piece,
    buffer: &mut [u8],
    out: &mut impl Write,
) -> Result<(), Error> {
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..most) else { break };
        let count = match rustix::io::pread(file, &mut *room, place) {
            // It has become shorter.
            Ok(0) => {
                room.fill(0);
                most
            }
            Ok(count) => count,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(Error::Read(sys::Error::new("pread", error))),
        };
        fault::one_of_many("pack: data").map_err(Error::Write)?;
        out.write_all(room.get(..count).unwrap_or_default()).map_err(Error::Write)?;
        place += count as u64;
        left -= count as u64;
    }
    Ok(())
}
