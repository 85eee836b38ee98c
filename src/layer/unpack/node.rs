//! What an entry becomes. Each is made under a name that is free; what stood there before is taken away first, without following
//! it, so nothing outside the entry itself is ever opened, written, or given a mode.

use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::super::tar_stream::{Entry, Kind, TarStream};
use super::super::{Problem, shown};
use super::tree::{self, Place, stat, times};
use super::{Failure, Unpack, data};
use crate::host::change;
use crate::store::owners;
use crate::sys::{self, Call};

impl Unpack<'_> {
    pub(super) fn root(&mut self, entry: &Entry) -> Result<(), Problem> {
        let root = self.tree.root;
        self.own_fd(root, entry)?;
        self.attributes(root, entry)?;
        self.tree.plan(tree::inode(root)?, entry.mode, Some(entry.mtime))
    }

    pub(super) fn directory(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
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
        self.tree.plan(tree::inode(directory.as_fd())?, entry.mode, Some(entry.mtime))
    }

    pub(super) fn file<R: BufRead>(
        &mut self,
        place: &Place,
        entry: &Entry,
        stream: &mut TarStream<R>,
    ) -> Result<(), Failure> {
        let file = self.create(place)?;
        data::write(file.as_fd(), stream, entry, &place.name)?;
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

fn say(call: &str, name: &[u8]) -> String {
    format!("{call}({})", shown(name))
}
