//! The data of a file: from the stream to where it is to lie.

use std::io::BufRead;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::super::sparse::Piece;
use super::super::tar_stream::{Entry, TarStream};
use super::super::{Problem, shown};
use super::Failure;
use crate::host::fault;
use crate::sys::Call;

/// A run of zeros of this length becomes a hole.
const HOLE: usize = 64 << 10;

/// Writes the data of the current entry into its file, which is empty.
pub(in crate::layer) fn write<R: BufRead>(
    file: BorrowedFd<'_>,
    stream: &mut TarStream<R>,
    entry: &Entry,
    name: &[u8],
) -> Result<(), Failure> {
    let Some(pieces) = &entry.sparse else { return copy(file, stream, (0, entry.size), name) };
    for piece in pieces {
        copy(file, stream, *piece, name)?;
    }
    Ok(rustix::fs::ftruncate(file, entry.size).call_with(|| say("ftruncate", name))?)
}

/// Copies `length` bytes of the entry's data to `offset`, leaving holes for long runs of zeros.
fn copy<R: BufRead>(
    file: BorrowedFd<'_>,
    stream: &mut TarStream<R>,
    (offset, length): Piece,
    name: &[u8],
) -> Result<(), Failure> {
    let mut place = offset;
    let end = offset.saturating_add(length);
    let mut written = offset;
    while place < end {
        let piece = stream.data().map_err(Failure::Stream)?;
        let most = usize::try_from(end - place).unwrap_or(usize::MAX);
        let piece = piece.get(..most).unwrap_or(piece);
        let used = piece.len();
        if used == 0 {
            return Err(Problem::Malformed("its data is shorter than its size".into()).into());
        }
        fault::one_of_many("data: write").call_with(|| say("pwrite", name))?;
        if let Some(last) = write_piece(file, place, piece).call_with(|| say("pwrite", name))? {
            written = last;
        }
        stream.consume(used);
        place += used as u64;
    }
    if written < end {
        rustix::fs::ftruncate(file, end).call_with(|| say("ftruncate", name))?;
    }
    Ok(())
}

/// Writes all but the blocks of zeros; tells the end of the last write.
fn write_piece(file: BorrowedFd<'_>, place: u64, piece: &[u8]) -> rustix::io::Result<Option<u64>> {
    let mut last = None;
    let mut start = 0;
    let mut pending = 0;
    for block in piece.chunks(HOLE) {
        if block.len() == HOLE && block.first() == Some(&0) && block.iter().all(|byte| *byte == 0) {
            if pending > start {
                last = Some(write_all(file, place + start as u64, piece.get(start..pending).unwrap_or_default())?);
            }
            start = pending + HOLE;
            pending = start;
        } else {
            pending += block.len();
        }
    }
    if pending > start {
        last = Some(write_all(file, place + start as u64, piece.get(start..pending).unwrap_or_default())?);
    }
    Ok(last)
}

fn write_all(file: BorrowedFd<'_>, mut place: u64, mut bytes: &[u8]) -> rustix::io::Result<u64> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(file, bytes, place) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                place += written as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(place)
}

fn say(call: &str, name: &[u8]) -> String {
    format!("{call}({})", shown(name))
}
