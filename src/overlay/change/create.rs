//! Making things: files, directories, symlinks, FIFOs, sockets, further links.
//!
//! Made directly in the upper directory, so that the disk applies default ACLs and inherits groups as it would anywhere;
//! the mask of the caller is set for this thread meanwhile. Where a whiteout lies, made in the work directory and exchanged
//! with it. The kernel holds the directory's lock, so nobody sees a file before it has its owner.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use fuser::FileAttr;
use rustix::buffer::spare_capacity;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid, XattrFlags, chmodat, chownat, mkdirat, mknodat, openat, statat,
    symlinkat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::umask;

use super::whiteout::{point, remove_entries};
use crate::overlay::inode::{Found, Key, Layers, Node, UPPER};
use crate::overlay::lookup::is_whiteout;
use crate::overlay::quota::BLOCK;
use crate::overlay::tree::{Op, Tree, open_beneath};
use crate::store::owners::Owner;

const DEFAULT_ACL: &std::ffi::CStr = c"system.posix_acl_default";

/// Who makes it.
#[derive(Debug, Clone, Copy)]
pub struct Author {
    pub uid: u32,
    pub gid: u32,
    pub umask: u32,
    /// Whose it is to be, where owners are recorded.
    pub recorded: Owner,
}

/// What is made. Modes are as the caller gave them, before any mask.
#[derive(Debug, Clone, Copy)]
pub enum Making<'a> {
    File { mode: u32 },
    Directory { mode: u32 },
    Symlink { target: &'a OsStr },
    Node { kind: FileType, mode: u32 },
}

impl Tree {
    /// FUSE mkdir, mknod, symlink.
    pub fn make(&self, parent: u64, name: &OsStr, making: Making<'_>, author: Author) -> Op<FileAttr> {
        let making = match making {
            Making::Node { kind: FileType::RegularFile, mode } => Making::File { mode },
            Making::Node { kind: FileType::Fifo | FileType::Socket, .. } => making,
            // Devices: not for a container, and 0:0 would be a whiteout.
            Making::Node { .. } => return Err(Errno::PERM),
            _ => making,
        };
        let author = self.stored_author(author)?;
        let parent = self.node(parent)?;
        self.copy_up(&parent, None)?;
        point("overlay: create")?;
        // A long target of a symlink does not fit into its inode.
        let takes_a_block = match making {
            Making::Directory { .. } => true,
            Making::Symlink { target } => target.len() >= 60,
            _ => false,
        };
        let _room = self.admit(if takes_a_block { BLOCK } else { 0 })?;
        let _names = self.reading();
        let dir = self.directory(&parent, UPPER)?;
        let above = rustix::fs::fstat(&dir)?;
        let author = Author { recorded: self.owner_of_made(&dir, &above)?, ..author };
        let file = match self.make_in(&dir, name, making, author, &above) {
            Err(Errno::EXIST) => self.make_over_whiteout(&parent, name, making, author, &above)?,
            result => result?,
        };
        let stat = match &file {
            Some(file) => rustix::fs::fstat(file)?,
            None => statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?,
        };
        let found = match making {
            // It merges with what it hides.
            Making::Directory { .. } if !self.marks => self.find(&parent, name)?.ok_or(Errno::NOENT)?,
            _ => Found { layers: Layers::One(UPPER), stat, key: Key::new(UPPER, &stat) },
        };
        self.count(&stat);
        self.count_open(&dir)?;
        let node = self.table.adopt(&parent, name, &found);
        self.relist(&parent, name, Some(&node));
        if let Some(file) = file {
            // It is about to be written.
            self.keep_open(&node, file);
        }
        Ok(self.attributes(&node, &stat))
    }

    fn stored_author(&self, author: Author) -> Op<Author> {
        match &self.features.view {
            None => Ok(author),
            Some(view) => Ok(Author { uid: view.stored_uid(author.uid)?, gid: view.stored_gid(author.gid)?, ..author }),
        }
    }

    /// Makes it where nothing lies, with its owner and mode. For a file: its descriptor.
    fn make_in(
        &self,
        dir: &OwnedFd,
        name: &OsStr,
        making: Making<'_>,
        author: Author,
        above: &Stat,
    ) -> Op<Option<OwnedFd>> {
        umask(Mode::from_raw_mode(author.umask));
        let made = make_masked(dir, name, making);
        umask(Mode::empty());
        let file = made?;
        let given = give_away(dir, name, making, author, above);
        if let Err(error) = given.and_then(|()| self.write_owner(dir, name, author.recorded)) {
            let flags = if matches!(making, Making::Directory { .. }) { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            let _ = unlinkat(dir, name, flags);
            return Err(error);
        }
        Ok(file)
    }

    /// As `make_in`, where the upper has a whiteout.
    fn make_over_whiteout(
        &self,
        parent: &Arc<Node>,
        name: &OsStr,
        making: Making<'_>,
        author: Author,
        above: &Stat,
    ) -> Op<Option<OwnedFd>> {
        let dir = &*self.directory(parent, UPPER)?;
        if !is_whiteout(dir, name, &statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?)? {
            return Err(Errno::EXIST);
        }
        // A directory like the final one, so that the disk does here what it would do there.
        let work = self.work()?;
        let staged = self.staged();
        mkdirat(work, &staged, Mode::RWXU)?;
        let made = open_work(work, &staged).and_then(|inner| {
            imitate(dir, &inner, above)?;
            let file = self.make_in(&inner, name, making, author, above)?;
            let result = match making {
                Making::Directory { .. } => self.exchange_sealed(&inner, dir, parent, name),
                _ => rustix::fs::renameat(&inner, name, dir, name),
            };
            // What is left there now: the whiteout, or what could not be moved.
            let _ = unlinkat(&inner, name, AtFlags::empty());
            let _ = unlinkat(&inner, name, AtFlags::REMOVEDIR);
            result.map(|()| file)
        });
        let _ = unlinkat(work, &staged, AtFlags::REMOVEDIR);
        made
    }

    /// The new directory in `from` and the whiteout in `to`, which is the upper part of `parent`, change places.
    fn exchange_sealed(&self, from: &OwnedFd, to: &OwnedFd, parent: &Arc<Node>, name: &OsStr) -> Op<()> {
        let made = open_beneath(from, name)?;
        let placed = self.seal(&made, parent, name).and_then(|()| self.change_places((from, name), (to, name)));
        if placed.is_err() {
            let _ = remove_entries(&made);
        }
        placed
    }
}

fn open_work(work: impl AsFd, staged: &str) -> Op<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(work, staged, flags, Mode::empty())
}

/// Gives `inner` what new entries inherit from `dir`: group and set-group-id bit, default ACL.
fn imitate(dir: &OwnedFd, inner: &OwnedFd, above: &Stat) -> Op<()> {
    rustix::fs::fchown(inner, None, Some(Gid::from_raw(above.st_gid)))?;
    let bits = Mode::from_raw_mode(0o700 | above.st_mode & 0o2000);
    rustix::fs::fchmod(inner, bits)?;
    let mut acl = Vec::with_capacity(4 << 10);
    match rustix::fs::fgetxattr(dir, DEFAULT_ACL, spare_capacity(&mut acl)) {
        Ok(_) => rustix::fs::fsetxattr(inner, DEFAULT_ACL, &acl, XattrFlags::empty()),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(error),
    }
}

fn make_masked(dir: &OwnedFd, name: &OsStr, making: Making<'_>) -> Op<Option<OwnedFd>> {
    let bits = |mode: u32| Mode::from_raw_mode(mode & 0o7777);
    match making {
        Making::File { mode } => {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            return openat(dir, name, flags, bits(mode)).map(Some);
        }
        Making::Directory { mode } => mkdirat(dir, name, bits(mode))?,
        Making::Symlink { target } => symlinkat(target, dir, name)?,
        Making::Node { kind, mode } => mknodat(dir, name, kind, bits(mode), 0)?,
    }
    Ok(None)
}

/// The owner: the author's, but the group of a directory with the set-group-id bit is inherited.
fn give_away(dir: &OwnedFd, name: &OsStr, making: Making<'_>, author: Author, above: &Stat) -> Op<()> {
    let inherits = above.st_mode & 0o2000 != 0;
    if author.uid == 0 && (author.gid == 0 || inherits) {
        return Ok(());
    }
    let group = (!inherits).then(|| Gid::from_raw(author.gid));
    chownat(dir, name, Some(Uid::from_raw(author.uid)), group, AtFlags::SYMLINK_NOFOLLOW)?;
    match making {
        // A change of owner takes these bits.
        Making::File { mode } | Making::Node { mode, .. } if mode & 0o6000 != 0 => {
            let bits = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode & 0o777 | mode & 0o7000;
            chmodat(dir, name, Mode::from_raw_mode(bits), AtFlags::empty())
        }
        _ => Ok(()),
    }
}
