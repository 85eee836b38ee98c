//! Owners, extended attributes, modes and times, in the order in which the kernel keeps them: a change of owner clears setuid
//! bits and capabilities, a write clears them too, so content and owner come first.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Gid, Uid, XattrFlags};
use rustix::io::Errno;

use super::super::attributes::is_kept;
use super::super::tar_stream::Entry;
use super::super::{Problem, shown};
use super::Unpack;
use super::tree::{Place, inode};
use crate::store::layers::Mode;
use crate::sys;

impl Unpack<'_> {
    /// Gives an entry its owner, never following. In recorded mode all belongs to the user, and the owner is noted.
    pub(super) fn own(&mut self, place: &Place, entry: &Entry) -> Result<(), Problem> {
        match self.owner(entry)? {
            None if self.mode == Mode::Recorded => self.tree.record_at(place, entry),
            None => Ok(()),
            Some((uid, gid)) => {
                let flags = AtFlags::SYMLINK_NOFOLLOW;
                let done = rustix::fs::chownat(&*place.parent, place.name.as_slice(), Some(uid), Some(gid), flags);
                chowned(done, entry)
            }
        }
    }

    pub(super) fn own_fd(&mut self, file: BorrowedFd<'_>, entry: &Entry) -> Result<(), Problem> {
        match self.owner(entry)? {
            None if self.mode == Mode::Recorded => self.tree.record(inode(file)?, entry),
            None => Ok(()),
            Some((uid, gid)) => chowned(rustix::fs::fchown(file, Some(uid), Some(gid)), entry),
        }
    }

    /// `None`: as it is made (root of the namespace in mapped mode, the user in recorded mode).
    fn owner(&self, entry: &Entry) -> Result<Option<(Uid, Gid)>, Problem> {
        if self.mode == Mode::Recorded || (entry.uid, entry.gid) == (0, 0) {
            return Ok(None);
        }
        let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX).ok_or_else(|| unmapped(entry));
        Ok(Some((Uid::from_raw(id(entry.uid)?), Gid::from_raw(id(entry.gid)?))))
    }

    /// Sets the extended attributes that are kept. After the owner, before the mode.
    pub(super) fn attributes(&mut self, file: BorrowedFd<'_>, entry: &Entry) -> Result<(), Problem> {
        for (name, value) in &entry.xattrs {
            if !is_kept(name) {
                self.summary.dropped_attributes += 1;
                continue;
            }
            match rustix::fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
                Ok(()) => {}
                // Not every file system has them, and a namespace can't map every id in an ACL.
                Err(Errno::OPNOTSUPP | Errno::PERM | Errno::INVAL) => self.summary.dropped_attributes += 1,
                Err(error) => return Err(sys::Error::new(format!("fsetxattr({})", shown(name)), error).into()),
            }
        }
        Ok(())
    }
}

fn chowned(done: rustix::io::Result<()>, entry: &Entry) -> Result<(), Problem> {
    match done {
        Ok(()) => Ok(()),
        Err(Errno::INVAL) => Err(unmapped(entry)),
        Err(error) => Err(sys::Error::new(format!("chown({}:{})", entry.uid, entry.gid), error).into()),
    }
}

pub(super) fn unmapped(entry: &Entry) -> Problem {
    Problem::UnmappedOwner(format!("{}:{}", entry.uid, entry.gid))
}
