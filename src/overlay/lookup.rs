//! Finding what a name means: the first layer that has it decides, directories merge until one is opaque.
//!
//! The functions that take no lock say so; everything here reads only.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{FileAttr, INodeNo};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::inode::{Found, Key, Layers, Node, UPPER, lock};
use super::readdir::Listing;
use super::tree::{Op, Tree};

pub const OPAQUE: &CStr = c"user.overlay.opaque";
pub const WHITEOUT: &CStr = c"user.overlay.whiteout";

/// What `user.overlay.opaque` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opaque {
    No,
    /// Nothing below merges.
    Yes,
    /// Merges, and may hold whiteouts in the attribute form.
    AttributeWhiteouts,
}

impl Tree {
    /// FUSE lookup: the node (counted) and its attributes.
    pub fn lookup(&self, parent: u64, name: &OsStr) -> Op<FileAttr> {
        let parent = self.node(parent)?;
        let names = self.reading();
        let found = self.find(&parent, name)?.ok_or(Errno::NOENT)?;
        let node = self.table.adopt(&parent, name, &found);
        if !found.in_upper() && !node.is_dir() && node.in_upper() {
            // Another name of a file with several links, of which one was copied up in this session.
            drop(names);
            let linked = self.link_again(&node, &parent, name);
            let stat = linked.and_then(|()| self.stat(&node));
            if stat.is_err() {
                self.table.forget(node.ino, 1);
            }
            return Ok(self.attributes(&node, &stat?));
        }
        Ok(self.attributes(&node, &found.stat))
    }

    /// What `name` means in `parent`. Needs `names`.
    pub fn find(&self, parent: &Arc<Node>, name: &OsStr) -> Op<Option<Found>> {
        self.find_in(parent, name, &parent.layers())
    }

    /// Whether a lower layer would show something under `name` if the upper had nothing. Needs `names`.
    pub fn shows_below(&self, parent: &Arc<Node>, name: &OsStr) -> Op<bool> {
        let layers = parent.layers();
        let lowers = layers.strip_prefix(&[UPPER]).unwrap_or(&layers);
        Ok(self.find_in(parent, name, lowers)?.is_some())
    }

    /// What the lower layers would show in the directory `name` if the upper had nothing. Needs `names`.
    pub fn entries_below(&self, parent: &Arc<Node>, name: &OsStr) -> Op<Listing> {
        let layers = parent.layers();
        let lowers = layers.strip_prefix(&[UPPER]).unwrap_or(&layers);
        let Some(found) = self.find_in(parent, name, lowers)?.filter(|found| found.kind() == FileType::Directory)
        else {
            return Ok(Listing::new());
        };
        let node = self.table.adopt(parent, name, &found);
        let entries = self.entries(&node);
        self.table.forget(node.ino, 1);
        entries
    }

    fn find_in(&self, parent: &Arc<Node>, name: &OsStr, layers: &[u16]) -> Op<Option<Found>> {
        let mut found: Option<Found> = None;
        let last = layers.last();
        for layer in layers {
            let Some(dir) = self.part(parent, *layer)? else { continue };
            let stat = match self.look(&dir, name, *layer) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            };
            let kind = FileType::from_raw_mode(stat.st_mode);
            if !self.lives(*layer) && is_whiteout(&dir, name, &stat)? {
                break;
            }
            match &mut found {
                None => found = Some(Found { layers: Layers::One(*layer), stat, key: Key::new(*layer, &stat) }),
                // What is not a directory does not merge, and hides what lies below it.
                Some(_) if kind != FileType::Directory => break,
                Some(found) => {
                    // A merged directory is known by its topmost lower: that never changes, the upper part may yet appear.
                    if found.layers.are_upper_only() {
                        found.key = Key::new(*layer, &stat);
                    }
                    found.layers = found.layers.above(*layer);
                }
            }
            if kind != FileType::Directory || (Some(layer) != last && opaque(&dir, name)? == Opaque::Yes) {
                break;
            }
        }
        Ok(found)
    }

    /// The attributes on disk of a known node: of the open file where there is one. Needs `names`.
    pub fn stat(&self, node: &Arc<Node>) -> Op<Stat> {
        let (file, last, upper) = {
            let state = lock(&node.state);
            (state.file.clone(), state.last, state.layers.first() == Some(&UPPER))
        };
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        match (file, last) {
            // What was removed from a lower layer is still there, and only above it has no name any more.
            (Some(file), last) if upper || last.is_none() => {
                return Ok(self.adopted(layer, rustix::fs::fstat(file.as_fd())?));
            }
            (_, Some(last)) => return Ok(last),
            _ => {}
        }
        if node.is_dir()
            && let Some(dir) = self.part(node, layer)?
        {
            return Ok(self.adopted(layer, rustix::fs::fstat(dir.as_fd())?));
        }
        let (parent, name) = node.name().ok_or(Errno::STALE)?;
        let stat = self.look(&*self.directory(&parent, layer)?, &name, layer)?;
        if self.is_still(node, layer, &stat) { Ok(stat) } else { Err(Errno::STALE) }
    }

    /// What the kernel is told of a file.
    pub fn attributes(&self, node: &Node, stat: &Stat) -> FileAttr {
        let (uid, gid) = match &self.features.view {
            None => (stat.st_uid, stat.st_gid),
            Some(view) => (view.shown_uid(stat.st_uid), view.shown_gid(stat.st_gid)),
        };
        FileAttr {
            ino: INodeNo(node.ino),
            size: stat.st_size as u64,
            blocks: stat.st_blocks as u64,
            atime: time(stat.st_atime, stat.st_atime_nsec),
            mtime: time(stat.st_mtime, stat.st_mtime_nsec),
            ctime: time(stat.st_ctime, stat.st_ctime_nsec),
            crtime: SystemTime::UNIX_EPOCH,
            kind: kind(FileType::from_raw_mode(stat.st_mode)),
            perm: (stat.st_mode & 0o7777) as u16,
            // As the kernel's overlay: the true number for a merged directory would cost a walk, and 1 means that it is unknown.
            nlink: node.shown_links().unwrap_or(stat.st_nlink as u32),
            uid,
            gid,
            rdev: device(stat.st_rdev),
            blksize: 4096,
            flags: 0,
        }
    }

    /// FUSE getattr.
    pub fn getattr(&self, ino: u64) -> Op<FileAttr> {
        let node = self.node(ino)?;
        let _names = self.reading();
        Ok(self.attributes(&node, &self.stat(&node)?))
    }

    /// FUSE readlink.
    pub fn readlink(&self, ino: u64) -> Op<Vec<u8>> {
        let node = self.node(ino)?;
        let _names = self.reading();
        self.target(&node)
    }

    /// Where a symbolic link leads, or led. Needs `names`.
    pub fn target(&self, node: &Arc<Node>) -> Op<Vec<u8>> {
        if let Some(target) = &lock(&node.state).target {
            return Ok(target.to_vec());
        }
        let (parent, name) = node.name().ok_or(Errno::STALE)?;
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        Ok(rustix::fs::readlinkat(self.directory(&parent, layer)?, name, Vec::new())?.into_bytes())
    }
}

/// A device number as the protocol carries it: 32 bits.
fn device(rdev: u64) -> u32 {
    let (major, minor) = (rustix::fs::major(rdev), rustix::fs::minor(rdev));
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

fn time(seconds: i64, nanoseconds: impl TryInto<u32>) -> SystemTime {
    let nanoseconds = Duration::from_nanos(u64::from(nanoseconds.try_into().unwrap_or(0)));
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds >= 0 {
        SystemTime::UNIX_EPOCH.checked_add(whole)
    } else {
        SystemTime::UNIX_EPOCH.checked_sub(whole)
    };
    base.and_then(|base| base.checked_add(nanoseconds)).unwrap_or(SystemTime::UNIX_EPOCH)
}

pub fn kind(kind: FileType) -> fuser::FileType {
    match kind {
        FileType::Directory => fuser::FileType::Directory,
        FileType::Symlink => fuser::FileType::Symlink,
        FileType::Fifo => fuser::FileType::NamedPipe,
        FileType::Socket => fuser::FileType::Socket,
        FileType::CharacterDevice => fuser::FileType::CharDevice,
        FileType::BlockDevice => fuser::FileType::BlockDevice,
        _ => fuser::FileType::RegularFile,
    }
}

/// Whether what lies there hides what lies below.
pub fn is_whiteout(dir: &OwnedFd, name: &OsStr, stat: &Stat) -> Op<bool> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => Ok(stat.st_rdev == 0),
        FileType::RegularFile if stat.st_size == 0 => Ok(attribute(dir, name, WHITEOUT, &mut [0; 8])?.is_some()),
        _ => Ok(false),
    }
}

/// What a directory in a layer says of its merging.
pub fn opaque(dir: &OwnedFd, name: &OsStr) -> Op<Opaque> {
    Ok(match attribute(dir, name, OPAQUE, &mut [0; 8])? {
        Some(b"y") => Opaque::Yes,
        Some(b"x") => Opaque::AttributeWhiteouts,
        _ => Opaque::No,
    })
}

/// An attribute of a file in a directory; `None` if it has none of that name, or one that is longer than there is room.
///
/// There is no lgetxattr relative to a directory on older kernels, so the directory becomes this thread's own current one
/// (each serving thread has one of its own, see `filesystem`).
fn attribute<'a>(dir: &OwnedFd, name: &OsStr, attribute: &CStr, room: &'a mut [u8; 8]) -> Op<Option<&'a [u8]>> {
    rustix::process::fchdir(dir)?;
    match rustix::fs::lgetxattr(name, attribute, &mut room[..]) {
        Ok(length) => Ok(room.get(..length)),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::inode::ROOT;
    use super::super::{Features, Stack, Upper, open_directory};
    use super::*;
    use crate::sys::memory::allocations;

    #[test]
    fn times_before_1970_keep_their_fractions() {
        let half_before = time(-1, 500_000_000u32);
        assert_eq!(SystemTime::UNIX_EPOCH.duration_since(half_before).unwrap(), Duration::from_millis(500));
        assert_eq!(time(3, 7u32), SystemTime::UNIX_EPOCH + Duration::new(3, 7));
    }

    /// What is looked up anew costs its node and its name, and what is not there, or known, nothing.
    #[test]
    fn lookups_take_no_memory_for_themselves() {
        const NEW: usize = 2;
        let top = std::env::temp_dir().join(format!("coracle-lookup-{}", std::process::id()));
        for dir in ["upper/dir", "work", "lower1/dir", "lower2/dir/below"] {
            std::fs::create_dir_all(top.join(dir)).unwrap();
        }
        for name in 0..5 {
            std::fs::write(top.join("lower1").join(name.to_string()), "text").unwrap();
        }
        for file in ["upper/new", "lower1/empty", "lower2/file", "lower2/dir/in"] {
            std::fs::write(top.join(file), if file.ends_with("empty") { "" } else { "text" }).unwrap();
        }
        let open = |name: &str| open_directory(&top.join(name)).unwrap();
        let stack = Stack {
            lowers: vec![open("lower1"), open("lower2")],
            upper: Some(Upper { dir: open("upper"), work: open("work") }),
        };
        let counted = || {
            let tree = Tree::new(stack, 100, Features::default()).unwrap();
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).unwrap();
            let taken = |parent: u64, name: &str| {
                let before = allocations();
                let found = tree.lookup(parent, OsStr::new(name));
                (allocations() - before, found.map(|attr| attr.ino.0))
            };
            // From now on the directory is open, and the table has room for a few more.
            let dir = taken(ROOT, "dir").1.unwrap();
            taken(dir, "below").1.unwrap();
            for name in 0..5 {
                taken(ROOT, &name.to_string()).1.unwrap();
            }
            for (parent, name) in [(ROOT, "new"), (ROOT, "empty"), (ROOT, "file"), (dir, "in")] {
                assert_eq!(taken(parent, name).0, NEW, "{name}");
                assert_eq!(taken(parent, name).0, 0, "{name}, again");
            }
            assert_eq!(taken(dir, "below").0, 0);
            for parent in [ROOT, dir] {
                assert_eq!(taken(parent, "nothing"), (0, Err(Errno::NOENT)));
            }
        };
        std::thread::spawn(counted).join().unwrap();
        std::fs::remove_dir_all(top).unwrap();
    }

    #[test]
    fn device_numbers_are_packed_as_the_protocol_has_them() {
        assert_eq!(device(rustix::fs::makedev(1, 3)), 0x103);
        assert_eq!(device(rustix::fs::makedev(0x12, 0x34567)), 0x3450_1267);
    }
}
