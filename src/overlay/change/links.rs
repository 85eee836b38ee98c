//! Hard links: one file under several names, some of which lie in a lower layer.
//!
//! A copy-up gives the copy those names that are known; of others nobody knows where they are. So that the file stays one
//! for as long as the mount lives, its node is kept (see `State::links`), and a name that turns up later becomes a link of
//! the copy. If the copy loses its last name before that, one in the work directory (the *attic*) keeps it.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::sync::Arc;

use fuser::FileAttr;
use rustix::fs::{AtFlags, FileType, Stat, linkat, statat, unlinkat};
use rustix::io::Errno;

use super::copy_up::times;
use super::whiteout::point;
use crate::overlay::inode::{Found, Key, Layers, Node, UPPER, lock};
use crate::overlay::lookup::is_whiteout;
use crate::overlay::tree::{Op, Tree};

impl Tree {
    /// FUSE link.
    pub fn link(&self, ino: u64, parent: u64, name: &OsStr) -> Op<FileAttr> {
        let (node, parent) = (self.node(ino)?, self.node(parent)?);
        self.copy_up(&parent, None)?;
        self.copy_up(&node, None)?;
        point("overlay: link")?;
        let _names = self.renaming();
        let (from, its) = node.name().ok_or(Errno::NOENT)?;
        let (from, dir) = (self.directory(&from, UPPER)?, self.directory(&parent, UPPER)?);
        match linkat(&from, &its, &dir, name, AtFlags::empty()) {
            Err(Errno::EXIST) => {
                if !is_whiteout(&dir, name, &statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?)? {
                    return Err(Errno::EXIST);
                }
                let (work, staged) = (self.work()?, self.staged());
                linkat(&from, &its, work, &staged, AtFlags::empty())?;
                if let Err(error) = rustix::fs::renameat(work, &staged, &dir, name) {
                    let _ = unlinkat(work, &staged, AtFlags::empty());
                    return Err(error);
                }
            }
            result => result?,
        }
        self.count_open(&dir)?;
        let shown = lock(&node.state).links.map(|links| links + 1);
        let stat = self.settle(&node, &parent, name, shown)?;
        let found = Found { layers: Layers::One(UPPER), stat, key: Key::new(UPPER, &stat) };
        let node = self.table.adopt(&parent, name, &found);
        self.relist(&parent, name, Some(&node));
        Ok(self.attributes(&node, &stat))
    }

    /// Makes sure that what lies under a name, if it lies in a lower layer and was copied up under another name, has this one,
    /// too. Takes `names` itself.
    pub fn link_again(&self, node: &Arc<Node>, parent: &Arc<Node>, name: &OsStr) -> Op<()> {
        self.copy_up(parent, None)?;
        let _names = self.renaming();
        let dir = self.directory(parent, UPPER)?;
        match statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            result => return result.map(|_| ()),
        }
        let others = lock(&node.state).names.clone();
        let is_other = |(of, its): &&(Arc<Node>, Box<OsStr>)| !Arc::ptr_eq(of, parent) || **its != *name;
        let (other, its) = others.iter().find(is_other).ok_or(Errno::STALE)?;
        let before = rustix::fs::fstat(&dir)?;
        linkat(self.directory(other, UPPER)?, &**its, &dir, name, AtFlags::empty())?;
        // The directory's content did not change for those who look from above.
        rustix::fs::futimens(&dir, &times(&before))?;
        self.count_open(&dir)?;
        let shown = lock(&node.state).links;
        self.settle(node, parent, name, shown).map(|_| ())
    }

    /// A file in the upper directory has one name more there, and shows so many links. Its attributes.
    fn settle(&self, node: &Arc<Node>, parent: &Arc<Node>, name: &OsStr, shown: Option<u32>) -> Op<Stat> {
        self.leave_attic(node);
        let stat = statat(self.directory(parent, UPPER)?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        // Once the disk has all of them, it counts them, too.
        lock(&node.state).links = shown.filter(|links| *links != stat.st_nlink as u32);
        Ok(stat)
    }

    /// A file of a lower layer that is to lose a name, that somebody may have open, and that can't be opened here, since it is no
    /// regular one: if it has other names, which may not be known, it must be copied up first, so that the attic can keep it.
    pub fn must_rise(&self, found: &Found) -> Option<Arc<Node>> {
        let regular = matches!(found.kind(), FileType::RegularFile | FileType::Directory);
        if regular || found.in_upper() || found.stat.st_nlink < 2 || self.features.living.is_some() {
            return None;
        }
        self.table.known(&found.key).filter(|node| !node.in_upper())
    }

    /// Before a name is removed or replaced: whoever has the file open, and its other names, keep it. Needs `names`,
    /// exclusively.
    pub fn keep_for_others(&self, found: &Found) -> Op<()> {
        let Some(node) = self.table.known(&found.key) else { return Ok(()) };
        let (names, links) = {
            let state = lock(&node.state);
            (state.names.clone(), state.links)
        };
        if node.kind == FileType::RegularFile && names.len() <= 1 {
            // Where that fails, whoever has it open gets an error; to fail the removal would be no better.
            let _ = self.opened(&node);
        }
        if node.kind == FileType::Symlink && names.len() <= 1 {
            // Somebody may be on his way through it.
            let target = self.target(&node).ok();
            lock(&node.state).target = target.map(Vec::into_boxed_slice);
        }
        if found.in_upper()
            && found.stat.st_nlink == 1
            && links.is_some_and(|links| links > 1)
            && let Some((parent, name)) = names.first()
        {
            let staged = self.staged();
            linkat(self.directory(parent, UPPER)?, &**name, self.work()?, &staged, AtFlags::empty())?;
            self.table.add_name(&node, &self.attic, OsStr::new(&staged));
        }
        Ok(())
    }

    /// `name` does not mean what was found there any more.
    pub fn gone(&self, parent: &Arc<Node>, name: &OsStr, found: &Found) {
        self.relist(parent, name, None);
        let node = self.table.known(&found.key);
        if let Some(node) = &node {
            self.remember_owner(node, parent, name, found);
        }
        let counted = node.as_ref().and_then(|node| lock(&node.state).links);
        let left = counted.unwrap_or(found.stat.st_nlink as u32).saturating_sub(1);
        if found.kind() == FileType::Directory || left == 0 {
            return self.gone_for_ever(parent, name, found, node);
        }
        let Some(node) = node else { return };
        self.table.unname(&node, parent, name, None);
        let mut state = lock(&node.state);
        let on_disk = found.in_upper().then_some((found.stat.st_nlink as u32).saturating_sub(1));
        state.links = Some(left).filter(|links| Some(*links) != on_disk);
    }

    fn gone_for_ever(&self, parent: &Arc<Node>, name: &OsStr, found: &Found, node: Option<Arc<Node>>) {
        // The name may have lain in a lower layer alone, the file in the upper directory.
        let copy = node.as_ref().filter(|node| !found.in_upper() && !node.is_dir() && node.in_upper());
        let copy = copy.and_then(|node| self.stat(node).ok()).map(|stat| Found {
            layers: Layers::One(UPPER),
            stat,
            key: Key::new(UPPER, &stat),
        });
        let found = copy.as_ref().unwrap_or(found);
        self.forget_owner(found);
        self.uncount(found, node.as_ref());
        let Some(node) = node else { return };
        self.leave_attic(&node);
        let mut last = found.stat;
        last.st_nlink = 0;
        self.table.unname(&node, parent, name, Some(last));
    }

    fn leave_attic(&self, node: &Arc<Node>) {
        let names = lock(&node.state).names.clone();
        for (_, name) in names.iter().filter(|(of, _)| Arc::ptr_eq(of, &self.attic)) {
            // What stays in the work directory is swept at the next mount.
            let _ = self.work().and_then(|work| unlinkat(work.as_fd(), &**name, AtFlags::empty()));
            self.table.unname(node, &self.attic, name, None);
        }
    }
}
