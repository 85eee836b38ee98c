//! Whiteouts: what a layer hides of the layers below it, in the form that overlayfs reads (kernel,
//! filesystems/overlayfs.rst, "whiteouts and opaque directories").
//!
//! `.wh.NAME` becomes a 0:0 character device, which any user may make; where the file system refuses, an empty file with
//! the attribute `user.overlay.whiteout` in a directory marked `user.overlay.opaque=x`. `.wh..wh..opq` marks its directory
//! `user.overlay.opaque=y`; an opaque directory has no whiteouts in the attribute form.
//!
//! A layer's own entries win over its whiteouts, in whichever order they come; but a directory that takes the place of anything
//! else must be opaque, or what was hidden would shine through it.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, XattrFlags};
use rustix::io::Errno;

use super::super::{Problem, shown};
use super::tree::{Place, Tree, inode, openat, stat};
use crate::sys::{self, Call};

pub const PREFIX: &[u8] = b".wh.";
pub const OPAQUE: &[u8] = b".wh..wh..opq";
const OPAQUE_ATTRIBUTE: &str = "user.overlay.opaque";

/// What a whiteout hides.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hidden<'a> {
    /// One name of its directory.
    Name(&'a [u8]),
    /// All of its directory.
    Everything,
    /// A note of AUFS to itself.
    Nothing,
}

/// What the entry `name` hides; `None`: it is no whiteout.
pub(super) fn hidden(name: &[u8]) -> Result<Option<Hidden<'_>>, Problem> {
    if name == OPAQUE {
        return Ok(Some(Hidden::Everything));
    }
    match name.strip_prefix(PREFIX) {
        None => Ok(None),
        Some(b"" | b"." | b"..") => Err(Problem::EmptyWhiteout),
        Some(rest) if rest.starts_with(PREFIX) => Ok(Some(Hidden::Nothing)),
        Some(rest) => Ok(Some(Hidden::Name(rest))),
    }
}

/// Whether a parent of the cleaned `path` is named like a whiteout.
pub(super) fn is_below_one(path: &[u8]) -> bool {
    let mut parts = path.split(|b| *b == b'/').rev();
    parts.next();
    parts.any(|part| part.starts_with(PREFIX))
}

impl Tree<'_> {
    pub(super) fn hide(&mut self, place: &Place, hidden: Hidden<'_>) -> Result<(), Problem> {
        let parent = place.parent.as_fd();
        match hidden {
            Hidden::Nothing => Ok(()),
            Hidden::Everything => Ok(self.mark_opaque(parent)?),
            Hidden::Name(name) => match stat(parent, name)? {
                None => Ok(self.make_whiteout(parent, name)?),
                Some(found) if FileType::from_raw_mode(found.st_mode) == FileType::Directory => {
                    Ok(self.mark_opaque(openat(parent, name)?.as_fd())?)
                }
                Some(_) => Ok(()),
            },
        }
    }

    /// Nothing of the layers below shows in this directory.
    pub(super) fn mark_opaque(&mut self, directory: BorrowedFd<'_>) -> sys::Result<()> {
        let inode = inode(directory)?;
        for name in self.attribute_whiteouts.remove(&inode).into_iter().flatten() {
            rustix::fs::unlinkat(directory, name.as_slice(), AtFlags::empty()).call("unlinkat(whiteout)")?;
        }
        self.opaque.insert(inode);
        set(directory, OPAQUE_ATTRIBUTE, b"y")
    }

    fn make_whiteout(&mut self, parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<()> {
        match rustix::fs::mknodat(parent, name, FileType::CharacterDevice, Mode::empty(), 0) {
            Ok(()) => Ok(()),
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::ACCESS | Errno::INVAL) => self.whiteout_file(parent, name),
            Err(error) => Err(sys::Error::new(format!("mknodat({}, 0:0)", shown(name)), error)),
        }
    }

    pub(super) fn whiteout_file(&mut self, parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<()> {
        let inode = inode(parent)?;
        if self.opaque.contains(&inode) {
            return Ok(());
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR);
        let file = file.call_with(|| format!("openat({})", shown(name)))?;
        set(file.as_fd(), "user.overlay.whiteout", b"y")?;
        set(parent, OPAQUE_ATTRIBUTE, b"x")?;
        self.record_nothing(super::tree::inode(file.as_fd())?);
        self.attribute_whiteouts.entry(inode).or_default().insert(name.to_vec());
        Ok(())
    }

    /// Whether the entry was made by [`Tree::hide`]: no other entry becomes a character device.
    pub(super) fn is_whiteout(&self, parent: BorrowedFd<'_>, name: &[u8], found: &Stat) -> sys::Result<bool> {
        if FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice {
            return Ok(true);
        }
        if self.attribute_whiteouts.is_empty() {
            return Ok(false);
        }
        Ok(self.attribute_whiteouts.get(&inode(parent)?).is_some_and(|names| names.contains(name)))
    }

    /// Takes away an entry that is not a directory, and what is remembered of it.
    pub(super) fn unlink(&mut self, parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<()> {
        rustix::fs::unlinkat(parent, name, AtFlags::empty()).call_with(|| format!("unlinkat({})", shown(name)))?;
        // Asked only where there are any: on almost every disk there are none.
        let inode = if self.attribute_whiteouts.is_empty() { None } else { Some(inode(parent)?) };
        if let Some(names) = inode.and_then(|inode| self.attribute_whiteouts.get_mut(&inode)) {
            names.remove(name);
        }
        Ok(())
    }
}

fn set(file: BorrowedFd<'_>, attribute: &str, value: &[u8]) -> sys::Result<()> {
    rustix::fs::fsetxattr(file, attribute, value, XattrFlags::empty()).call_with(|| format!("fsetxattr({attribute})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_whiteouts() {
        assert_eq!(hidden(b"a").unwrap(), None);
        assert_eq!(hidden(b".whale").unwrap(), None);
        assert_eq!(hidden(b".wh.a").unwrap(), Some(Hidden::Name(b"a")));
        assert_eq!(hidden(b".wh..wh..opq").unwrap(), Some(Hidden::Everything));
        assert_eq!(hidden(b".wh..wh.plnk").unwrap(), Some(Hidden::Nothing));
        assert_eq!(hidden(b".wh..a").unwrap(), Some(Hidden::Name(b".a")));
        for bad in [".wh.", ".wh..", ".wh..."] {
            assert!(hidden(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
