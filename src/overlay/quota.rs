//! A quota: how much the upper directory may take on the disk, counted as du(1) does.
//!
//! Each of its files and directories is counted with the blocks that it had when it was last changed, by its inode number, so
//! that nothing is counted twice and no error adds up. What has lost its last name counts until nobody has it open. At each
//! mount all is counted anew: a crash can't make the number wrong.
//!
//! Where a quota is, the kernel passes each write on at once: a program learns from the write itself that it went too far.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, Stat, StatVfs, fstat, seek, statat};
use rustix::io::Errno;

use super::inode::{Found, Node, lock};
use super::session::turns::long_work;
use super::tree::{Op, Tree, open_beneath};

/// What `st_blocks` counts in.
const SECTOR: u64 = 512;
/// What most disks give a file at a time, and a directory to begin with.
pub const BLOCK: u64 = 4096;

/// The kernel says a moment late that it has forgotten a file that was removed: so long is waited before a write fails.
const PATIENCE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub struct Quota {
    limit: u64,
    counted: Mutex<Counted>,
    /// Something stopped counting.
    less: Condvar,
}

#[derive(Debug, Default)]
struct Counted {
    /// Bytes: the sum of `files`.
    used: u64,
    /// What is set aside for writes that go on now.
    reserved: u64,
    /// Bytes by inode number.
    files: HashMap<u64, u64>,
    /// How many of the files have no name any more.
    leaving: usize,
}

impl Counted {
    fn set(&mut self, inode: u64, bytes: u64) {
        self.used = self.used - self.files.insert(inode, bytes).unwrap_or(0) + bytes;
    }
}

/// Room that is set aside as long as this value lives.
#[derive(Debug)]
pub struct Reserved<'a> {
    quota: &'a Quota,
    bytes: u64,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        lock(&self.quota.counted).reserved -= self.bytes;
    }
}

/// A file without a name: it counts as long as this value lives, that is, as long as the kernel knows the file.
#[derive(Debug)]
pub struct Leaving {
    quota: Arc<Quota>,
    inode: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        lock(&self.quota.counted).leaving -= 1;
        self.quota.forget(self.inode);
        self.quota.less.notify_all();
    }
}

impl Quota {
    /// Counts what lies in `upper` already. `limit`: bytes.
    pub fn new(limit: u64, upper: &Arc<OwnedFd>) -> Op<Self> {
        let mut counted = Counted::default();
        let top = fstat(upper)?;
        counted.set(top.st_ino, bytes(&top));
        // By name, so that only the path to where it is stays open.
        let mut pending = vec![(upper.clone(), OsString::from("."))];
        while let Some((parent, name)) = pending.pop() {
            let dir = Arc::new(open_beneath(&parent, &name)?);
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let own = rustix::fs::openat(&dir, c".", flags, Mode::empty())?;
            let mut buffer: Vec<u8> = Vec::with_capacity(32 << 10);
            let mut raw = RawDir::new(&own, buffer.spare_capacity_mut());
            while let Some(entry) = raw.next() {
                let entry = entry?;
                let name = entry.file_name();
                if name == c"." || name == c".." {
                    continue;
                }
                let stat = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
                counted.set(stat.st_ino, bytes(&stat));
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    pending.push((dir.clone(), OsString::from_vec(name.to_bytes().to_vec())));
                }
            }
        }
        Ok(Self { limit, counted: Mutex::new(counted), less: Condvar::new() })
    }

    fn forget(&self, inode: u64) {
        let mut counted = lock(&self.counted);
        if let Some(bytes) = counted.files.remove(&inode) {
            counted.used -= bytes;
        }
    }

    fn room(&self) -> u64 {
        let counted = lock(&self.counted);
        self.limit.saturating_sub(counted.used + counted.reserved)
    }

    /// Sets room aside, or says that there is none.
    fn reserve(&self, bytes: u64) -> Op<Reserved<'_>> {
        let counted = lock(&self.counted);
        let fits = |counted: &Counted| (counted.used + counted.reserved).saturating_add(bytes) <= self.limit;
        if counted.leaving > 0 && !fits(&counted) {
            // When the kernel forgets them, another thread must hear of it.
            long_work();
        }
        let waited = self.less.wait_timeout_while(counted, PATIENCE, |counted| counted.leaving > 0 && !fits(counted));
        let (mut counted, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !fits(&counted) {
            return Err(Errno::NOSPC);
        }
        counted.reserved += bytes;
        Ok(Reserved { quota: self, bytes })
    }

    /// Sets room aside for a write, as far as it fits: also how much of it that is.
    fn reserve_write(&self, file: &OwnedFd, offset: u64, length: u64) -> Op<(u64, Reserved<'_>)> {
        if let Some(most) = length.checked_add(2 * BLOCK).filter(|most| *most <= self.room()) {
            return Ok((length, self.reserve(most)?));
        }
        // What lies there already takes no new room.
        let (fits, new) = part(file, offset, length, u64::MAX)?;
        if new == 0 {
            return Ok((fits, Reserved { quota: self, bytes: 0 }));
        }
        if let Ok(reserved) = self.reserve(new) {
            return Ok((fits, reserved));
        }
        match part(file, offset, length, self.room())? {
            (0, _) => Err(Errno::NOSPC),
            (fits, 0) => Ok((fits, Reserved { quota: self, bytes: 0 })),
            (fits, new) => Ok((fits, self.reserve(new)?)),
        }
    }
}

fn bytes(stat: &Stat) -> u64 {
    stat.st_blocks as u64 * SECTOR
}

/// How much of a range, from its start, can be written with `room` bytes of new blocks at most; and how many these are.
///
/// Blocks allocated in advance can't be told from holes, unless the file has none: then they are taken to be new.
fn part(file: &OwnedFd, offset: u64, length: u64, room: u64) -> Op<(u64, u64)> {
    let up = |at: u64| at.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
    let down = |at: u64| at / BLOCK * BLOCK;
    let end = offset.checked_add(length).ok_or(Errno::FBIG)?;
    let stat = fstat(file)?;
    let size = stat.st_size as u64;
    if bytes(&stat) >= up(size.max(end)) {
        // It has no hole.
        return Ok((length, 0));
    }
    let (mut at, mut new) = (offset, 0);
    while at < end {
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.min(end),
            Err(Errno::NXIO) => end,
            Err(error) => return Err(error),
        };
        if data > at {
            // A block that the file's end lies in is there.
            let start = if at >= size { down(at).max(up(size)) } else { down(at) };
            let needed = up(data).saturating_sub(start);
            let left = down(room - new);
            if needed > left {
                let fits = (start + left).clamp(at, end) - offset;
                return Ok((fits, new + left));
            }
            new += needed;
        }
        at = if data < end { seek(file, SeekFrom::Hole(data))?.min(end) } else { end };
    }
    Ok((length, new))
}

impl Tree {
    /// How much of a write may be done, and the room for it.
    pub fn admit_write(&self, file: &OwnedFd, offset: u64, length: u64) -> Op<(u64, Option<Reserved<'_>>)> {
        match &self.quota {
            None => Ok((length, None)),
            Some(quota) => quota.reserve_write(file, offset, length).map(|(fits, reserved)| (fits, Some(reserved))),
        }
    }

    /// The room for something new.
    pub fn admit(&self, bytes: u64) -> Op<Option<Reserved<'_>>> {
        self.quota.as_ref().map(|quota| quota.reserve(bytes)).transpose()
    }

    /// Counts what has changed in the upper directory.
    pub fn count(&self, changed: &Stat) {
        if let Some(quota) = &self.quota {
            lock(&quota.counted).set(changed.st_ino, bytes(changed));
        }
    }

    /// As `count`, of an open file or directory.
    pub fn count_open(&self, changed: impl AsFd) -> Op<()> {
        if self.quota.is_some() {
            self.count(&fstat(changed)?);
        }
        Ok(())
    }

    /// What was found has lost its last name. `node`: if the kernel knows it, and so may have it open.
    pub fn uncount(&self, found: &Found, node: Option<&Arc<Node>>) {
        let Some(quota) = &self.quota else { return };
        match node {
            _ if !found.in_upper() => {}
            Some(node) if node.kind == FileType::RegularFile => self.count_until_forgotten(node, found.stat.st_ino),
            _ => quota.forget(found.stat.st_ino),
        }
    }

    /// The file `inode` of the upper directory is that of `node`, and has no name.
    pub fn count_until_forgotten(&self, node: &Arc<Node>, inode: u64) {
        if let Some(quota) = &self.quota {
            lock(&quota.counted).leaving += 1;
            lock(&node.state).leaving = Some(Leaving { quota: quota.clone(), inode });
        }
    }

    /// The numbers of the disk, as far as the quota reaches.
    pub fn limited(&self, mut disk: StatVfs) -> StatVfs {
        if let Some(quota) = &self.quota {
            let unit = disk.f_frsize.max(1);
            disk.f_blocks = quota.limit / unit;
            disk.f_bfree = quota.room() / unit;
            disk.f_bavail = disk.f_bavail.min(disk.f_bfree);
        }
        disk
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_holes_take_new_room() {
        let file = std::fs::File::from(rustix::fs::open("/tmp", OFlags::TMPFILE | OFlags::RDWR, Mode::RWXU).unwrap());
        std::os::unix::fs::FileExt::write_at(&file, &[1; 4096], 8192).unwrap();
        std::os::unix::fs::FileExt::write_at(&file, &[1; 100], 16384).unwrap();
        let file = OwnedFd::from(file);
        let part = |offset, length, room| part(&file, offset, length, room).unwrap();
        // |hole|hole|data|hole|da..
        assert_eq!(part(8192, 4096, 0), (4096, 0));
        assert_eq!(part(16400, 1000, 0), (1000, 0));
        assert_eq!(part(100, 10, 4096), (10, 4096));
        assert_eq!(part(100, 10, 4095), (0, 0));
        assert_eq!(part(0, 16384, u64::MAX), (16384, 12288));
        assert_eq!(part(0, 16384, 8192), (12288, 8192));
        assert_eq!(part(16400, 1 << 20, 4096), (8176, 4096));
    }
}
