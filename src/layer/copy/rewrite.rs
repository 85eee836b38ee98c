//! From one tar stream to another: what a build copies from another image, under other names and with other modes.

use std::io::{BufRead, Write};

use tar::EntryType;

use super::super::pack::header::{BLOCK, Header};
use super::super::tar_stream::{Entry, Kind, TarStream};
use crate::layer::{Error, Result};

/// Copies the entries for which `change` says so, as it changes them: path, mode and owner.
/// Tells how many.
pub fn rewrite(source: impl BufRead, mut out: impl Write, mut change: impl FnMut(&mut Entry) -> bool) -> Result<u64> {
    let mut stream = TarStream::new(source);
    let mut written = 0;
    while let Some(mut entry) = stream.next_entry()? {
        if !change(&mut entry) {
            continue;
        }
        let size = if entry.kind == Kind::File { entry.size } else { 0 };
        out.write_all(&header(&entry, size)?.encode()).map_err(Error::Write)?;
        if size > 0 {
            data(&mut stream, &entry, &mut out)?;
            let padding = size.next_multiple_of(BLOCK as u64) - size;
            out.write_all(&[0; BLOCK][..padding as usize]).map_err(Error::Write)?;
        }
        written += 1;
    }
    out.write_all(&[0; 2 * BLOCK]).map_err(Error::Write)?;
    out.flush().map_err(Error::Write)?;
    stream.drain().map_err(Error::Read)?;
    Ok(written)
}

/// The bytes of a file, its holes filled up.
fn data<R: BufRead>(stream: &mut TarStream<R>, entry: &Entry, out: &mut impl Write) -> Result<()> {
    let mut at = 0;
    let whole = [(0, entry.size)];
    let pieces: Vec<(u64, u64)> = match &entry.sparse {
        Some(pieces) => pieces.clone(),
        None => whole.to_vec(),
    };
    for (offset, length) in pieces {
        zeros(out, offset.saturating_sub(at))?;
        let mut left = length;
        while left > 0 {
            let bytes = stream.data().map_err(Error::Read)?;
            let used = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let Some(piece) = bytes.get(..used).filter(|piece| !piece.is_empty()) else {
                return Err(Error::Archive("it ends within a file".into()));
            };
            out.write_all(piece).map_err(Error::Write)?;
            stream.consume(used);
            left -= used as u64;
        }
        at = offset + length;
    }
    zeros(out, entry.size.saturating_sub(at))
}

fn zeros(out: &mut impl Write, count: u64) -> Result<()> {
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), count), out).map(drop).map_err(Error::Write)
}

fn header(entry: &Entry, size: u64) -> Result<Header> {
    let id = |id: u64| u32::try_from(id).map_err(|_| Error::Archive(format!("{id} is no user's or group's number")));
    let kind = match entry.kind {
        Kind::Directory => EntryType::Directory,
        Kind::Symlink => EntryType::Symlink,
        Kind::HardLink => EntryType::Link,
        Kind::Fifo => EntryType::Fifo,
        Kind::CharDevice => EntryType::Char,
        Kind::BlockDevice => EntryType::Block,
        Kind::File | Kind::Label => EntryType::Regular,
    };
    Ok(Header {
        path: entry.path.clone(),
        link: entry.link.clone(),
        kind,
        mode: entry.mode,
        uid: id(entry.uid)?,
        gid: id(entry.gid)?,
        mtime: entry.mtime,
        size,
        device: entry.device,
        xattrs: entry.xattrs.clone(),
        sparse: None,
    })
}
