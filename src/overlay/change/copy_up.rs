//! Copy-up: a file of a lower layer that is about to change gets a copy in the upper directory first.
//!
//! The copy is made in the work directory, complete with owner, mode, times and attributes, and then linked into place, so
//! that nobody ever sees half a file, not after a crash either. Data is shared with the original where the disk can do that.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps, Uid, XattrFlags, chownat, mkdirat,
    mknodat, openat, renameat_with, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::whiteout::point;
use super::xattr::{is_private, sized};
use crate::host::copy;
use crate::overlay::inode::{Key, Layers, Node, ROOT, UPPER, lock};
use crate::overlay::session::turns::{lock_patiently, long_work};
use crate::overlay::tree::{Op, Tree};
use crate::store::owners::{DEVICE, Owner};

/// What takes a while to be copied.
const LARGE: u64 = 1 << 20;

/// The times of a file, to be set again.
pub fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

/// A file of a lower layer: where it lies, its attributes and its recorded owner.
struct Original {
    dir: Arc<OwnedFd>,
    name: OsString,
    stat: Stat,
    owner: Owner,
}

/// In how many places a copy is, and whether the file has names that are not known, by which it must be found later.
struct Placed {
    count: u32,
    others: bool,
}

impl Tree {
    /// Makes sure that the node lies in the upper directory, its parents too. Takes `names` itself.
    ///
    /// `length`: only so much of a file's data is wanted.
    pub fn copy_up(&self, node: &Arc<Node>, length: Option<u64>) -> Op<()> {
        if node.in_upper() {
            return Ok(());
        }
        let mut path = Vec::new();
        let mut at = node.clone();
        {
            let _names = self.reading();
            while !at.in_upper() {
                if at.ino == ROOT {
                    return Err(Errno::ROFS);
                }
                if at.is_lost() {
                    return Err(Errno::STALE);
                }
                let held = at.file().is_some();
                let parent = at.name();
                path.push(at);
                match parent {
                    Some((parent, _)) => at = parent,
                    None if held => break,
                    None => return Err(Errno::STALE),
                }
            }
        }
        self.work()?;
        // The copy gets every name that is known; otherwise one of them would be the old file again at the next mount.
        let others: Vec<_> = lock(&node.state).names.iter().skip(1).map(|(parent, _)| parent.clone()).collect();
        for parent in others {
            self.copy_up(&parent, None)?;
        }
        while let Some(node) = path.pop() {
            let _copying = lock_patiently(&node.changing);
            if !node.in_upper() {
                self.copy_one(&node, length)?;
            }
        }
        Ok(())
    }

    /// One node whose parent lies in the upper directory.
    fn copy_one(&self, node: &Arc<Node>, length: Option<u64>) -> Op<()> {
        point("overlay: copy up")?;
        let Some(Original { dir: source_dir, name: source, stat, owner }) = self.original(node)? else {
            return self.copy_removed(node, length);
        };
        let work = self.work()?;
        let staged = self.staged();
        let _room = self.admit((stat.st_blocks as u64 * 512).min(length.unwrap_or(u64::MAX)))?;
        // Of a layer that others change, no two names are taken for one file for long.
        let links = if self.features.living.is_some() { 1 } else { stat.st_nlink as u32 };
        let copied = self
            .copy_to_work(&source_dir, &source, &stat, &staged, length)
            .and_then(|()| self.write_owner(work, OsStr::new(&staged), owner))
            .and_then(|()| self.move_into_place(node, &staged, links));
        if copied.is_err() {
            let flags = if node.is_dir() { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            let _ = unlinkat(work, &staged, flags);
        }
        copied
    }

    /// What is to be copied; `None`: it has no name any more.
    fn original(&self, node: &Arc<Node>) -> Op<Option<Original>> {
        let _names = self.reading();
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        let Some((parent, name)) = node.name() else { return Ok(None) };
        let dir = self.directory(&parent, layer)?;
        let stat = self.look(&dir, &name, layer)?;
        if !self.is_still(node, layer, &stat) {
            return Err(Errno::STALE);
        }
        Ok(Some(Original { dir, name, stat, owner: self.owner_below(node)? }))
    }

    /// A file without a known name that is written to by somebody who has it open. Nor gets its copy one in the tree, unless one
    /// turned up meanwhile; where others may still turn up, the attic keeps it.
    fn copy_removed(&self, node: &Arc<Node>, length: Option<u64>) -> Op<()> {
        let source = node.file().ok_or(Errno::STALE)?;
        let last = lock(&node.state).last;
        let stat = last.map_or_else(|| rustix::fs::fstat(&source), Ok)?;
        let (work, staged) = (self.work()?, self.staged());
        let _room = self.admit((stat.st_blocks as u64 * 512).min(length.unwrap_or(u64::MAX)))?;
        let owner = {
            let _names = self.reading();
            self.owner_below(node)?
        };
        let links = if last.is_some() { 0 } else { stat.st_nlink as u32 };
        let copied = self
            .copy_open(&source, &stat, &staged, length, links > 0)
            .and_then(|()| self.write_owner(work, OsStr::new(&staged), owner))
            .and_then(|()| self.move_into_place(node, &staged, links));
        if copied.is_err() {
            let _ = unlinkat(work, &staged, AtFlags::empty());
        }
        copied
    }

    fn copy_open(&self, source: &OwnedFd, stat: &Stat, staged: &str, length: Option<u64>, has_others: bool) -> Op<()> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = openat(self.work()?, staged, flags, Mode::RUSR | Mode::WUSR)?;
        copy_data(source, &target, (stat.st_size as u64).min(length.unwrap_or(u64::MAX)))?;
        rustix::fs::fchown(&target, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
        rustix::fs::fchmod(&target, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        copy_attributes(End::Open(source.as_fd()), End::Open(target.as_fd()), self.features.living.is_some())?;
        rustix::fs::futimens(&target, &times(stat))?;
        // Under one of its other names it may yet hide what is safe on the disk (see `copy_to_work`).
        if has_others && !self.features.volatile { rustix::fs::fsync(&target) } else { Ok(()) }
    }

    fn copy_to_work(&self, dir: &OwnedFd, name: &OsStr, stat: &Stat, staged: &str, length: Option<u64>) -> Op<()> {
        let work = self.work()?;
        let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mut file = None;
        match kind {
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
                let source = openat(dir, name, flags, Mode::empty())?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let target = openat(work, staged, flags, Mode::RUSR | Mode::WUSR)?;
                copy_data(&source, &target, (stat.st_size as u64).min(length.unwrap_or(u64::MAX)))?;
                file = Some(target);
            }
            FileType::Directory => mkdirat(work, staged, Mode::RWXU)?,
            FileType::Symlink => symlinkat(rustix::fs::readlinkat(dir, name, Vec::new())?, work, staged)?,
            kind => mknodat(work, staged, kind, mode, stat.st_rdev)?,
        }
        chownat(
            work,
            staged,
            Some(Uid::from_raw(stat.st_uid)),
            Some(Gid::from_raw(stat.st_gid)),
            AtFlags::SYMLINK_NOFOLLOW,
        )?;
        if kind != FileType::Symlink {
            rustix::fs::chmodat(work, staged, mode, AtFlags::empty())?;
        }
        let foreign = self.features.living.is_some();
        copy_attributes(End::Named(dir.as_fd(), name), End::Named(work, OsStr::new(staged)), foreign)?;
        utimensat(work, staged, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?;
        match file {
            // The name will hide a file that is safe on the disk: the copy must be no less so.
            Some(file) if !self.features.volatile && stat.st_size > 0 => {
                long_work();
                rustix::fs::fsync(file)
            }
            _ => Ok(()),
        }
    }

    /// The copy becomes visible, under every name by which the kernel knows the file. `links`: how many names the
    /// original has; those that are not known must lead to the copy when they are looked up.
    fn move_into_place(&self, node: &Arc<Node>, staged: &str, links: u32) -> Op<()> {
        let _names = self.renaming();
        let work = self.work()?;
        let stat = statat(work, staged, AtFlags::SYMLINK_NOFOLLOW)?;
        let reopened = match node.file() {
            Some(_) => {
                let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                Some(Arc::new(openat(work, staged, flags, Mode::empty())?))
            }
            None => None,
        };
        let Placed { count, others } = self.give_names(node, staged)?;
        self.count(&stat);
        if count == 0 {
            if others {
                self.table.add_name(node, &self.attic, OsStr::new(staged));
            } else if reopened.is_some() {
                // The copy lives on without a name for as long as it is open.
                unlinkat(work, staged, AtFlags::empty())?;
                self.count_until_forgotten(node, stat.st_ino);
            } else {
                return Err(Errno::STALE);
            }
        }
        let mut state = lock(&node.state);
        if node.is_dir() {
            state.layers = state.layers.below_upper();
            return Ok(());
        }
        state.layers = Layers::One(UPPER);
        state.file = reopened.or(state.file.take());
        state.links = Some(state.links.unwrap_or(links)).filter(|links| *links != count);
        drop(state);
        self.table.rekey(node, Key::new(UPPER, &stat), links > 1 || others);
        Ok(())
    }

    /// Gives the copy the names of a node in the upper directory. Needs `names`, exclusively.
    fn give_names(&self, node: &Arc<Node>, staged: &str) -> Op<Placed> {
        let (names, lost) = {
            let state = lock(&node.state);
            (state.names.clone(), state.links.is_some_and(|left| left > 0))
        };
        let mut placed = Placed { count: 0, others: lost && !node.is_dir() };
        let mut first: Option<(Arc<OwnedFd>, Box<OsStr>)> = None;
        for (parent, name) in names {
            if !parent.in_upper() {
                // A name that came to be known just now: it follows when it is looked up again.
                self.table.unname(node, &parent, &name, None);
                placed.others = !node.is_dir();
                continue;
            }
            let dir = self.directory(&parent, UPPER)?;
            let before = rustix::fs::fstat(&dir)?;
            match &first {
                None => rename_new(self.work()?, staged, &dir, &name)?,
                Some((other, its)) => {
                    if rustix::fs::linkat(other, &**its, &dir, &*name, AtFlags::empty()).is_err() {
                        // On a full disk: it follows when it is looked up again, too.
                        self.table.unname(node, &parent, &name, None);
                        placed.others = true;
                        continue;
                    }
                }
            }
            // The directory's content did not change for those who look from above. From here on the copy is what they see.
            let _ = rustix::fs::futimens(&dir, &times(&before));
            let _ = self.count_open(&dir);
            first.get_or_insert((dir, name));
            placed.count += 1;
        }
        Ok(placed)
    }

    /// What lies under a name, counted as looked up once more, and brought into the upper directory: a directory
    /// without what it holds. Takes `names` itself.
    pub fn bring_up(&self, parent: &Arc<Node>, name: &OsStr) -> Op<Option<Arc<Node>>> {
        let (node, found) = {
            let _names = self.reading();
            let Some(found) = self.find(parent, name)? else { return Ok(None) };
            (self.table.adopt(parent, name, &found), found)
        };
        let copied = self.copy_up(&node, None).and_then(|()| match node.is_dir() || found.in_upper() {
            true => Ok(()),
            false => self.link_again(&node, parent, name),
        });
        if copied.is_err() {
            self.table.forget(node.ino, 1);
        }
        copied.map(|()| Some(node))
    }

    /// Everything at and below a directory, as a rename of it needs. Takes `names` itself.
    pub fn copy_up_tree(&self, top: &Arc<Node>) -> Op<()> {
        long_work();
        self.copy_up(top, None)?;
        // Each directory in here is counted as looked up, so that it stays known until its entries are done.
        let mut pending = Vec::new();
        let mut copied = self.copy_up_entries(top, &mut pending);
        while let Some(dir) = pending.pop() {
            copied = copied.and_then(|()| self.copy_up_entries(&dir, &mut pending));
            self.table.forget(dir.ino, 1);
        }
        copied
    }

    fn copy_up_entries(&self, dir: &Arc<Node>, pending: &mut Vec<Arc<Node>>) -> Op<()> {
        if dir.layers().are_upper_only() {
            // What it holds was made in the upper.
            return Ok(());
        }
        let entries = {
            let _names = self.reading();
            self.entries(dir)?
        };
        for entry in entries.into_values() {
            match self.bring_up(dir, &entry.name)? {
                Some(child) if child.is_dir() => pending.push(child),
                Some(child) => self.table.forget(child.ino, 1),
                None => {}
            }
        }
        Ok(())
    }
}

/// Renames to a name that is free.
fn rename_new(work: BorrowedFd<'_>, staged: &str, dir: &OwnedFd, name: &OsStr) -> Op<()> {
    match renameat_with(work, staged, dir, name, RenameFlags::NOREPLACE) {
        // NFS does not know the flag; but only this process changes the upper directory, and holds the lock of its names.
        Err(Errno::INVAL) => match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => rustix::fs::renameat(work, staged, dir, name),
            Ok(_) => Err(Errno::EXIST),
            Err(error) => Err(error),
        },
        result => result,
    }
}

/// Copies `length` bytes, holes as holes.
fn copy_data(source: &OwnedFd, target: &OwnedFd, length: u64) -> Op<()> {
    if length >= LARGE {
        long_work();
    }
    copy::data(source.as_fd(), target.as_fd(), length)
}

/// Where attributes are copied from or to.
#[derive(Clone, Copy)]
enum End<'a> {
    Open(BorrowedFd<'a>),
    /// A name in a directory, which becomes this thread's current one.
    Named(BorrowedFd<'a>, &'a OsStr),
}

impl End<'_> {
    fn list(self, list: &mut Vec<u8>) -> Op<usize> {
        match self {
            Self::Open(file) => rustix::fs::flistxattr(file, spare_capacity(list)),
            Self::Named(dir, name) => {
                rustix::process::fchdir(dir)?;
                rustix::fs::llistxattr(name, spare_capacity(list))
            }
        }
    }

    fn get(self, attribute: &CStr, value: &mut Vec<u8>) -> Op<usize> {
        match self {
            Self::Open(file) => rustix::fs::fgetxattr(file, attribute, spare_capacity(value)),
            Self::Named(dir, name) => {
                rustix::process::fchdir(dir)?;
                rustix::fs::lgetxattr(name, attribute, spare_capacity(value))
            }
        }
    }

    fn set(self, attribute: &CStr, value: &[u8]) -> Op<()> {
        match self {
            Self::Open(file) => rustix::fs::fsetxattr(file, attribute, value, XattrFlags::empty()),
            Self::Named(dir, name) => {
                rustix::process::fchdir(dir)?;
                rustix::fs::lsetxattr(name, attribute, value, XattrFlags::empty())
            }
        }
    }
}

/// All extended attributes but those that speak to the overlay itself; what a device was is not for it. ACLs are attributes, too.
///
/// `foreign`: they are somebody else's, which may name ids that this user namespace lacks, or be closed to this user.
fn copy_attributes(from: End<'_>, to: End<'_>, foreign: bool) -> Op<()> {
    let list = match sized(|list| from.list(list)) {
        Err(Errno::OPNOTSUPP) => return Ok(()),
        list => list?,
    };
    let copied =
        |attribute: &&[u8]| !attribute.is_empty() && (!is_private(attribute) || *attribute == DEVICE.to_bytes());
    for attribute in list.split(|byte| *byte == 0).filter(copied) {
        let Ok(attribute) = CString::new(attribute) else { continue };
        let value = match sized(|value| from.get(&attribute, value)) {
            Err(Errno::NODATA) => continue,
            Err(Errno::ACCESS | Errno::PERM) if foreign => continue,
            value => value?,
        };
        match to.set(&attribute, &value) {
            // Labels of a security module are not ours to copy.
            Err(Errno::OPNOTSUPP | Errno::PERM) if is_label(&attribute) => {}
            // A disk without them can still hold the file.
            Err(Errno::OPNOTSUPP) if attribute.to_bytes().starts_with(b"user.") => {}
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) if foreign => {}
            result => result?,
        }
    }
    Ok(())
}

fn is_label(attribute: &CStr) -> bool {
    OsStr::from_bytes(attribute.to_bytes()) != "security.capability" && attribute.to_bytes().starts_with(b"security.")
}
