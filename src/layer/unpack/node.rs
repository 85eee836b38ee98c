//! What an entry becomes. Each is made under a name that is free; what stood there before is taken away first, without following
//! it, so nothing outside the entry itself is ever opened, written, or given a mode.

use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::super::tar_stream::{Entry, Kind, TarStream};
use super::super::{Problem, shown};
use super::tree::{self, Place, stat, times};
use super::{Failure, Unpack};
use crate::host::change;
use crate::store::owners;
use crate::sys::{self, Call};

/// A run of zeros of this length becomes a hole.
const HOLE: usize = 64 << 10;

impl Unpack<'_> {
    pub(super) fn root(&mut self, entry: &Entry) -> Result<(), Problem> {
        let root = self.tree.root;
        self.own_fd(root, entry)?;
        self.attributes(root, entry)?;
        self.tree.plan(tree::inode(root)?, Vec::new(), entry.mode, Some(entry.mtime));
        Ok(())
    }

    pub(super) fn directory(&mut self, place: &Place, path: &[u8], entry: &Entry) -> Result<(), Problem> {
        let (parent, name) = (place.parent.as_fd(), place.name.as_slice());
        let make = || rustix::fs::mkdirat(parent, name, Mode::RWXU);
        let mut replaces = false;
        if let Err(error) = make() {
            let found = if error == Errno::EXIST { stat(parent, name)? } else { None };
            match found.map(|found| FileType::from_raw_mode(found.st_mode)) {
                Some(FileType::Directory) => {}
                Some(_) => {
                    self.clear(place)?;
                    make().call_with(|| say("mkdirat", name))?;
                    replaces = true;
                }
                None => return Err(sys::Error::new(say("mkdirat", name), error).into()),
            }
        }
        let directory = tree::openat(parent, name)?;
        if replaces {
            self.tree.mark_opaque(directory.as_fd())?;
        }
        self.own_fd(directory.as_fd(), entry)?;
        self.attributes(directory.as_fd(), entry)?;
        self.tree.plan(tree::inode(directory.as_fd())?, path.to_vec(), entry.mode, Some(entry.mtime));
        Ok(())
    }

    pub(super) fn file<R: BufRead>(
        &mut self,
        place: &Place,
        entry: &Entry,
        stream: &mut TarStream<R>,
    ) -> Result<(), Failure> {
        let file = self.create(place)?;
        match &entry.sparse {
            None => write_data(file.as_fd(), stream, 0, entry.size, &place.name)?,
            Some(pieces) => {
                for (offset, length) in pieces {
                    write_data(file.as_fd(), stream, *offset, *length, &place.name)?;
                }
                rustix::fs::ftruncate(&file, entry.size).call_with(|| say("ftruncate", &place.name))?;
            }
        }
        self.summary.size = self.summary.size.saturating_add(entry.size);
        self.own_fd(file.as_fd(), entry)?;
        self.attributes(file.as_fd(), entry)?;
        Ok(finish_file(file.as_fd(), entry, &place.name)?)
    }

    /// A device can't be made here: an empty file tells what it was.
    pub(super) fn device(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        let file = self.create(place)?;
        let kind = if entry.kind == Kind::CharDevice { 'c' } else { 'b' };
        let value = format!("{kind} {}:{}", entry.device.0, entry.device.1);
        self.own_fd(file.as_fd(), entry)?;
        match rustix::fs::fsetxattr(&file, owners::DEVICE, value.as_bytes(), XattrFlags::empty()) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::PERM) => self.summary.dropped_attributes += 1,
            Err(error) => return Err(sys::Error::new("fsetxattr(user.coracle.device)", error).into()),
        }
        finish_file(file.as_fd(), entry, &place.name)
    }

    pub(super) fn symlink(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        let name = place.name.as_slice();
        self.make(place, "symlinkat", || rustix::fs::symlinkat(entry.link.as_slice(), &*place.parent, name))?;
        self.summary.dropped_attributes += entry.xattrs.len() as u64;
        self.own(place, entry)?;
        self.set_times(place, entry)
    }

    pub(super) fn fifo(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        let (parent, name) = (place.parent.as_fd(), place.name.as_slice());
        self.make(place, "mknodat", || rustix::fs::mknodat(parent, name, FileType::Fifo, Mode::RUSR, 0))?;
        self.summary.dropped_attributes += entry.xattrs.len() as u64;
        self.own(place, entry)?;
        // Made a moment ago, in a directory that is ours alone: not a symlink.
        let mode = Mode::from_raw_mode(entry.mode);
        rustix::fs::chmodat(parent, name, mode, AtFlags::empty()).call_with(|| say("fchmodat", name))?;
        self.set_times(place, entry)
    }

    pub(super) fn hard_link(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        let missing = || Problem::LinkTarget(shown(&entry.link));
        let target = tree::clean(&entry.link)?;
        let from = self.tree.existing(&target)?.ok_or_else(missing)?;
        let found = stat(from.parent.as_fd(), &from.name)?.ok_or_else(missing)?;
        let is_directory = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
        if is_directory || self.tree.is_whiteout(from.parent.as_fd(), &from.name, &found)? {
            return Err(missing());
        }
        // A link to itself: to make room for it would take away what it links to.
        let there = stat(place.parent.as_fd(), &place.name)?;
        if there.is_some_and(|there| (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino)) {
            return Ok(());
        }
        let (name, flags) = (place.name.as_slice(), AtFlags::empty());
        self.make(place, "linkat", || {
            rustix::fs::linkat(&*from.parent, from.name.as_slice(), &*place.parent, name, flags)
        })
    }

    /// An empty file, 0600, open for writing.
    fn create(&mut self, place: &Place) -> Result<OwnedFd, Problem> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        self.make(place, "openat", || rustix::fs::openat(&*place.parent, place.name.as_slice(), flags, mode))
    }

    /// Makes something under a free name: if the name is taken, what has it goes.
    fn make<T>(
        &mut self,
        place: &Place,
        call: &'static str,
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T, Problem> {
        match make() {
            Err(Errno::EXIST) => {
                self.clear(place)?;
                Ok(make().call_with(|| say(call, &place.name))?)
            }
            other => Ok(other.call_with(|| say(call, &place.name))?),
        }
    }

    /// Takes away what has the name, a directory with all that is in it.
    fn clear(&mut self, place: &Place) -> Result<(), Problem> {
        let (parent, name) = (place.parent.as_fd(), place.name.as_slice());
        let Some(found) = stat(parent, name)? else { return Ok(()) };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => {
                self.tree.forget();
                let name = std::os::unix::ffi::OsStrExt::from_bytes(name);
                change::remove_tree_at(parent, name)?;
            }
            kind => {
                if kind == FileType::Symlink {
                    self.tree.forget();
                }
                self.tree.unlink(parent, name)?;
            }
        }
        Ok(())
    }

    fn set_times(&self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let done = rustix::fs::utimensat(&*place.parent, place.name.as_slice(), &times(entry.mtime), flags);
        Ok(done.call_with(|| say("utimensat", &place.name))?)
    }
}

fn finish_file(file: BorrowedFd<'_>, entry: &Entry, name: &[u8]) -> Result<(), Problem> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(entry.mode)).call_with(|| say("fchmod", name))?;
    Ok(rustix::fs::futimens(file, &times(entry.mtime)).call_with(|| say("futimens", name))?)
}

/// Copies `length` bytes of the entry's data to `offset`, leaving holes for long runs of zeros.
fn write_data<R: BufRead>(
    file: BorrowedFd<'_>,
    stream: &mut TarStream<R>,
    offset: u64,
    length: u64,
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
