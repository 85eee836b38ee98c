//! Packing: from a directory, or from layers seen as one tree, to a tar stream. [`super::unpack`] is its inverse.
//!
//! ```text
//! merged ─▶ entry by entry, in the order of their names ─▶ header   ustar, with PAX records for what that can't hold
//!                                                       ─▶ data     the bytes of a file; a map where much of it is holes
//! ```
//!
//! Decisions:
//! * The same tree gives the same bytes: names in byte order, times as they are, no names of owners.
//! * A file with several links is whole under its first name, and a hard link under the others.
//! * Whiteouts become `.wh.NAME`, opaque directories begin with `.wh..wh..opq` (OCI image-spec, layer.md): in the form of a
//!   layer only. In that form a file whose own name begins with `.wh.` can't be told from them, and is an error.
//! * Extended attributes as `SCHILY.xattr.NAME`, those that the unpacker takes: what an overlay wrote down for itself stays out,
//!   and so do labels of this machine.
//! * Sockets are left out, as every engine does: nobody listens in a copy.
//! * The tree may be in use. A file that shrinks while it is read is filled up with zeros, since its size is written already.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, Stat};
use serde::{Deserialize, Serialize};
use tar::EntryType;

use super::attributes;
use super::merged::{Entry, Merged, attribute};
use super::unpack::whiteout;
use super::{Error, Result, shown};
use crate::host::fault;
use crate::store::owners::{DEVICE, Device, Owner};
use crate::sys::{self, Call};

pub mod data;
pub mod header;
#[cfg(test)]
mod tests;

use data::Content;
use header::Header;

/// What the stream is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub shape: Shape,
    /// No file is younger than this, in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub latest: Option<i64>,
}

impl Form {
    pub const LAYER: Self = Self { shape: Shape::Layer, latest: None };
    pub const LAYERS: Self = Self { shape: Shape::Layers, latest: None };
    pub const TREE: Self = Self { shape: Shape::Tree, latest: None };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A layer: what the topmost directory holds, and what it hides.
    Layer,
    /// A layer that does what all of them do one after the other, upon whatever lies below.
    Layers,
    /// The tree that all layers together show.
    Tree,
}

/// Writes what `root` holds, without what its topmost layer has at the paths in `leave_out`, and the end of the archive.
///
/// Tells how many entries were written.
pub fn pack(root: Merged, form: Form, leave_out: &[String], out: impl Write) -> Result<u64> {
    let mut packer = Packer { out, form, links: HashMap::new(), path: Vec::new(), buffer: data::buffer(), entries: 0 };
    let mut levels = vec![packer.level(root)?];
    while let Some(level) = levels.last_mut() {
        packer.path.truncate(level.length);
        let Some(entry) = level.entries.next() else {
            levels.pop();
            continue;
        };
        packer.path.extend_from_slice(&entry.name);
        if entry.layer == 0 && leave_out.iter().any(|path| path.as_bytes() == packer.path) {
            continue;
        }
        if let Some(inner) = packer.entry(&level.directory, &entry)? {
            packer.path.push(b'/');
            levels.push(packer.level(inner)?);
        }
    }
    fault::point("pack: end").map_err(Error::Write)?;
    packer.out.write_all(&[0; 2 * header::BLOCK]).map_err(Error::Write)?;
    packer.out.flush().map_err(Error::Write)?;
    Ok(packer.entries)
}

/// A directory whose entries are being written.
struct Level {
    directory: Merged,
    entries: std::vec::IntoIter<Entry>,
    /// Of its own path, with the slash behind it.
    length: usize,
}

struct Packer<W> {
    out: W,
    form: Form,
    /// The first names of files that have several.
    links: HashMap<(u64, u64), Vec<u8>>,
    /// Of the current entry.
    path: Vec<u8>,
    buffer: Vec<u8>,
    entries: u64,
}

impl<W: Write> Packer<W> {
    fn level(&self, directory: Merged) -> Result<Level> {
        let entries = match self.form.shape {
            Shape::Layer => directory.top_entries(),
            Shape::Layers => directory.all_entries(),
            Shape::Tree => directory.entries(),
        };
        let entries = entries.map_err(|source| self.failed(source))?.into_iter();
        Ok(Level { directory, entries, length: self.path.len() })
    }

    /// Writes one entry. The content of a directory comes next, and is given back.
    fn entry(&mut self, directory: &Merged, entry: &Entry) -> Result<Option<Merged>> {
        if entry.is_whiteout {
            self.hide(&entry.name)?;
            return Ok(None);
        }
        if self.form.shape != Shape::Tree && entry.name.starts_with(whiteout::PREFIX) {
            return Err(Error::ReservedName { entry: shown(&self.path) });
        }
        if entry.is_dir() {
            return self.directory(directory, entry);
        }
        let has_links = entry.stat.st_nlink > 1;
        if has_links && let Some(first) = self.links.get(&entry.identity()) {
            let link = first.clone();
            let (header, _) = self.header(directory, entry, EntryType::Link)?;
            self.put(Header { link, ..header })?;
            return Ok(None);
        }
        let is_written = match entry.kind() {
            FileType::RegularFile => self.file(directory, entry)?,
            FileType::Symlink => self.symlink(directory, entry)?,
            FileType::Fifo => {
                let (header, _) = self.header(directory, entry, EntryType::Fifo)?;
                self.put(header).map(|()| true)?
            }
            _ => false,
        };
        if is_written && has_links {
            self.links.insert(entry.identity(), self.path.clone());
        }
        Ok(None)
    }

    fn directory(&mut self, parent: &Merged, entry: &Entry) -> Result<Option<Merged>> {
        let Some(inner) = parent.enter(&entry.name).map_err(|source| self.failed(source))? else { return Ok(None) };
        let (mut header, _) = self.header(parent, entry, EntryType::Directory)?;
        header.path.push(b'/');
        if let Some(top) = inner.top() {
            header.xattrs = self.attributes(top)?;
        }
        self.put(header)?;
        let hides = match self.form.shape {
            Shape::Layer => inner.is_opaque().map_err(|source| self.failed(source))?,
            Shape::Layers => inner.is_cut(),
            Shape::Tree => false,
        };
        if hides {
            self.path.push(b'/');
            let opaque = Header { path: [&self.path, whiteout::OPAQUE].concat(), ..Header::marker() };
            self.path.pop();
            self.put(opaque)?;
        }
        Ok(Some(inner))
    }

    /// `false`: it was gone.
    fn file(&mut self, directory: &Merged, entry: &Entry) -> Result<bool> {
        let Some(file) = directory.open(entry).map_err(|source| self.failed(source))? else { return Ok(false) };
        let file = file.as_fd();
        let stat = rustix::fs::fstat(file).call("fstat").map_err(|source| self.failed(source))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(false);
        }
        let (mut header, mut was) = self.header(directory, entry, EntryType::Regular)?;
        header.mtime = mtime(&stat);
        header.xattrs = self.attributes(file)?;
        if stat.st_size == 0 && was.is_none() {
            was = device(file).map_err(|source| self.failed(source))?;
        }
        if let Some(Device { block, major, minor }) = was {
            let kind = if block { EntryType::Block } else { EntryType::Char };
            self.put(Header { kind, device: (major, minor), ..header })?;
            return Ok(true);
        }
        let content = Content::of(file, &stat).map_err(|source| self.failed(source))?;
        header.size = content.packed_size();
        header.sparse = content.sparse_size();
        self.put(header)?;
        let path = &self.path;
        content.write(file, &mut self.buffer, &mut self.out).map_err(|error| match error {
            data::Error::Read(source) => Error::Pack { entry: shown(path), source },
            data::Error::Write(source) => Error::Write(source),
        })?;
        Ok(true)
    }

    /// `false`: it was gone.
    fn symlink(&mut self, directory: &Merged, entry: &Entry) -> Result<bool> {
        let Some(link) = directory.target(entry).map_err(|source| self.failed(source))? else { return Ok(false) };
        let (header, _) = self.header(directory, entry, EntryType::Symlink)?;
        self.put(Header { link, ..header })?;
        Ok(true)
    }

    fn hide(&mut self, name: &[u8]) -> Result<()> {
        let parent = self.path.get(..self.path.len() - name.len()).unwrap_or_default();
        self.put(Header { path: [parent, whiteout::PREFIX, name].concat(), ..Header::marker() })
    }

    /// What all entries have; and the device that a file stands for, if the layer knows.
    fn header(&self, directory: &Merged, entry: &Entry, kind: EntryType) -> Result<(Header, Option<Device>)> {
        let (owner, device) = directory.owner(entry, &self.path).map_err(|source| self.failed(source))?;
        let (mode, mtime) = (entry.stat.st_mode & 0o7777, mtime(&entry.stat));
        let (path, Owner { uid, gid }) = (self.path.clone(), owner);
        Ok((Header { path, kind, mode, uid, gid, mtime, ..Header::marker() }, device))
    }

    /// Those that go with a copy of the file, by name.
    fn attributes(&self, file: BorrowedFd<'_>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        attributes::of(file).map_err(|source| self.failed(source))
    }

    fn put(&mut self, mut header: Header) -> Result<()> {
        self.entries += 1;
        if let Some(latest) = self.form.latest.filter(|latest| header.mtime > (*latest, 0)) {
            header.mtime = (latest, 0);
        }
        fault::one_of_many("pack: entry").map_err(Error::Write)?;
        self.out.write_all(&header.encode()).map_err(Error::Write)
    }

    fn failed(&self, source: sys::Error) -> Error {
        Error::Pack { entry: shown(&self.path), source }
    }
}

fn mtime(stat: &Stat) -> (i64, u32) {
    (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0))
}

/// What an empty file stands for: the unpacker could not make the device itself.
fn device(file: BorrowedFd<'_>) -> sys::Result<Option<Device>> {
    // As the unpacker writes it, with a space: `c 1:3`.
    let text = attribute(file, DEVICE)?.and_then(|value| String::from_utf8(value).ok());
    Ok(text.and_then(|text| text.replacen(' ', "", 1).parse().ok()))
}
