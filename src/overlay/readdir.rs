//! Directories as lists: the merged entries of all layers, each at a place that never changes.
//!
//! An entry's offset is a keyed hash of its name. So a reader may stop and go on (with the next request, in another handle,
//! after a thousand removals) and still sees every entry that was there all the time exactly once, with no state per handle.
//! The list of a directory is remembered while it is in use and kept up to date by `change`.
//!
//! The kernel keeps a list of its own, which it throws away when a reader starts after a change. But one reader's start, while
//! the answer to another is on its way, makes it take that answer for newer than it is: what was made in between would be missing
//! for good. So only one of those who have a directory open at a time is let to fill that list and to read from it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::hash::BuildHasher;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};

use fuser::{Generation, INodeNo, ReplyDirectory, ReplyDirectoryPlus};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, statat};
use rustix::io::Errno;

use super::inode::{Key, Node, UPPER, lock};
use super::lookup::{self, OPAQUE, Opaque, is_whiteout};
use super::tree::{Op, Tree};

/// The entries of one directory by their offset, without `.` and `..`.
pub type Listing = BTreeMap<u64, Entry>;

#[derive(Debug, Clone)]
pub struct Entry {
    pub name: OsString,
    pub kind: FileType,
    pub ino: u64,
}

/// The offsets of `.` and `..`; those of all others are larger.
const DOT: u64 = 1;
const DOT_DOT: u64 = 2;

impl Tree {
    /// FUSE readdir.
    pub fn readdir(&self, ino: u64, offset: u64, reply: &mut ReplyDirectory) -> Op<()> {
        let node = self.node(ino)?;
        let parent = node.name().map_or(ino, |(parent, _)| parent.ino);
        let dots = [(DOT, ".", ino), (DOT_DOT, "..", parent)];
        for (at, name, ino) in dots.into_iter().filter(|(at, ..)| *at > offset) {
            if reply.add(INodeNo(ino), at, fuser::FileType::Directory, name) {
                return Ok(());
            }
        }
        let listing = self.listing(&node, offset == 0)?;
        for (at, entry) in lock(&listing).range(offset.max(DOT_DOT) + 1..) {
            if reply.add(INodeNo(entry.ino), *at, lookup::kind(entry.kind), &entry.name) {
                break;
            }
        }
        Ok(())
    }

    /// FUSE readdirplus: each entry is looked up, too.
    pub fn readdirplus(&self, ino: u64, offset: u64, reply: &mut ReplyDirectoryPlus) -> Op<()> {
        let node = self.node(ino)?;
        let own = self.getattr(ino)?;
        for (at, name) in [(DOT, "."), (DOT_DOT, "..")].into_iter().filter(|(at, _)| *at > offset) {
            if reply.add(own.ino, at, name, &self.trust(), &own, Generation(0)) {
                return Ok(());
            }
        }
        let listing = self.listing(&node, offset == 0)?;
        let mut offset = offset.max(DOT_DOT);
        let mut told = false;
        loop {
            // The list is not locked over the lookup of an entry.
            let next = lock(&listing).range(offset + 1..).next().map(|(at, entry)| (*at, entry.name.clone()));
            let Some((at, name)) = next else { return Ok(()) };
            offset = at;
            let attr = match self.lookup(ino, &name) {
                Ok(attr) => attr,
                Err(Errno::NOENT) => continue,
                // What was told already counts as looked up; the error comes with the next request.
                Err(_) if told => return Ok(()),
                Err(error) => return Err(error),
            };
            if reply.add(attr.ino, at, &name, &self.trust(), &attr, Generation(0)) {
                self.table.forget(attr.ino.0, 1);
                return Ok(());
            }
            told = true;
        }
    }

    /// FUSE opendir; whether this opener's reading fills the kernel's list, which it then has to give back.
    pub fn open_directory(&self, ino: u64) -> Op<bool> {
        if self.features.living.is_some() {
            return Ok(false);
        }
        Ok(!std::mem::replace(&mut lock(&self.node(ino)?.state).fills, true))
    }

    /// Ends what `open_directory` allowed.
    pub fn close_filling(&self, ino: u64) -> Op<()> {
        lock(&self.node(ino)?.state).fills = false;
        Ok(())
    }

    /// The remembered list of a directory, or a new one. `begins`: a reader starts, who must see what is there now.
    fn listing(&self, node: &Arc<Node>, begins: bool) -> Op<Arc<Mutex<Listing>>> {
        if begins && self.features.living.is_some() {
            lock(&node.state).listing = None;
        }
        if let Some(listing) = lock(&node.state).listing.clone() {
            return Ok(listing);
        }
        {
            let _names = self.reading();
            if let Some(listing) = self.list(node)? {
                return Ok(listing);
            }
        }
        let _names = self.renaming();
        self.list(node)?.ok_or(Errno::AGAIN)
    }

    /// Makes and remembers the list; `None`: something was made meanwhile, so that it may be in the list or not. Needs `names`.
    fn list(&self, node: &Arc<Node>) -> Op<Option<Arc<Mutex<Listing>>>> {
        let changes = lock(&node.state).changes;
        let entries = self.entries(node)?;
        let count = entries.len();
        let listing = Arc::new(Mutex::new(entries));
        {
            let mut state = lock(&node.state);
            if state.listing.is_some() || state.changes != changes {
                return Ok(state.listing.clone());
            }
            state.listing = Some(listing.clone());
        }
        self.listed(node, count);
        Ok(Some(listing))
    }

    pub fn offset_of(&self, name: &OsStr) -> u64 {
        (self.hashing.hash_one(name.as_bytes()) >> 1).max(DOT_DOT + 1)
    }

    /// All entries of a directory, merged. Needs `names`.
    pub fn entries(&self, node: &Arc<Node>) -> Op<Listing> {
        let mut merged: HashMap<OsString, Option<Entry>> = HashMap::new();
        if lock(&node.state).last.is_some() {
            return Ok(Listing::new());
        }
        for layer in node.layers().iter().copied() {
            let Some(dir) = self.part(node, layer)? else { continue };
            for (name, seen) in self.layer_entries(&dir, layer)? {
                match merged.get_mut(&name) {
                    None => _ = merged.insert(name, seen),
                    // A merged directory shows the number of its topmost lower (see `Key` in `lookup`).
                    Some(Some(above)) if above.kind == FileType::Directory && above.ino == 0 => {
                        if let Some(seen) = seen.filter(|seen| seen.kind == FileType::Directory) {
                            above.ino = seen.ino;
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        let mut listing = Listing::new();
        for (name, entry) in merged {
            let Some(mut entry) = entry else { continue };
            if entry.ino == 0 {
                let stat = statat(self.directory(node, UPPER)?, &name, AtFlags::SYMLINK_NOFOLLOW)?;
                entry.ino = self.table.number(&Key::new(UPPER, &stat));
            }
            listing.insert(self.offset_of(&name), entry);
        }
        Ok(listing)
    }

    /// What one layer has: entries, and `None` for names that it hides. Directories of the upper are numbered 0 (unknown yet).
    fn layer_entries(&self, dir: &OwnedFd, layer: u16) -> Op<Vec<(OsString, Option<Entry>)>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let own = rustix::fs::openat(dir, c".", flags, Mode::empty())?;
        let dev = rustix::fs::fstat(&own)?.st_dev;
        let speaks = !self.lives(layer);
        let marked = speaks && lookup::opaque(dir, OsStr::new("."))? == Opaque::AttributeWhiteouts;
        let mut buffer: Vec<u8> = Vec::with_capacity(32 << 10);
        let mut raw = RawDir::new(&own, buffer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = raw.next() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let mut kind = entry.file_type();
            let doubtful = match kind {
                FileType::CharacterDevice | FileType::Unknown => true,
                FileType::RegularFile => marked,
                _ => false,
            };
            if doubtful {
                let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
                kind = FileType::from_raw_mode(stat.st_mode);
                if speaks && is_whiteout(dir, name, &stat)? {
                    entries.push((name.to_owned(), None));
                    continue;
                }
            }
            let unknown = layer == UPPER && kind == FileType::Directory;
            let ino = if unknown { 0 } else { self.table.number(&Key::from_numbers(layer, dev, entry.ino())) };
            entries.push((name.to_owned(), Some(Entry { name: name.to_owned(), kind, ino })));
        }
        Ok(entries)
    }

    /// Keeps a remembered list true: `name` now means `entry`, or nothing.
    pub fn relist(&self, parent: &Arc<Node>, name: &OsStr, entry: Option<&Node>) {
        let listing = {
            let mut state = lock(&parent.state);
            state.changes += 1;
            state.listing.clone()
        };
        let Some(listing) = listing else { return };
        let offset = self.offset_of(name);
        match entry {
            Some(node) => {
                let entry = Entry { name: name.to_owned(), kind: node.kind, ino: node.ino };
                lock(&listing).insert(offset, entry);
            }
            None => _ = lock(&listing).remove(&offset),
        }
    }
}

/// The attribute that a directory needs so that the kernel's overlay looks for whiteouts in the attribute form.
pub fn mark_for_attribute_whiteouts(dir: &OwnedFd) -> Op<()> {
    if lookup::opaque(dir, OsStr::new("."))? == Opaque::No {
        rustix::fs::fsetxattr(dir, OPAQUE, b"x", rustix::fs::XattrFlags::empty())?;
    }
    Ok(())
}
