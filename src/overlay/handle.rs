//! Files: reading, writing, and what else works on the file rather than on its name.
//!
//! The kernel does not tell who opens a file: who may do what it decides itself (`default_permissions`), as it does all
//! positions and appending, and that saves a message for each open and close. So a file is opened here once it is read or
//! written, and copied up once something is written to it. The descriptor is read-write if the file lies in the upper
//! directory, shared by all, and kept with a bounded number of others. When a file is copied up it is replaced, so that those
//! who opened it before see what is written now. Before a file loses the last name that is known it is opened, and then kept
//! until the kernel forgets the file: somebody may have it open.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{FallocateFlags, FileType, Mode, OFlags, SeekFrom, Stat, UTIME_OMIT, XattrFlags};
use rustix::io::{Errno, ReadWriteFlags};

use super::change::copy_up::times;
use super::inode::{Node, UPPER, lock};
use super::session::turns::{lock_patiently, long_work};
use super::tree::{Op, Tree};

const CAPABILITY: &std::ffi::CStr = c"security.capability";
/// Set-user-id and set-group-id.
const PRIVILEGE: u32 = 0o6000;

/// What takes a while to be written or copied.
const LARGE: usize = 64 << 10;
/// A large file goes to the disk in such pieces while the next one is written, so that a sync at its end has little left to do.
const PIECE: u64 = 8 << 20;
/// How many files may be held open.
const FILES: usize = 512;

/// Sends the piece that ends among these bytes to the disk. Short files stay in memory: many are gone before they are written.
fn start_piece(file: impl AsFd, offset: u64, length: u64) {
    let end = (offset + length) / PIECE * PIECE;
    if offset < end && end > PIECE {
        // It is an early start and no more: a failure shows when the file is synced.
        let _ = crate::sys::file::start_write_back(file.as_fd(), end - PIECE, PIECE);
    }
}

impl Tree {
    /// The descriptor of a regular file, to read from.
    pub fn file_of(&self, ino: u64) -> Op<Arc<OwnedFd>> {
        let node = self.node(ino)?;
        if let Some(file) = node.file() {
            return Ok(file);
        }
        let _names = self.reading();
        self.opened(&node)
    }

    /// As `file_of`, for a file that is about to change: it lies in the upper directory afterwards.
    pub fn writable(&self, node: &Arc<Node>) -> Op<Arc<OwnedFd>> {
        self.copy_up(node, None)?;
        if let Some(file) = node.file().filter(|_| !self.lives(UPPER)) {
            return Ok(file);
        }
        let _names = self.reading();
        self.opened_to_write(node)
    }

    /// A regular file of the upper directory, to write to. Needs `names`.
    pub fn opened_to_write(&self, node: &Arc<Node>) -> Op<Arc<OwnedFd>> {
        let file = self.opened(node)?;
        if !self.lives(UPPER) {
            return Ok(file);
        }
        // Not kept: as long as it is open in this way, nobody on the machine can execute the file.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::open(path, flags, Mode::empty()).map(Arc::new)
    }

    /// Opens a regular file unless it is open. Needs `names`.
    pub fn opened(&self, node: &Arc<Node>) -> Op<Arc<OwnedFd>> {
        if let Some(file) = node.file() {
            return Ok(file);
        }
        if node.kind != FileType::RegularFile {
            return Err(Errno::INVAL);
        }
        let layer = *node.layers().first().ok_or(Errno::STALE)?;
        let (parent, name) = node.name().ok_or(Errno::STALE)?;
        let access = if layer == UPPER && !self.lives(layer) { OFlags::RDWR } else { OFlags::RDONLY };
        let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(self.directory(&parent, layer)?, name, flags, Mode::empty())?;
        if self.lives(layer) && !self.is_still(node, layer, &rustix::fs::fstat(&file)?) {
            return Err(Errno::STALE);
        }
        Ok(self.keep_open(node, file))
    }

    /// Keeps a descriptor for a file that has none, and closes the oldest beyond a limit. Needs `names`.
    pub fn keep_open(&self, node: &Arc<Node>, file: OwnedFd) -> Arc<OwnedFd> {
        let file = lock(&node.state).file.get_or_insert_with(|| Arc::new(file)).clone();
        let mut files = lock(&self.files);
        files.push_back(Arc::downgrade(node));
        while files.len() > FILES.min(self.held_limit) {
            let Some(old) = files.pop_front() else { break };
            if let Some(old) = old.upgrade() {
                let mut state = lock(&old.state);
                if !state.names.is_empty() && state.opens == 0 {
                    state.close();
                }
            }
        }
        file
    }

    /// FUSE read: fills `buffer` as far as the file reaches; fewer bytes mean its end.
    pub fn read(&self, ino: u64, offset: u64, buffer: &mut [u8]) -> Op<usize> {
        let file = self.file_of(ino)?;
        // What the kernel has in memory already, and then what it has to bring from the disk.
        let mut flags = ReadWriteFlags::NOWAIT;
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::preadv2(&file, &mut [IoSliceMut::new(rest)], offset + done as u64, flags) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::OPNOTSUPP) if !flags.is_empty() => {
                    long_work();
                    flags = ReadWriteFlags::empty();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// FUSE write. `late`: from the page cache, perhaps long after the program wrote.
    pub fn write(&self, ino: u64, offset: u64, data: &[u8], late: bool) -> Op<u32> {
        let node = self.node(ino)?;
        let file = self.writable(&node)?;
        if data.len() >= LARGE {
            long_work();
        }
        let _writing = lock_patiently(&node.changing);
        let (admitted, _room) = self.admit_write(&file, offset, data.len() as u64)?;
        let whole = data.len();
        let data = data.get(..admitted as usize).unwrap_or(data);
        let before = if late { Some(Before::of(&file)?) } else { None };
        let (mut done, mut failure) = (0, None);
        while let Some(rest) = data.get(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pwrite(&file, rest, offset + done as u64) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if let Some(before) = before {
            // Where the kernel passes writes on at once it leaves the times to the disk, also of what was written in a mapping.
            before.restore(&file, !self.features.writes_through())?;
        }
        start_piece(&file, offset, done as u64);
        self.count_open(&file)?;
        // Of what comes late the kernel takes a part for the whole: who wrote it would never hear that the rest is lost.
        match failure {
            Some(error) if late || done == 0 => Err(error),
            _ if late && done < whole => Err(Errno::NOSPC),
            _ => Ok(done as u32),
        }
    }

    /// Takes set-user-id from a file that is about to be written to, and set-group-id unless it only means mandatory locking;
    /// whether there was something to take.
    ///
    /// Where the kernel writes late, it asks for this only if it has seen that one of the bits must go: of one that stands alone
    /// it is said so. Where it passes each write on, it asks every time.
    pub fn clear_privileges(&self, ino: u64) -> Op<bool> {
        let file = self.writable(&self.node(ino)?)?;
        let mode = rustix::fs::fstat(&file)?.st_mode & 0o7777;
        let chosen = mode & 0o4000 == 0 && !self.features.writes_through();
        let group = if mode & 0o010 != 0 || chosen { 0o2000 } else { 0 };
        let cleared = mode & !(0o4000 | group);
        if cleared != mode {
            rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(cleared))?;
        }
        Ok(cleared != mode)
    }

    /// FUSE fsync: the data is on the disk when this returns.
    pub fn fsync(&self, ino: u64, data_only: bool) -> Op<()> {
        if !self.node(ino)?.in_upper() {
            return Ok(());
        }
        long_work();
        let file = self.file_of(ino)?;
        self.sync_owners()?;
        match data_only {
            true => rustix::fs::fdatasync(&file),
            false => rustix::fs::fsync(&file),
        }?;
        // Where it is in many pieces, the list of them is made only now, and may take blocks of its own.
        self.count_open(&file)
    }

    pub fn fsyncdir(&self, ino: u64) -> Op<()> {
        let node = self.node(ino)?;
        let directory = {
            let _names = self.reading();
            // A lower directory never changes.
            if !node.in_upper() || lock(&node.state).last.is_some() {
                return Ok(());
            }
            self.directory(&node, UPPER)?
        };
        self.sync_owners()?;
        long_work();
        rustix::fs::fsync(directory)
    }

    pub fn fallocate(&self, ino: u64, mode: FallocateFlags, offset: u64, length: u64) -> Op<()> {
        let file = self.writable(&self.node(ino)?)?;
        let frees = FallocateFlags::PUNCH_HOLE | FallocateFlags::COLLAPSE_RANGE;
        let _room = match self.admit_write(&file, offset, if mode.intersects(frees) { 0 } else { length })? {
            (admitted, _) if admitted < length && !mode.intersects(frees) => return Err(Errno::NOSPC),
            (_, room) => room,
        };
        long_work();
        rustix::fs::fallocate(&file, mode, offset, length)?;
        self.count_open(&file)
    }

    /// FUSE lseek: where data or a hole begins on the disk.
    pub fn seek(&self, ino: u64, whence: SeekFrom) -> Op<u64> {
        rustix::fs::seek(self.file_of(ino)?, whence)
    }

    pub fn copy_range(&self, from: (u64, u64), to: (u64, u64), length: usize) -> Op<usize> {
        let target = self.writable(&self.node(to.0)?)?;
        // Afterwards: it may be the same file.
        let source = self.file_of(from.0)?;
        if length >= LARGE {
            long_work();
        }
        let (mut from, mut to) = (from.1, to.1);
        let (admitted, _room) = self.admit_write(&target, to, length as u64)?;
        let copied = rustix::fs::copy_file_range(&source, Some(&mut from), &target, Some(&mut to), admitted as usize)?;
        self.count_open(&target)?;
        Ok(copied)
    }
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

    fn restore(&self, file: &OwnedFd, with_times: bool) -> Op<()> {
        if self.stat.st_mode & PRIVILEGE != 0 {
            rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(self.stat.st_mode & 0o7777))?;
        }
        if let Some(value) = &self.capability {
            rustix::fs::fsetxattr(file, CAPABILITY, value, XattrFlags::empty())?;
        }
        if !with_times {
            return Ok(());
        }
        let mut times = times(&self.stat);
        times.last_access.tv_nsec = UTIME_OMIT;
        rustix::fs::futimens(file, &times)
    }
}
