//! Extended attributes. Those by which the overlay itself is written down are never seen from above, and can't be set.

use std::borrow::Cow;
use std::ffi::{CString, OsString};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::whiteout::point;
use crate::overlay::inode::{Node, ROOT};
use crate::overlay::owners::OWNER;
use crate::overlay::quota::BLOCK;
use crate::overlay::session::turns::lock_patiently;
use crate::overlay::tree::{Op, Tree};

/// The kernel's limit for a value, and for a list of names.
const LARGEST: usize = 64 << 10;

/// So much of a value, for all that a quota cares, takes no room.
const IN_THE_INODE: usize = 64;

/// Whether an attribute is the overlay's own.
pub fn is_private(attribute: &[u8]) -> bool {
    [b"user.overlay.".as_slice(), b"user.coracle.", b"security.coracle."]
        .into_iter()
        .any(|prefix| attribute.starts_with(prefix))
}

/// Where the attributes of a node are reached.
enum Place {
    Open(Arc<OwnedFd>),
    /// A name in this thread's current directory.
    Named(OsString),
}

fn public(attribute: &[u8]) -> Op<CString> {
    if is_private(attribute) {
        return Err(Errno::OPNOTSUPP);
    }
    CString::new(attribute).map_err(|_| Errno::INVAL)
}

impl Tree {
    /// Needs `names`.
    fn place(&self, node: &Arc<Node>) -> Op<Place> {
        if let Some(file) = node.file() {
            return Ok(Place::Open(file));
        }
        if node.is_lost() {
            return Err(Errno::STALE);
        }
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        // What others own may be a directory that can't be opened for that.
        if node.is_dir() && (node.ino == ROOT || !self.lives(layer)) {
            return Ok(Place::Open(self.directory(node, layer)?));
        }
        let (parent, name) = node.name().ok_or(Errno::STALE)?;
        rustix::process::fchdir(self.directory(&parent, layer)?)?;
        Ok(Place::Named(name))
    }

    /// FUSE getxattr.
    pub fn getxattr(&self, ino: u64, attribute: &[u8]) -> Op<Vec<u8>> {
        if attribute == OWNER.as_bytes() && self.is_word(attribute) {
            return Ok(self.noted_owner(ino)?.to_string().into_bytes());
        }
        let attribute = public(attribute)?;
        let node = self.node(ino)?;
        let _names = self.reading();
        if node.is_lost() {
            return Err(Errno::NODATA);
        }
        let place = self.place(&node)?;
        let value = sized(|value| match &place {
            Place::Open(file) => rustix::fs::fgetxattr(file, &*attribute, spare_capacity(value)),
            Place::Named(name) => rustix::fs::lgetxattr(name, &*attribute, spare_capacity(value)),
        })?;
        match &self.features.view {
            None => Ok(value),
            Some(view) => view.shown_attribute(attribute.to_bytes(), value),
        }
    }

    /// FUSE listxattr: names, each ended by a NUL.
    pub fn listxattr(&self, ino: u64) -> Op<Vec<u8>> {
        let node = self.node(ino)?;
        let _names = self.reading();
        if node.is_lost() {
            return Ok(Vec::new());
        }
        let place = self.place(&node)?;
        let all = sized(|list| match &place {
            Place::Open(file) => rustix::fs::flistxattr(file, spare_capacity(list)),
            Place::Named(name) => rustix::fs::llistxattr(name, spare_capacity(list)),
        })?;
        Ok(all.split_inclusive(|byte| *byte == 0).filter(|name| !is_private(name)).flatten().copied().collect())
    }

    /// FUSE setxattr.
    pub fn setxattr(&self, ino: u64, attribute: &[u8], value: &[u8], flags: u32) -> Op<()> {
        if self.is_word(attribute) {
            return self.told(ino, attribute, value);
        }
        let attribute = public(attribute)?;
        let node = self.node(ino)?;
        self.copy_up(&node, None)?;
        point("overlay: setxattr")?;
        let flags = XattrFlags::from_bits_retain(flags);
        let value = match &self.features.view {
            None => Cow::Borrowed(value),
            Some(view) => Cow::Owned(view.stored_attribute(attribute.to_bytes(), value.to_vec())?),
        };
        // A value that does not fit into the inode has a block of its own.
        let _room =
            self.admit(if value.len() > IN_THE_INODE { (value.len() as u64).next_multiple_of(BLOCK) } else { 0 })?;
        let _names = self.reading();
        // Not while data is written back, which preserves what privileges there were (see `handle`).
        let _changing = lock_patiently(&node.changing);
        match self.place(&node)? {
            Place::Open(file) => rustix::fs::fsetxattr(file, &*attribute, &value, flags),
            Place::Named(name) => rustix::fs::lsetxattr(name, &*attribute, &value, flags),
        }?;
        if self.quota.is_some() {
            self.count(&self.stat(&node)?);
        }
        Ok(())
    }

    /// FUSE removexattr.
    pub fn removexattr(&self, ino: u64, attribute: &[u8]) -> Op<()> {
        let attribute = public(attribute)?;
        let node = self.node(ino)?;
        // A file without the attribute need not be copied to learn that.
        self.getxattr(ino, attribute.as_bytes())?;
        self.copy_up(&node, None)?;
        point("overlay: removexattr")?;
        let _names = self.reading();
        match self.place(&node)? {
            Place::Open(file) => rustix::fs::fremovexattr(file, &*attribute),
            Place::Named(name) => rustix::fs::lremovexattr(name, &*attribute),
        }?;
        if self.quota.is_some() {
            self.count(&self.stat(&node)?);
        }
        Ok(())
    }
}

/// Reads into a small buffer, and once more into a large one if that was too small.
pub fn sized(read: impl Fn(&mut Vec<u8>) -> Op<usize>) -> Op<Vec<u8>> {
    let mut value = Vec::with_capacity(256);
    match read(&mut value) {
        Err(Errno::RANGE) => {
            value.reserve(LARGEST);
            read(&mut value)?;
        }
        result => _ = result?,
    }
    Ok(value)
}
