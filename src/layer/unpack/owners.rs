//! Whose the entries are, in recorded mode: noted by inode number while the layer is unpacked, since a name may yet lead
//! elsewhere, and written down by path from what lies there at the end. So every link of a file has its owner, and what was
//! replaced leaves no trace.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Dir, FileType};

use super::super::tar_stream::{Entry, Kind};
use super::super::{Problem, shown};
use super::attributes::unmapped;
use super::tree::{Place, Tree, inode, open_in_root, stat};
use crate::store::owners::{Builder, Device, Owner, Table};
use crate::sys::{self, Call};

impl Tree<'_> {
    /// Notes what the file `inode` is said to be; the last word counts.
    pub(super) fn record(&mut self, inode: u64, entry: &Entry) -> Result<(), Problem> {
        let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX).ok_or_else(|| unmapped(entry));
        let owner = Owner { uid: id(entry.uid)?, gid: id(entry.gid)? };
        let (major, minor) = entry.device;
        let device = match entry.kind {
            Kind::CharDevice => Some(Device { block: false, major, minor }),
            Kind::BlockDevice => Some(Device { block: true, major, minor }),
            _ => None,
        };
        if owner == Owner::ROOT && device.is_none() {
            self.owners.remove(&inode);
        } else {
            self.owners.insert(inode, (owner, device));
        }
        Ok(())
    }

    /// The disk may have given the new file `inode` the number of one that is gone, of which something is noted.
    pub(super) fn record_nothing(&mut self, inode: u64) {
        self.owners.remove(&inode);
    }

    /// As [`Tree::record`], where there is anything to note or to take back.
    pub(super) fn record_at(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        if self.owners.is_empty() && (entry.uid, entry.gid) == (0, 0) {
            return Ok(());
        }
        match stat(place.parent.as_fd(), &place.name)? {
            Some(found) => self.record(found.st_ino, entry),
            None => Ok(()),
        }
    }

    /// What was noted, by path. Every directory can still be read: they get their modes at the very end.
    pub(super) fn owners(&self) -> sys::Result<Table> {
        let mut table = Builder::default();
        if self.owners.is_empty() {
            return Ok(table.finish());
        }
        let mut add = |path: &[u8], inode: u64| match self.owners.get(&inode) {
            Some((owner, device)) => table.add(path, *owner, *device),
            None => Ok(()),
        };
        add(b"", inode(self.root)?)?;
        // By path and not by descriptor: a tree may be deeper than a process may have files open.
        let mut pending = vec![Vec::new()];
        while let Some(path) = pending.pop() {
            let directory = open_in_root(self.root, &path).call_with(|| format!("openat2({})", shown(&path)))?;
            for entry in Dir::new(directory).call("opendir")? {
                let entry = entry.call_with(|| format!("getdents64({})", shown(&path)))?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                let below = if path.is_empty() { name.to_vec() } else { [path.as_slice(), b"/", name].concat() };
                match kind(&entry, self.root, &below)? {
                    // A whiteout: it has a number that another file may have had before.
                    FileType::CharacterDevice => continue,
                    FileType::Directory => pending.push(below.clone()),
                    _ => {}
                }
                add(&below, entry.ino())?;
            }
        }
        Ok(table.finish())
    }
}

/// Of what type an entry is; not every file system says so in the directory.
fn kind(entry: &rustix::fs::DirEntry, root: BorrowedFd<'_>, path: &[u8]) -> sys::Result<FileType> {
    match entry.file_type() {
        FileType::Unknown => {
            let found = stat(root, path)?;
            Ok(found.map_or(FileType::Unknown, |found| FileType::from_raw_mode(found.st_mode)))
        }
        known => Ok(known),
    }
}
