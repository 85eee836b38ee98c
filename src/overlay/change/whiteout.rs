//! Whiteouts: names in the upper directory that hide what lies below.
//!
//! The functions here need `names`.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, RenameFlags, XattrFlags, mknodat, renameat, renameat_with, statat,
    unlinkat,
};
use rustix::io::Errno;

use super::copy_up::times;
use crate::host::{change, fault};
use crate::overlay::inode::{Node, UPPER};
use crate::overlay::lookup::{OPAQUE, WHITEOUT, is_whiteout};
use crate::overlay::readdir::mark_for_attribute_whiteouts;
use crate::overlay::tree::{Op, Tree, open_beneath};

/// Passes the seam for fault injection.
pub fn point(name: &'static str) -> Op<()> {
    fault::point(name).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Makes a whiteout where nothing lies. `marked`: the directory in which it is to lie at last.
pub fn make(dir: impl AsFd, name: &OsStr, marked: &OwnedFd) -> Op<()> {
    match mknodat(&dir, name, FileType::CharacterDevice, Mode::empty(), 0) {
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::ACCESS | Errno::INVAL) => {}
        result => return result,
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    mark_for_attribute_whiteouts(marked)?;
    let file = rustix::fs::openat(&dir, name, flags, Mode::RUSR)?;
    rustix::fs::fsetxattr(&file, WHITEOUT, b"y", XattrFlags::empty())
}

impl Tree {
    /// Sees to it that nothing from below will merge into `dir`, which is empty and is to lie at `name` of `parent`.
    pub fn seal(&self, dir: &OwnedFd, parent: &Arc<Node>, name: &OsStr) -> Op<()> {
        if self.marks {
            return make_opaque(dir);
        }
        for entry in self.entries_below(parent, name)?.into_values() {
            make(dir, &entry.name, dir)?;
        }
        Ok(())
    }

    /// Puts a whiteout in the place of whatever the upper has under `name`, or of nothing.
    ///
    /// A directory that lay there is in the work directory afterwards, under the name that is returned.
    pub fn hide(&self, parent: &Arc<Node>, name: &OsStr, was: Option<FileType>) -> Op<Option<String>> {
        point("overlay: whiteout")?;
        let dir = self.directory(parent, UPPER)?;
        let Some(was) = was else {
            make(&dir, name, &dir)?;
            return Ok(None);
        };
        let work = self.work()?;
        let staged = self.staged();
        make(work, OsStr::new(&staged), &dir)?;
        let directory = was == FileType::Directory;
        let hidden = match directory || self.renames_removed {
            true => self.change_places((work, OsStr::new(&staged)), (&dir, name)),
            false => renameat(work, &staged, &dir, name),
        };
        if hidden.is_err() || (!directory && self.renames_removed) {
            let _ = unlinkat(work, &staged, AtFlags::empty());
        }
        hidden.map(|()| directory.then_some(staged))
    }

    /// Removes a file's name from the upper directory.
    pub fn remove_name(&self, dir: &OwnedFd, name: &OsStr) -> Op<()> {
        if !self.renames_removed {
            return unlinkat(dir, name, AtFlags::empty());
        }
        let staged = self.set_aside(dir, name)?;
        unlinkat(self.work()?, &staged, AtFlags::empty())
    }

    /// Moves a file to the work directory.
    pub fn set_aside(&self, dir: &OwnedFd, name: &OsStr) -> Op<String> {
        let staged = self.staged();
        renameat(dir, name, self.work()?, &staged).map(|()| staged)
    }

    /// Two names change places; on failure neither has moved. What lies at `two` hides something, and is not needed itself: where
    /// the file system can't do it at once (NFS), it takes three steps, and a crash between them shows again what was hidden.
    pub fn change_places(&self, one: (impl AsFd, &OsStr), two: (impl AsFd, &OsStr)) -> Op<()> {
        let (one, one_name, two, two_name) = (one.0.as_fd(), one.1, two.0.as_fd(), two.1);
        match renameat_with(one, one_name, two, two_name, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            result => return result,
        }
        let (work, spare) = (self.work()?, self.staged());
        renameat(two, two_name, work, &spare)?;
        let moved = renameat(one, one_name, two, two_name);
        let changed = moved.and_then(|()| {
            renameat(work, &spare, one, one_name).inspect_err(|_| _ = renameat(two, two_name, one, one_name))
        });
        changed.inspect_err(|_| _ = renameat(work, &spare, two, two_name))
    }

    /// Removes a directory of the work directory, and the whiteouts that are all that it holds.
    ///
    /// It is out of sight already: what fails here is swept with the work directory.
    pub fn discard(&self, staged: &str) {
        let Ok(work) = self.work() else { return };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(dir) = rustix::fs::openat(work, staged, flags, Mode::empty()) {
            let _ = remove_entries(&dir);
        }
        let _ = unlinkat(work, staged, AtFlags::REMOVEDIR);
    }
}

/// Makes a directory opaque: nothing below it merges.
pub fn make_opaque(dir: &OwnedFd) -> Op<()> {
    rustix::fs::fsetxattr(dir, OPAQUE, b"y", XattrFlags::empty())
}

/// Removes the whiteouts of a directory that shows nothing. A directory in it is an error.
pub fn remove_entries(dir: &OwnedFd) -> Op<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = rustix::fs::openat(dir, c".", flags, Mode::empty())?;
    let mut buffer: Vec<u8> = Vec::with_capacity(8 << 10);
    let spare: &mut [MaybeUninit<u8>] = buffer.spare_capacity_mut();
    let mut raw = RawDir::new(&own, spare);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            unlinkat(dir, name, AtFlags::empty())?;
        }
    }
    Ok(())
}

/// Removes every whiteout at and below a directory that no longer merges: the kernel's driver would list them there.
pub fn remove_whiteouts(top: OwnedFd) -> Op<()> {
    let top = Arc::new(top);
    // By name, so that only the path to where it is stays open.
    let mut pending = vec![(top, OsString::from("."))];
    while let Some((parent, name)) = pending.pop() {
        let dir = Arc::new(open_beneath(&parent, &name)?);
        let before = rustix::fs::fstat(&dir)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = rustix::fs::openat(&dir, c".", flags, Mode::empty())?;
        let mut buffer: Vec<u8> = Vec::with_capacity(8 << 10);
        let mut raw = RawDir::new(&own, buffer.spare_capacity_mut());
        while let Some(entry) = raw.next() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let stat = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                pending.push((dir.clone(), name.to_owned()));
            } else if is_whiteout(&dir, name, &stat)? {
                unlinkat(&dir, name, AtFlags::empty())?;
                // For those who look from above nothing was there.
                rustix::fs::futimens(&dir, &times(&before))?;
            }
        }
    }
    Ok(())
}

/// Whether a directory holds anything at all, whiteouts included.
pub fn holds_entries(parent: &OwnedFd, name: &OsStr) -> Op<bool> {
    let dir = open_beneath(parent, name)?;
    let mut buffer: Vec<u8> = Vec::with_capacity(1 << 10);
    let mut raw = RawDir::new(&dir, buffer.spare_capacity_mut());
    while let Some(entry) = raw.next() {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what an earlier mount left in the work directory (its own names only: the kernel's driver has others).
pub fn sweep(work: &OwnedFd) -> Op<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = rustix::fs::openat(work, c".", flags, Mode::empty())?;
    let mut buffer: Vec<u8> = Vec::with_capacity(8 << 10);
    let mut raw = RawDir::new(&own, buffer.spare_capacity_mut());
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_bytes().starts_with(b"coracle-") {
            continue;
        }
        // What can't be removed is in nobody's way but its name's.
        let _ = change::remove_tree_at(work.as_fd(), OsStr::from_bytes(name.to_bytes()));
    }
    Ok(())
}
