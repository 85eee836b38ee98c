//! A directory that lives: one of this machine's, which others go on writing. As the lower one it is looked at
//! (`--rootfs DIRECTORY:O`); with nothing below it, it is the upper one itself, and written to as well (`-v DIRECTORY:…:mine`).
//!
//! Nothing of it can be believed for long, so the kernel is told to ask again after a second, and a name is checked to lead
//! where it led before: if not, the kernel looks it up anew (ESTALE). Below, owners that have no id here, root of the machine
//! above all, are shown as root. What of it is no part of this tree shows as an empty directory: where something is mounted, and the
//! store, in which the overlay lies itself. What the user may not read, the user's containers may not either: the disk says so.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Stat, StatxAttributes, StatxFlags, fstat, statat, statx};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::inode::{Key, Node, ROOT, UPPER, lock};
use super::tree::{Op, Tree};

/// That the lower directory lives, or the upper one where it is the only one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Living {
    /// Directories that show as empty, by device and inode number.
    pub hides: Vec<(u64, u64)>,
}

/// How long the kernel may believe what it was told, where everything in the tree is this program's: 100 years.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);
/// And where it is not.
const MOMENT: Duration = Duration::from_secs(1);

/// What stat(2) says of an owner who has no id in this user namespace (/proc/sys/kernel/overflowuid).
const NOBODY: u32 = 65_534;

impl Tree {
    /// How long the kernel may believe an answer.
    pub fn trust(&self) -> Duration {
        if self.features.living.is_some() { MOMENT } else { FOREVER }
    }

    /// Whether others write this layer.
    pub fn lives(&self, layer: u16) -> bool {
        self.features.living.is_some() && (layer != UPPER || self.stands_alone())
    }

    /// The attributes of a file in a layer as this tree has them.
    pub fn adopted(&self, layer: u16, mut stat: Stat) -> Stat {
        if layer != UPPER && self.lives(layer) {
            for id in [&mut stat.st_uid, &mut stat.st_gid] {
                *id = if *id == NOBODY { 0 } else { *id };
            }
        }
        stat
    }

    /// The attributes of a name in a directory of a layer, as this tree has them.
    pub fn look(&self, dir: &OwnedFd, name: &OsStr, layer: u16) -> Op<Stat> {
        let mut stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if self.lives(layer) && FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
            let more = statx(dir, name, flags, StatxFlags::MNT_ID)?;
            if more.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
                // What is mounted may be a directory that this tree has elsewhere: it is known by its mount alone.
                stat.st_dev = !more.stx_mnt_id;
            }
        }
        Ok(self.adopted(layer, stat))
    }

    /// The directory `node` as far as it lies in `layer`; `None`: that has nothing to merge, or not any more. Needs `names`.
    pub fn part(&self, node: &Arc<Node>, layer: u16) -> Op<Option<Arc<OwnedFd>>> {
        let dir = match (self.directory(node, layer), &self.features.living) {
            (dir, Some(living)) if self.lives(layer) => match dir {
                Err(Errno::XDEV | Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                dir => {
                    let dir = dir?;
                    let stat = fstat(&dir)?;
                    if living.hides.contains(&(stat.st_dev, stat.st_ino)) || !self.is_still(node, layer, &stat) {
                        return Ok(None);
                    }
                    dir
                }
            },
            (dir, _) => dir?,
        };
        Ok(Some(dir))
    }

    /// FUSE open, which is asked for here alone: a file of others may be closed to this user, or be gone by the time that it
    /// is read.
    ///
    /// What others may rename or replace meanwhile is held by the descriptor until it is closed, and no longer.
    pub fn open_living(&self, ino: u64, writes: bool) -> Op<()> {
        let node = self.node(ino)?;
        if writes {
            self.writable(&node)?;
        }
        self.file_of(ino)?;
        lock(&node.state).opens += 1;
        Ok(())
    }

    /// FUSE release, which comes here alone, too.
    pub fn close_living(&self, ino: u64) -> Op<()> {
        let node = self.node(ino)?;
        let mut state = lock(&node.state);
        state.opens = state.opens.saturating_sub(1);
        if state.opens == 0 && self.lives(UPPER) {
            state.file = None;
        }
        Ok(())
    }

    /// Whether what was found where `node` lies is what lay there when it was looked up.
    pub fn is_still(&self, node: &Node, layer: u16, found: &Stat) -> bool {
        !self.lives(layer) || node.ino == ROOT || lock(&node.state).keys.contains(&Key::new(layer, found))
    }
}
