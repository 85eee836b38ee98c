//! Recorded ownership: with one id every file on disk is that one's, and is shown so; who it would belong to is written down.
//!
//! ```text
//!   lower    the layer's table (store::owners), read at its first copy-up     ──▶  upper    an attribute, or the journal
//!   chown    the supervisor sets `security.coracle.owner` through the mount   ──▶
//!   create   the one id's own place inside, or the group of a set-group-id directory  ──▶
//! ```
//!
//! Programs that rewrite a file give the new one the owner that stat(2) told them of the old, and here all show the same. So an
//! open file that is given what it shows keeps what is noted; and a file that was given what it shows takes over the owner of the
//! file that it replaces by rename. What is lost all the same: a copy beside the original (`cp -p`) is root's.
//!
//! Attributes named `security.coracle.*` are words to this server, never on disk. The kernel lets only root of the file system's
//! namespace set any of that kind, and the container's root is not that. Through the mount, because so the kernel keeps its
//! order: what it knows of the file stays true, and locks are taken as ever.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};

use rustix::fs::{FileType, Mode, OFlags, Stat, XattrFlags, openat};
use rustix::io::Errno;

use super::Error;
use super::inode::{Found, Node, ROOT, UPPER, lock};
use super::tree::{Op, Tree};
use crate::store::owners::{self, Journal, Owner, Table};
use crate::sys;

/// `uid:gid` with `-` for what stays: the owner of this file, as a chown inside asked for.
pub const OWNER: &str = owners::WORD;
/// As [`OWNER`], asked for by a descriptor of the file.
pub const OWNER_OF_OPEN: &str = "security.coracle.owner-of-open";
/// `uid:gid`, of the root: whose the files are that are made from now on.
pub const AUTHOR: &str = "security.coracle.author";

/// What is known of owners.
#[derive(Debug)]
pub struct Owners {
    /// By layer number, as far as they were needed.
    tables: Vec<Mutex<Option<Arc<Table>>>>,
    journal: Mutex<Journal>,
    author: Mutex<Owner>,
}

impl Owners {
    /// `layers`: how many there are, the upper included.
    pub fn beside(upper: &OwnedFd, layers: usize) -> Result<Self, Error> {
        let tables = (0..layers).map(|_| Mutex::default()).collect();
        Ok(Self { tables, journal: Mutex::new(Journal::beside(upper.as_fd())?), author: Mutex::default() })
    }

    /// The new upper file with this number is `owner`'s. It has no attribute yet, but the number may be one of the journal's.
    fn write_new(&self, dir: impl AsFd, name: &OsStr, stat: &Stat, owner: Owner) -> Op<()> {
        if owner != Owner::ROOT && takes_attribute(stat) {
            rustix::process::fchdir(&dir)?;
            let value = owner.to_string();
            match rustix::fs::lsetxattr(name, owners::ATTRIBUTE, value.as_bytes(), XattrFlags::empty()) {
                Err(Errno::OPNOTSUPP) => {}
                result => return result.and_then(|()| self.note(stat.st_ino, Owner::ROOT)),
            }
        }
        self.note(stat.st_ino, owner)
    }

    fn note(&self, inode: u64, owner: Owner) -> Op<()> {
        lock(&self.journal).set(inode, owner).map_err(|error| errno(&error))
    }
}

fn takes_attribute(stat: &Stat) -> bool {
    matches!(FileType::from_raw_mode(stat.st_mode), FileType::RegularFile | FileType::Directory)
}

fn errno(error: &sys::Error) -> Errno {
    Errno::from_io_error(&error.source).unwrap_or(Errno::IO)
}

/// `uid:gid`, each of which may be left out by `-`.
fn parse(value: &[u8]) -> Option<(Option<u32>, Option<u32>)> {
    let (uid, gid) = std::str::from_utf8(value).ok()?.split_once(':')?;
    let id = |text: &str| if text == "-" { Some(None) } else { text.parse().ok().map(Some) };
    Some((id(uid)?, id(gid)?))
}

impl Tree {
    /// Whether an attribute is a word to this server.
    pub fn is_word(&self, attribute: &[u8]) -> bool {
        self.owners.is_some() && [OWNER, OWNER_OF_OPEN, AUTHOR].iter().any(|word| word.as_bytes() == attribute)
    }

    /// Takes a word.
    pub fn told(&self, ino: u64, attribute: &[u8], value: &[u8]) -> Op<()> {
        let Some(owners) = &self.owners else { return Err(Errno::OPNOTSUPP) };
        let (uid, gid) = parse(value).ok_or(Errno::INVAL)?;
        if attribute != AUTHOR.as_bytes() {
            let shown = *lock(&owners.author);
            let keeps = attribute == OWNER_OF_OPEN.as_bytes() && changed(shown, uid, gid) == shown;
            return self.change_owner(owners, ino, |noted| if keeps { noted } else { changed(noted, uid, gid) });
        }
        match (uid, gid) {
            (Some(uid), Some(gid)) if ino == ROOT => *lock(&owners.author) = Owner { uid, gid },
            _ => return Err(Errno::INVAL),
        }
        Ok(())
    }

    /// Writes down what a chown asked for. As the real one, it takes file capabilities; set-user-id bits the supervisor takes,
    /// through the mount, since the kernel remembers modes.
    fn change_owner(&self, owners: &Owners, ino: u64, change: impl Fn(Owner) -> Owner) -> Op<()> {
        let node = self.node(ino)?;
        if lock(&node.state).last.is_some() {
            // Without a name it is nobody's: it ends with who holds it open.
            return Ok(());
        }
        self.copy_up(&node, None)?;
        let _names = self.reading();
        let stat = self.stat(&node)?;
        if !takes_attribute(&stat) {
            let noted = lock(&owners.journal).get(stat.st_ino).unwrap_or_default();
            return owners.note(stat.st_ino, change(noted));
        }
        let file = if node.is_dir() { self.directory(&node, UPPER)? } else { self.opened(&node)? };
        let noted = lock(&owners.journal).owner_of(stat.st_ino, Some(file.as_fd())).map_err(|error| errno(&error))?;
        let owner = change(noted);
        if !node.is_dir() {
            match rustix::fs::fremovexattr(&file, c"security.capability") {
                Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(error) => return Err(error),
            }
        }
        match owners::set_on_file(file.as_fd(), owner) {
            Err(Errno::OPNOTSUPP) => owners.note(stat.st_ino, owner),
            result => result.and_then(|()| self.count_open(&file)),
        }
    }

    /// Whose a file is, as it is written down: the answer to who asks for [`OWNER`].
    pub fn noted_owner(&self, ino: u64) -> Op<Owner> {
        let Some(owners) = &self.owners else { return Err(Errno::OPNOTSUPP) };
        let node = self.node(ino)?;
        let _names = self.reading();
        if *node.layers().first().ok_or(Errno::STALE)? != UPPER {
            return self.owner_below(&node);
        }
        let stat = self.stat(&node)?;
        if !takes_attribute(&stat) {
            return Ok(lock(&owners.journal).get(stat.st_ino).unwrap_or_default());
        }
        let file = if node.is_dir() { self.directory(&node, UPPER)? } else { self.opened(&node)? };
        lock(&owners.journal).owner_of(stat.st_ino, Some(file.as_fd())).map_err(|error| errno(&error))
    }

    /// Whose the lower file `node` is. Needs `names`.
    pub fn owner_below(&self, node: &Arc<Node>) -> Op<Owner> {
        let Some(owners) = &self.owners else { return Ok(Owner::ROOT) };
        if node.name().is_none() {
            return Ok(lock(&node.state).owner.unwrap_or_default());
        }
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        self.owner_in(owners, layer, &path(node)?)
    }

    /// Before what was found loses its name: whose it is could not be found without one. Needs `names`.
    pub fn remember_owner(&self, node: &Node, parent: &Arc<Node>, name: &OsStr, found: &Found) {
        let (Some(owners), Some(layer)) = (&self.owners, found.layers.first()) else { return };
        if !found.in_upper() && !node.is_dir() {
            let owner = path_of(parent, name).and_then(|path| self.owner_in(owners, *layer, &path));
            lock(&node.state).owner = owner.ok();
        }
    }

    fn owner_in(&self, owners: &Owners, layer: u16, path: &[u8]) -> Op<Owner> {
        if self.lives(layer) {
            // No layer of ours, and root's for all that this account can tell.
            return Ok(Owner::ROOT);
        }
        let mut table = lock(owners.tables.get(usize::from(layer)).ok_or(Errno::STALE)?);
        let table = match &mut *table {
            Some(table) => table,
            none => {
                none.insert(Arc::new(Table::beside(self.layer_root(layer)?.as_fd()).map_err(|error| errno(&error))?))
            }
        };
        Ok(table.get(path).0)
    }

    /// Before `new` takes the place of `old`, both regular files: passes the old one's owner on to a new one that was given
    /// what all files show. Needs `names`.
    pub fn pass_owner_on(&self, new: (&Arc<Node>, &OsStr), old: (&Arc<Node>, &OsStr), found: &Found) -> Op<()> {
        let Some(owners) = &self.owners else { return Ok(()) };
        let open = |(parent, name): (&Arc<Node>, &OsStr)| {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            openat(self.directory(parent, UPPER)?, name, flags, Mode::empty())
        };
        let file = open(new)?;
        let given = owners::of_file(file.as_fd()).map_err(|error| errno(&error))?;
        if given != Some(*lock(&owners.author)) {
            return Ok(());
        }
        let owner = match found.layers.first() {
            Some(&UPPER) => {
                let file = open(old)?;
                let known = lock(&owners.journal).owner_of(found.stat.st_ino, Some(file.as_fd()));
                known.map_err(|error| errno(&error))?
            }
            Some(layer) => self.owner_in(owners, *layer, &path_of(old.0, old.1)?)?,
            None => return Err(Errno::STALE),
        };
        owners::set_on_file(file.as_fd(), owner)
    }

    /// Writes down whose a file of the upper or the work directory is that was made just now.
    pub fn write_owner(&self, dir: impl AsFd, name: &OsStr, owner: Owner) -> Op<()> {
        let Some(owners) = &self.owners else { return Ok(()) };
        if owner == Owner::ROOT && lock(&owners.journal).is_empty() {
            return Ok(());
        }
        let stat = rustix::fs::statat(&dir, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
        owners.write_new(dir, name, &stat, owner)
    }

    /// Whose what is made in the upper directory `dir` will be.
    pub fn owner_of_made(&self, dir: &OwnedFd, above: &Stat) -> Op<Owner> {
        let Some(owners) = &self.owners else { return Ok(Owner::ROOT) };
        let author = *lock(&owners.author);
        if above.st_mode & 0o2000 == 0 {
            return Ok(author);
        }
        let parent = lock(&owners.journal).owner_of(above.st_ino, Some(dir.as_fd())).map_err(|error| errno(&error))?;
        Ok(Owner { gid: parent.gid, ..author })
    }

    /// The last name of what was found is gone: its number may come again.
    pub fn forget_owner(&self, found: &Found) {
        if let Some(owners) = &self.owners
            && found.in_upper()
        {
            // A stale note is corrected when its number is given to a new file.
            let _ = owners.note(found.stat.st_ino, Owner::ROOT);
        }
    }

    /// The journal is on the disk.
    pub fn sync_owners(&self) -> Op<()> {
        match &self.owners {
            Some(owners) => lock(&owners.journal).sync().map_err(|error| errno(&error)),
            None => Ok(()),
        }
    }
}

fn changed(owner: Owner, uid: Option<u32>, gid: Option<u32>) -> Owner {
    Owner { uid: uid.unwrap_or(owner.uid), gid: gid.unwrap_or(owner.gid) }
}

/// Where a node lies, from the root. In a lower layer it is the same as in the tree: what is renamed is copied up.
fn path(node: &Arc<Node>) -> Op<Vec<u8>> {
    let mut names = Vec::new();
    let mut at = node.clone();
    while at.ino != ROOT {
        let (parent, name) = at.name().ok_or(Errno::STALE)?;
        names.push(name);
        at = parent;
    }
    let names: Vec<&[u8]> = names.iter().rev().map(|name| name.as_bytes()).collect();
    Ok(names.join(&b'/'))
}

fn path_of(parent: &Arc<Node>, name: &OsStr) -> Op<Vec<u8>> {
    let parent = path(parent)?;
    Ok(if parent.is_empty() { name.as_bytes().to_vec() } else { [&parent, name.as_bytes()].join(&b'/') })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_word_names_both_ids_or_leaves_them() {
        assert_eq!(parse(b"33:4294967294"), Some((Some(33), Some(4_294_967_294))));
        assert_eq!((parse(b"-:5"), parse(b"5:-")), (Some((None, Some(5))), Some((Some(5), None))));
        for bad in [&b""[..], b"5", b":", b"5:", b"-1:5", b"a:b", b"4294967296:0", b"\xff:0"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
