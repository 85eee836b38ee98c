//! Changing attributes: mode, owner, size, times.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, TimeOrNow};
use rustix::fs::{
    AtFlags, Gid, Mode, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid, chmodat, chownat, utimensat,
};
use rustix::io::Errno;

use super::whiteout::point;
use crate::overlay::inode::{Node, ROOT, UPPER, lock};
use crate::overlay::session::turns::lock_patiently;
use crate::overlay::tree::{Op, Tree};

/// What is to change.
#[derive(Debug)]
pub struct Changes {
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub size: Option<u64>,
    pub atime: Option<TimeOrNow>,
    pub mtime: Option<TimeOrNow>,
}

impl Tree {
    /// FUSE setattr.
    pub fn setattr(&self, ino: u64, mut changes: Changes) -> Op<FileAttr> {
        if let Some(view) = &self.features.view {
            changes.uid = changes.uid.map(|uid| view.stored_uid(uid)).transpose()?;
            changes.gid = changes.gid.map(|gid| view.stored_gid(gid)).transpose()?;
        }
        let node = self.node(ino)?;
        if let Some(stat) = change_removed(&node, &changes) {
            return Ok(self.attributes(&node, &stat));
        }
        self.copy_up(&node, changes.size)?;
        point("overlay: setattr")?;
        let _names = self.reading();
        let _writing = lock_patiently(&node.changing);
        match node.file() {
            _ if changes.size.is_some() => self.change_open(&*self.opened_to_write(&node)?, &changes)?,
            Some(file) => self.change_open(&file, &changes)?,
            None if node.ino == ROOT || node.is_dir() => {
                self.change_open(&*self.directory(&node, UPPER)?, &changes)?;
            }
            None => self.change_named(&node, &changes)?,
        }
        let stat = self.stat(&node)?;
        if changes.size.is_some() {
            self.count(&stat);
        }
        Ok(self.attributes(&node, &stat))
    }

    /// The order matters: a change of owner or size takes set-user-id bits, which the mode may give.
    fn change_open(&self, file: &std::os::fd::OwnedFd, changes: &Changes) -> Op<()> {
        if changes.uid.is_some() || changes.gid.is_some() {
            rustix::fs::fchown(file, changes.uid.map(Uid::from_raw), changes.gid.map(Gid::from_raw))?;
        }
        if let Some(size) = changes.size {
            rustix::fs::ftruncate(file, size)?;
        }
        if let Some(mode) = changes.mode {
            rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o7777))?;
        }
        match times(changes) {
            Some(times) => rustix::fs::futimens(file, &times),
            None => Ok(()),
        }
    }

    fn change_named(&self, node: &Arc<Node>, changes: &Changes) -> Op<()> {
        let (parent, name) = node.name().ok_or(Errno::STALE)?;
        let dir = self.directory(&parent, UPPER)?;
        let (uid, gid) = (changes.uid.map(Uid::from_raw), changes.gid.map(Gid::from_raw));
        if uid.is_some() || gid.is_some() {
            chownat(&dir, &name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        if let Some(mode) = changes.mode {
            if node.kind == rustix::fs::FileType::Symlink {
                return Err(Errno::OPNOTSUPP);
            }
            chmodat(&dir, &name, Mode::from_raw_mode(mode & 0o7777), AtFlags::empty())?;
        }
        match times(changes) {
            Some(times) => utimensat(&dir, &name, &times, AtFlags::SYMLINK_NOFOLLOW),
            None => Ok(()),
        }
    }
}

/// A file without a name, and with no writable descriptor: only who holds it open read-only still sees it, so what the kernel
/// writes back (times, mostly) is kept in memory.
fn change_removed(node: &Node, changes: &Changes) -> Option<Stat> {
    let mut state = lock(&node.state);
    let writable = state.file.is_some() && state.layers.first() == Some(&UPPER);
    if writable || changes.size.is_some() {
        return None;
    }
    state.last?;
    let last = state.last.as_mut()?;
    if let Some(mode) = changes.mode {
        last.st_mode = last.st_mode & !0o7777 | mode & 0o7777;
    }
    last.st_uid = changes.uid.unwrap_or(last.st_uid);
    last.st_gid = changes.gid.unwrap_or(last.st_gid);
    if let Some(TimeOrNow::SpecificTime(time)) = changes.mtime {
        let time = specific(time);
        (last.st_mtime, last.st_mtime_nsec) = (time.tv_sec, time.tv_nsec as _);
    }
    Some(*last)
}

fn times(changes: &Changes) -> Option<Timestamps> {
    if changes.atime.is_none() && changes.mtime.is_none() {
        return None;
    }
    Some(Timestamps { last_access: time(changes.atime), last_modification: time(changes.mtime) })
}

fn time(time: Option<TimeOrNow>) -> Timespec {
    match time {
        None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        Some(TimeOrNow::Now) => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        Some(TimeOrNow::SpecificTime(time)) => specific(time),
    }
}

/// As the protocol carried it: the crate turned (seconds, nanoseconds) before 1970 into their distance from it, each by
/// itself, and is turned back here in the same way.
fn specific(time: SystemTime) -> Timespec {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Timespec { tv_sec: after.as_secs() as i64, tv_nsec: after.subsec_nanos().into() },
        Err(before) => {
            let before = before.duration();
            Timespec { tv_sec: -(before.as_secs() as i64), tv_nsec: before.subsec_nanos().into() }
        }
    }
}
