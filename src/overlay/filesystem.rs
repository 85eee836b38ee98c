//! The protocol's side: translates each request, dispatches it to the tree, and answers. Nothing is decided here.
//!
//! Each request runs under `catch_unwind`: what was not foreseen is EIO for one request, not the end of a container.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use fuser::{
    BsdFileFlags, CopyFileRangeFlags, FileAttr, FileHandle, Filesystem, FopenFlags, Generation, INodeNo, InitFlags,
    KernelConfig, LockOwner, Notifier, OpenAccMode, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyLseek, ReplyOpen, ReplyStatfs, ReplyWrite,
    ReplyXattr, Request, TimeOrNow, WriteFlags,
};
use rustix::fs::{FallocateFlags, FileType, SeekFrom};
use rustix::io::Errno;

use super::change::attr::Changes;
use super::change::create::{Author, Making};
use super::inode::lock;
use super::session::FEWEST;
use super::session::turns::{Turns, long_work};
use super::tree::{Op, Tree};
use crate::store::owners::Owner;

/// The largest request, of which the kernel allows 1 MiB.
const REQUEST: u32 = 1 << 20;

/// How many threads may wait for what others take: half of those that a session has at least.
const WAITING: usize = FEWEST / 2;

/// A tree that answers FUSE requests.
#[derive(Debug)]
pub struct Served {
    tree: Tree,
    /// The way to the kernel, once the session has it.
    notifier: Arc<Mutex<Option<Notifier>>>,
    turns: Arc<Turns>,
    /// How many threads wait for data that another takes.
    waiting: AtomicUsize,
}

impl Served {
    pub fn new(tree: Tree, notifier: Arc<Mutex<Option<Notifier>>>, turns: Arc<Turns>) -> Self {
        Self { tree, notifier, turns, waiting: AtomicUsize::new(0) }
    }

    /// Has the kernel hand over what programs wrote to a file and it still keeps.
    ///
    /// It returns when another thread has taken the data. So only some may be here at a time; others are told `false`.
    fn write_back(&self, ino: INodeNo) -> bool {
        let notifier = lock(&self.notifier).clone();
        let waits = self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING;
        long_work();
        let done = waits && notifier.is_some_and(|notifier| notifier.inval_inode(ino, 0, 0).is_ok());
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        done
    }

    /// A file loses what lets it run as another user, before it is written to. The kernel leaves that to us, and would run the file
    /// as before, by what it knows of it: so it is told to ask again.
    fn take_privileges(&self, tree: &Tree, ino: INodeNo) -> Op<()> {
        if tree.clear_privileges(ino.0)? {
            let notifier = lock(&self.notifier).clone();
            // What lies before the file's start: nothing but attributes. It fails if the kernel has forgotten them.
            let _ = notifier.map(|notifier| notifier.inval_inode(ino, -1, 0));
        }
        Ok(())
    }

    /// Does what a request asks for and answers it; afterwards this thread looks for the next.
    fn answer<T>(&self, operation: impl FnOnce(&Tree) -> Op<T>, reply: impl FnOnce(Result<T, fuser::Errno>)) {
        let _turn = self.turns.begin();
        reply(self.run(operation));
    }

    fn run<T>(&self, operation: impl FnOnce(&Tree) -> Op<T>) -> Result<T, fuser::Errno> {
        own_directory_and_mask();
        match catch_unwind(AssertUnwindSafe(|| operation(&self.tree))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(errno)) => Err(fuser::Errno::from_i32(errno.raw_os_error())),
            Err(_) => Err(fuser::Errno::EIO),
        }
    }

    fn entry(&self, reply: ReplyEntry, operation: impl FnOnce(&Tree) -> Op<FileAttr>) {
        self.answer(operation, |result| match result {
            Ok(attr) => reply.entry(&self.tree.trust(), &attr, Generation(0)),
            Err(error) => reply.error(error),
        });
    }

    fn attr(&self, reply: ReplyAttr, operation: impl FnOnce(&Tree) -> Op<FileAttr>) {
        self.answer(operation, |result| match result {
            Ok(attr) => reply.attr(&self.tree.trust(), &attr),
            Err(error) => reply.error(error),
        });
    }

    fn empty(&self, reply: ReplyEmpty, operation: impl FnOnce(&Tree) -> Op<()>) {
        self.answer(operation, |result| match result {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        });
    }

    fn xattr(&self, reply: ReplyXattr, size: u32, operation: impl FnOnce(&Tree) -> Op<Vec<u8>>) {
        self.answer(operation, |result| match result {
            Err(error) => reply.error(error),
            Ok(value) if size == 0 => reply.size(value.len() as u32),
            Ok(value) if value.len() > size as usize => reply.error(fuser::Errno::ERANGE),
            Ok(value) => reply.data(&value),
        });
    }
}

/// Gives this thread a current directory and a file mode mask of its own, once.
fn own_directory_and_mask() {
    thread_local!(static OWN: Cell<bool> = const { Cell::new(false) });
    OWN.with(|own| {
        if !own.get() {
            own.set(nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).is_ok());
        }
    });
}

/// The handle of a directory whose reader fills the kernel's list of it (see `readdir`); that of all others is 0.
const FILLS: FileHandle = FileHandle(1);

thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });

fn author(request: &Request, umask: u32) -> Author {
    Author { uid: request.uid(), gid: request.gid(), umask: umask & 0o777, recorded: Owner::ROOT }
}

/// Whether a file keeps its privileges though it is written to, where the kernel does not say so.
fn is_root(request: &Request) -> bool {
    request.uid() == 0
}

/// What we ask of the kernel. Not asked for: what this version of the crate can't parse (extended setxattr, security context,
/// supplementary groups).
const WANTED: [InitFlags; 8] = [
    InitFlags::FUSE_DO_READDIRPLUS,
    InitFlags::FUSE_PARALLEL_DIROPS,
    InitFlags::FUSE_POSIX_ACL,
    InitFlags::FUSE_DONT_MASK,
    InitFlags::FUSE_NO_OPEN_SUPPORT,
    InitFlags::FUSE_NO_OPENDIR_SUPPORT,
    InitFlags::FUSE_ASYNC_DIO,
    InitFlags::FUSE_HANDLE_KILLPRIV_V2,
];

/// Where nobody else writes.
const CACHED_FOR_EVER: &[InitFlags] = &[InitFlags::FUSE_CACHE_SYMLINKS, InitFlags::FUSE_EXPLICIT_INVAL_DATA];
/// Where somebody does: a file's pages are dropped when its time or size has changed.
const CACHED_A_MOMENT: &[InitFlags] = &[InitFlags::FUSE_AUTO_INVAL_DATA];

impl Filesystem for Served {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let features = &self.tree.features;
        let caches = if features.living.is_some() { CACHED_A_MOMENT } else { CACHED_FOR_EVER };
        let write_back = (!features.writes_through()).then_some(InitFlags::FUSE_WRITEBACK_CACHE);
        for wanted in WANTED.into_iter().chain(caches.iter().copied()).chain(write_back) {
            // An older kernel lacks some; each only costs speed, or is the kernel's to do.
            let _ = config.add_capabilities(wanted);
        }
        let _ = config.set_max_write(REQUEST);
        let _ = config.set_max_background(64);
        Ok(())
    }

    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(reply, |tree| match tree.lookup(parent.0, name) {
            // Number 0 says: nothing there, and you may remember that.
            Err(Errno::NOENT) => Ok(NOTHING),
            result => result,
        });
    }

    fn forget(&self, request: &Request, ino: INodeNo, count: u64) {
        let _ = self.run(|tree| {
            tree.table.forget(ino.0, count);
            Ok(())
        });
        // One message may bring many of these, so that this is no turn.
        self.turns.go_on(request.unique().0);
    }

    fn getattr(&self, _request: &Request, ino: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        self.attr(reply, |tree| tree.getattr(ino.0));
    }

    fn setattr(
        &self,
        _request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changes = Changes { mode, uid, gid, size, atime, mtime };
        self.attr(reply, |tree| tree.setattr(ino.0, changes));
    }

    fn readlink(&self, _request: &Request, ino: INodeNo, reply: ReplyData) {
        let operation = |tree: &Tree| tree.readlink(ino.0);
        self.answer(operation, |result| match result {
            Ok(target) => reply.data(&target),
            Err(error) => reply.error(error),
        });
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        let making = Making::Node { kind: FileType::from_raw_mode(mode), mode };
        self.entry(reply, |tree| tree.make(parent.0, name, making, author(request, umask)));
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let making = Making::Directory { mode };
        self.entry(reply, |tree| tree.make(parent.0, name, making, author(request, umask)));
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let making = Making::Symlink { target: target.as_os_str() };
        self.entry(reply, |tree| tree.make(parent.0, name, making, author(request, 0)));
    }

    fn link(&self, _request: &Request, ino: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(reply, |tree| tree.link(ino.0, parent.0, name));
    }

    fn create(
        &self,
        _request: &Request,
        _parent: INodeNo,
        _name: &OsStr,
        _mode: u32,
        _umask: u32,
        _open: i32,
        reply: ReplyCreate,
    ) {
        // As with `open`; the kernel comes with MKNOD instead.
        reply.error(fuser::Errno::ENOSYS);
    }

    fn unlink(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.unlink(parent.0, name));
    }

    fn rmdir(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.rmdir(parent.0, name));
    }

    fn rename(
        &self,
        _request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let flags = rustix::fs::RenameFlags::from_bits_retain(flags.bits());
        self.empty(reply, |tree| tree.rename((parent.0, name), (new_parent.0, new_name), flags));
    }

    fn open(&self, _request: &Request, ino: INodeNo, open: OpenFlags, reply: ReplyOpen) {
        if self.tree.features.living.is_none() {
            // For this and all files: nothing is kept per opener, who may open what the kernel knows, and it may keep what it
            // read. An error of a copy-up shows when the data is written back: at fsync or close, as that of a full disk does.
            return reply.error(fuser::Errno::ENOSYS);
        }
        let writes = open.acc_mode() != OpenAccMode::O_RDONLY;
        let operation = |tree: &Tree| tree.open_living(ino.0, writes);
        self.answer(operation, |result| match result {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
            Err(error) => reply.error(error),
        });
    }

    fn release(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.empty(reply, |tree| tree.close_living(ino.0));
    }

    fn read(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let _turn = self.turns.begin();
        BUFFER.with_borrow_mut(|buffer| {
            let size = size.min(16 * REQUEST) as usize;
            if buffer.len() < size {
                buffer.resize(size, 0);
            }
            let room = buffer.get_mut(..size).unwrap_or_default();
            match self.run(|tree| tree.read(ino.0, offset, room)) {
                Ok(count) => reply.data(buffer.get(..count).unwrap_or_default()),
                Err(error) => reply.error(error),
            }
        });
    }

    fn write(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: u64,
        data: &[u8],
        write_flags: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let late = write_flags.contains(WriteFlags::FUSE_WRITE_CACHE);
        // The kernel has seen that this writer takes them, as it says for a write that does not come late.
        let clears = write_flags.contains(WriteFlags::FUSE_WRITE_KILL_SUIDGID);
        let operation = |tree: &Tree| {
            if clears {
                self.take_privileges(tree, ino)?;
            }
            tree.write(ino.0, offset, data, late)
        };
        self.answer(operation, |result| match result {
            Ok(count) => reply.written(count),
            Err(error) => reply.error(error),
        });
    }

    fn flush(&self, _request: &Request, _ino: INodeNo, _handle: FileHandle, _owner: LockOwner, reply: ReplyEmpty) {
        // The kernel writes back before it asks; there is nothing to add, so it need not ask again.
        reply.error(fuser::Errno::ENOSYS);
    }

    fn fsync(&self, _request: &Request, ino: INodeNo, _handle: FileHandle, data_only: bool, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.fsync(ino.0, data_only));
    }

    fn opendir(&self, _request: &Request, ino: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.answer(
            |tree| tree.open_directory(ino.0),
            |result| match result {
                Ok(true) => reply.opened(FILLS, FopenFlags::FOPEN_CACHE_DIR | FopenFlags::FOPEN_KEEP_CACHE),
                Ok(false) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
                Err(error) => reply.error(error),
            },
        );
    }

    fn releasedir(&self, _request: &Request, ino: INodeNo, handle: FileHandle, _flags: OpenFlags, reply: ReplyEmpty) {
        self.empty(reply, |tree| if handle == FILLS { tree.close_filling(ino.0) } else { Ok(()) });
    }

    fn readdir(&self, _request: &Request, ino: INodeNo, _handle: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let _turn = self.turns.begin();
        match self.run(|tree| tree.readdir(ino.0, offset, &mut reply)) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn readdirplus(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let _turn = self.turns.begin();
        match self.run(|tree| tree.readdirplus(ino.0, offset, &mut reply)) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn fsyncdir(&self, _request: &Request, ino: INodeNo, _handle: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.fsyncdir(ino.0));
    }

    fn statfs(&self, _request: &Request, _ino: INodeNo, reply: ReplyStatfs) {
        self.answer(Tree::statfs, |result| match result {
            Ok(s) => reply.statfs(
                s.f_blocks,
                s.f_bfree,
                s.f_bavail,
                s.f_files,
                s.f_ffree,
                s.f_bsize as u32,
                s.f_namemax as u32,
                s.f_frsize as u32,
            ),
            Err(error) => reply.error(error),
        });
    }

    fn setxattr(
        &self,
        _request: &Request,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
        _position: u32,
        reply: ReplyEmpty,
    ) {
        self.empty(reply, |tree| tree.setxattr(ino.0, name.as_bytes(), value, flags as u32));
    }

    fn getxattr(&self, _request: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        self.xattr(reply, size, |tree| tree.getxattr(ino.0, name.as_bytes()));
    }

    fn listxattr(&self, _request: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        self.xattr(reply, size, |tree| tree.listxattr(ino.0));
    }

    fn removexattr(&self, _request: &Request, ino: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.removexattr(ino.0, name.as_bytes()));
    }

    fn fallocate(
        &self,
        request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let mode = FallocateFlags::from_bits_retain(mode as u32);
        self.empty(reply, |tree| {
            if !is_root(request) {
                self.take_privileges(tree, ino)?;
            }
            tree.fallocate(ino.0, mode, offset, length)
        });
    }

    fn lseek(
        &self,
        _request: &Request,
        ino: INodeNo,
        _handle: FileHandle,
        offset: i64,
        whence: i32,
        reply: ReplyLseek,
    ) {
        let operation = |tree: &Tree| match (whence, u64::try_from(offset)) {
            _ if !self.write_back(ino) => Err(Errno::INVAL),
            (libc::SEEK_DATA, Ok(offset)) => tree.seek(ino.0, SeekFrom::Data(offset)),
            (libc::SEEK_HOLE, Ok(offset)) => tree.seek(ino.0, SeekFrom::Hole(offset)),
            (_, Err(_)) => Err(Errno::NXIO),
            _ => Err(Errno::INVAL),
        };
        self.answer(operation, |result| match result {
            Ok(offset) => reply.offset(offset as i64),
            Err(error) => reply.error(error),
        });
    }

    fn copy_file_range(
        &self,
        request: &Request,
        from: INodeNo,
        _from_handle: FileHandle,
        from_offset: u64,
        to: INodeNo,
        _to_handle: FileHandle,
        to_offset: u64,
        length: u64,
        _flags: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        let length = length.min(1 << 30) as usize;
        let operation = |tree: &Tree| {
            if !is_root(request) {
                self.take_privileges(tree, to)?;
            }
            tree.copy_range((from.0, from_offset), (to.0, to_offset), length)
        };
        self.answer(operation, |result| match result {
            Ok(count) => reply.written(count as u32),
            Err(error) => reply.error(error),
        });
    }
}

/// The attributes of what is not there.
const NOTHING: FileAttr = FileAttr {
    ino: INodeNo(0),
    size: 0,
    blocks: 0,
    atime: SystemTime::UNIX_EPOCH,
    mtime: SystemTime::UNIX_EPOCH,
    ctime: SystemTime::UNIX_EPOCH,
    crtime: SystemTime::UNIX_EPOCH,
    kind: fuser::FileType::RegularFile,
    perm: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
    flags: 0,
};
