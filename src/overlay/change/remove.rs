//! Removing names: unlink and rmdir.

use std::ffi::OsStr;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, unlinkat};
use rustix::io::Errno;

use super::whiteout::{holds_entries, point};
use crate::overlay::inode::{Found, Node, UPPER};
use crate::overlay::tree::{Op, Tree};

impl Tree {
    /// FUSE unlink.
    pub fn unlink(&self, parent: u64, name: &OsStr) -> Op<()> {
        let parent = self.node(parent)?;
        self.copy_up(&parent, None)?;
        point("overlay: unlink")?;
        let (_names, found) = loop {
            let names = self.renaming();
            let found = self.find(&parent, name)?.ok_or(Errno::NOENT)?;
            match self.must_rise(&found) {
                None => break (names, found),
                Some(node) => {
                    drop(names);
                    self.copy_up(&node, None)?;
                }
            }
        };
        if found.kind() == FileType::Directory {
            return Err(Errno::ISDIR);
        }
        self.keep_for_others(&found)?;
        let below = self.shows_below(&parent, name)?;
        match (found.in_upper(), below) {
            (true, false) => self.remove_name(&*self.directory(&parent, UPPER)?, name)?,
            (in_upper, _) => _ = self.hide(&parent, name, in_upper.then_some(found.kind()))?,
        }
        self.gone(&parent, name, &found);
        Ok(())
    }

    /// FUSE rmdir.
    pub fn rmdir(&self, parent: u64, name: &OsStr) -> Op<()> {
        let parent = self.node(parent)?;
        self.copy_up(&parent, None)?;
        point("overlay: rmdir")?;
        let names = self.renaming();
        let found = self.find(&parent, name)?.ok_or(Errno::NOENT)?;
        if found.kind() != FileType::Directory {
            return Err(Errno::NOTDIR);
        }
        let node = self.table.adopt(&parent, name, &found);
        let removed = self.remove_directory(&parent, name, &node, &found);
        if removed.is_ok() {
            self.gone(&parent, name, &found);
        }
        drop(names);
        self.table.forget(node.ino, 1);
        if let Some(staged) = removed? {
            self.discard(&staged);
        }
        Ok(())
    }

    /// Gives what lies in the work directory now, and is to be discarded.
    fn remove_directory(
        &self,
        parent: &Arc<Node>,
        name: &OsStr,
        node: &Arc<Node>,
        found: &Found,
    ) -> Op<Option<String>> {
        if !self.entries(node)?.is_empty() {
            return Err(Errno::NOTEMPTY);
        }
        let below = self.shows_below(parent, name)?;
        if !found.in_upper() {
            return self.hide(parent, name, None);
        }
        if below {
            return self.hide(parent, name, Some(FileType::Directory));
        }
        let dir = self.directory(parent, UPPER)?;
        if !holds_entries(&dir, name)? {
            return unlinkat(dir, name, AtFlags::REMOVEDIR).map(|()| None);
        }
        let (work, staged) = (self.work()?, self.staged());
        rustix::fs::renameat(dir, name, work, &staged)?;
        Ok(Some(staged))
    }
}
