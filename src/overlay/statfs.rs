//! The numbers of the disk (FUSE statfs; statvfs(3)).

use rustix::fs::{StatVfs, fstatvfs};
use rustix::io::Errno;

use super::tree::{Op, Tree};

impl Tree {
    /// Of the disk under the upper directory, or under the topmost layer; a quota is a smaller one.
    pub fn statfs(&self) -> Op<StatVfs> {
        let layer = *self.root.layers().first().ok_or(Errno::STALE)?;
        Ok(self.limited(fstatvfs(self.layer_root(layer)?)?))
    }
}
