//! Open files: reading, writing, and what else works on the open file rather than on its name.
//!
//! All openers of a file share one descriptor, read-write if the file lies in the upper directory: who may do what was
//! decided by the kernel (`default_permissions`), which also does all positions and appending. When a file is copied up the
//! descriptor is replaced, so that those who opened it before see what is written now; when its name is removed, it stays.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{FallocateFlags, FileType, Mode, OFlags, SeekFrom, Stat, UTIME_OMIT, XattrFlags};
use rustix::io::Errno;

use super::change::copy_up::times;
use super::inode::{Node, UPPER, lock};
use super::tree::{Op, Tree};

const CAPABILITY: &std::ffi::CStr = c"security.capability";
/// Set-user-id and set-group-id.
const PRIVILEGE: u32 = 0o6000;

impl Tree {
    /// FUSE open. `flags`: the opener's.
    pub fn open(&self, ino: u64, flags: OFlags) -> Op<()> {
        let node = self.node(ino)?;
        let writes = flags & OFlags::ACCMODE != OFlags::RDONLY;
        let truncates = flags.contains(OFlags::TRUNC);
        if writes || truncates {
            self.copy_up(&node, truncates.then_some(0))?;
        }
        let _names = self.reading();
        let file = self.opened(&node, writes)?;
        if truncates && let Err(error) = rustix::fs::ftruncate(&file, 0) {
            self.close(&node, writes);
            return Err(error);
        }
        Ok(())
    }

    /// Counts one opener more and returns the shared descriptor. Needs `names`.
    fn opened(&self, node: &Arc<Node>, writes: bool) -> Op<Arc<OwnedFd>> {
        let file = match node.file() {
            Some(file) => file,
            None => Arc::new(self.open_on_disk(node)?),
        };
        let mut state = lock(&node.state);
        let file = state.file.get_or_insert(file).clone();
        state.opens += 1;
        state.writers += u32::from(writes);
        Ok(file)
    }

    /// The descriptor of a file that this request just made.
    pub fn created(&self, node: &Arc<Node>, file: OwnedFd, writes: bool) {
        let mut state = lock(&node.state);
        state.file.get_or_insert(Arc::new(file));
        state.opens += 1;
        state.writers += u32::from(writes);
    }

    /// A new descriptor of a regular file. Needs `names`.
    pub fn open_on_disk(&self, node: &Arc<Node>) -> Op<OwnedFd> {
        if node.kind != FileType::RegularFile {
            return Err(Errno::INVAL);
        }
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        let (parent, name) = node.name().ok_or(Errno::STALE)?;
        let access = if layer == UPPER { OFlags::RDWR } else { OFlags::RDONLY };
        let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::openat(self.directory(&parent, layer)?, name, flags, Mode::empty())
    }

    /// FUSE release.
    pub fn release(&self, ino: u64, flags: OFlags) -> Op<()> {
        let node = self.node(ino)?;
        self.close(&node, flags & OFlags::ACCMODE != OFlags::RDONLY);
        self.table.forget(ino, 0);
        Ok(())
    }

    fn close(&self, node: &Arc<Node>, writes: bool) {
        let mut state = lock(&node.state);
        state.opens = state.opens.saturating_sub(1);
        state.writers = state.writers.saturating_sub(u32::from(writes));
        if state.opens == 0 {
            let file = state.file.take();
            if state.names.is_empty()
                && let Some(Ok(stat)) = file.as_ref().map(rustix::fs::fstat)
            {
                state.last = Some(stat);
            }
        }
    }

    /// The shared descriptor, or one for this call alone.
    pub fn file_of(&self, ino: u64) -> Op<Arc<OwnedFd>> {
        let node = self.node(ino)?;
        if let Some(file) = node.file() {
            return Ok(file);
        }
        let _names = self.reading();
        Ok(Arc::new(self.open_on_disk(&node)?))
    }

    /// FUSE read: fills `buffer` as far as the file reaches; fewer bytes mean its end.
    pub fn read(&self, ino: u64, offset: u64, buffer: &mut [u8]) -> Op<usize> {
        let file = self.file_of(ino)?;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pread(&file, rest, offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// FUSE write. `late`: from the page cache, perhaps long after the program wrote. `clears`: the kernel saw that this
    /// writer takes privileges from the file, as it says for a write that does not come late.
    pub fn write(&self, ino: u64, offset: u64, data: &[u8], late: bool, clears: bool) -> Op<u32> {
        let file = self.file_of(ino)?;
        if clears {
            clear_privileges(&file)?;
        }
        let node = self.node(ino)?;
        let _writing = lock(&node.writing);
        let before = if late { Some(Before::of(&file)?) } else { None };
        let mut done = 0;
        while let Some(rest) = data.get(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pwrite(&file, rest, offset + done as u64) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        if let Some(before) = before {
            before.restore(&file)?;
        }
        Ok(done as u32)
    }

    /// FUSE fsync: the data is on the disk when this returns.
    pub fn fsync(&self, ino: u64, data_only: bool) -> Op<()> {
        let file = self.file_of(ino)?;
        match data_only {
            true => rustix::fs::fdatasync(&file),
            false => rustix::fs::fsync(&file),
        }
    }

    pub fn fsyncdir(&self, ino: u64) -> Op<()> {
        let node = self.node(ino)?;
        let _names = self.reading();
        // A lower directory never changes.
        if !node.in_upper() || lock(&node.state).last.is_some() {
            return Ok(());
        }
        rustix::fs::fsync(self.directory(&node, UPPER)?)
    }

    pub fn fallocate(&self, ino: u64, mode: FallocateFlags, offset: u64, length: u64) -> Op<()> {
        rustix::fs::fallocate(self.file_of(ino)?, mode, offset, length)
    }

    /// FUSE lseek: where data or a hole begins.
    ///
    /// While someone may write, the page cache knows of data that the disk does not: EINVAL, as on a file system without the
    /// call, and the program reads all.
    pub fn seek(&self, ino: u64, whence: SeekFrom) -> Op<u64> {
        let node = self.node(ino)?;
        if lock(&node.state).writers > 0 {
            return Err(Errno::INVAL);
        }
        // A descriptor of its own: the shared one's position is nobody's, but a seek and its answer must belong together.
        let _names = self.reading();
        match node.file() {
            Some(file) => rustix::fs::seek(file, whence),
            None => rustix::fs::seek(self.open_on_disk(&node)?, whence),
        }
    }

    pub fn copy_range(&self, from: (u64, u64), to: (u64, u64), length: usize) -> Op<usize> {
        let (source, target) = (self.file_of(from.0)?, self.file_of(to.0)?);
        let (mut from, mut to) = (from.1, to.1);
        rustix::fs::copy_file_range(&source, Some(&mut from), &target, Some(&mut to), length)
    }
}

/// Takes set-user-id from a file, and set-group-id unless it only means mandatory locking on a file that had the other bit.
fn clear_privileges(file: &OwnedFd) -> Op<()> {
    let mode = rustix::fs::fstat(file)?.st_mode & 0o7777;
    let group = if mode & 0o010 != 0 || mode & 0o4000 == 0 { 0o2000 } else { 0 };
    let cleared = mode & !(0o4000 | group);
    if cleared == mode { Ok(()) } else { rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(cleared)) }
}

/// What a write changes beside the data. When the kernel writes its cache back, that has happened long ago: it took the
/// privileges when the program wrote, and it keeps the time of that by itself. If privileges are there now, they were given
/// since.
#[derive(Debug)]
struct Before {
    stat: Stat,
    capability: Option<Vec<u8>>,
}

impl Before {
    fn of(file: &OwnedFd) -> Op<Self> {
        let stat = rustix::fs::fstat(file)?;
        let mut value = Vec::with_capacity(64);
        let capability = rustix::fs::fgetxattr(file, CAPABILITY, spare_capacity(&mut value)).ok().map(|_| value);
        Ok(Self { stat, capability })
    }

    fn restore(&self, file: &OwnedFd) -> Op<()> {
        if self.stat.st_mode & PRIVILEGE != 0 {
            rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(self.stat.st_mode & 0o7777))?;
        }
        if let Some(value) = &self.capability {
            rustix::fs::fsetxattr(file, CAPABILITY, value, XattrFlags::empty())?;
        }
        let mut times = times(&self.stat);
        times.last_access.tv_nsec = UTIME_OMIT;
        rustix::fs::futimens(file, &times)
    }
}
