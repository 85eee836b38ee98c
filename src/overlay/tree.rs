//! The overlay as one object: its layers, what the kernel knows of it, and the way to a directory in a layer.
//!
//! Lock order: `names`, then one node's `changing`, then the table, then a node's state. `names` is held shared by whoever
//! resolves a name, exclusively by whoever changes what a name means (remove, rename, the last step of a copy-up). The kernel
//! already keeps apart what happens to names within one directory; `names` covers what it can't see: that a file given by its
//! number is found through names all the same.

use std::collections::VecDeque;
use std::hash::RandomState;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::inode::{Node, ROOT, Table, UPPER, lock};
use super::lookup::OPAQUE;
use super::owners::Owners;
use super::quota::Quota;
use super::{Error, Features, Stack};
use crate::sys::Call;

/// The result of an operation: what the kernel is to be told.
pub type Op<T> = Result<T, Errno>;

/// What statfs(2) calls it.
const NFS: rustix::fs::FsWord = 0x6969;
/// How many entries the remembered directory listings have, beside those of the last.
const LISTED: usize = 10_000;
/// Of so many directories they are remembered however long they are: those who read one each do not take them from each other.
const RECENT: usize = 4;

#[derive(Debug)]
pub struct Tree {
    /// By layer number; 0 is the upper.
    roots: Vec<Option<Arc<OwnedFd>>>,
    work: Option<Arc<OwnedFd>>,
    /// The work directory as a place of names (see `change::links`).
    pub attic: Arc<Node>,
    pub root: Arc<Node>,
    pub table: Table,
    names: RwLock<()>,
    /// Directories that are held open, the oldest first.
    held: Mutex<VecDeque<(Weak<Node>, u16)>>,
    pub held_limit: usize,
    /// Files that are held open, the oldest first.
    pub files: Mutex<VecDeque<Weak<Node>>>,
    listed: Mutex<Listed>,
    /// Makes the order of directory entries (and their offsets) unguessable, so that nobody can make them collide.
    pub hashing: RandomState,
    staged: AtomicU64,
    pub features: Features,
    /// Where owners are recorded.
    pub owners: Option<Owners>,
    pub quota: Option<Arc<Quota>>,
    /// The disk of the upper directory takes the attributes in which an overlay is written down.
    pub marks: bool,
    /// It is NFS, which has no open files without a name: one that is removed stays beside where it was for as long as it is open.
    pub renames_removed: bool,
}

impl Tree {
    /// `descriptors`: how many directories may be held open, and at most as many files.
    pub fn new(stack: Stack, descriptors: usize, features: Features) -> Result<Self, Error> {
        let (upper, work) = match stack.upper {
            Some(upper) => (Some(Arc::new(upper.dir)), Some(Arc::new(upper.work))),
            None => (None, None),
        };
        let mut roots = vec![upper];
        roots.extend(stack.lowers.into_iter().map(|fd| Some(Arc::new(fd))));
        let mut layers = Vec::new();
        let mut devices = Vec::new();
        for (layer, root) in roots.iter().enumerate() {
            let Some(root) = root else { continue };
            layers.push(u16::try_from(layer).map_err(|_| Error::Unfit("too many layers".to_owned()))?);
            devices.push(rustix::fs::fstat(root).call("fstat(layer)")?.st_dev);
        }
        devices.dedup();
        let owners = match roots.first() {
            Some(Some(upper)) if features.recorded => Some(Owners::beside(upper, roots.len())?),
            _ => None,
        };
        let quota = match (roots.first(), features.quota) {
            (Some(Some(upper)), Some(limit)) => {
                Some(Arc::new(Quota::new(limit, upper).call("count the upper directory")?))
            }
            _ => None,
        };
        let marks = match &work {
            Some(work) => takes_marks(work)?,
            None => true,
        };
        let is_nfs = |work: &Arc<OwnedFd>| rustix::fs::fstatfs(work).is_ok_and(|disk| disk.f_type == NFS);
        let renames_removed = work.as_ref().is_some_and(is_nfs);
        let root = Arc::new(Node::root(layers.into_iter().collect()));
        Ok(Self {
            roots,
            attic: Arc::new(Node::attic(work.clone())),
            work,
            table: Table::new(root.clone(), devices.len() == 1),
            root,
            names: RwLock::new(()),
            held: Mutex::default(),
            held_limit: descriptors,
            files: Mutex::default(),
            listed: Mutex::default(),
            hashing: RandomState::new(),
            staged: AtomicU64::new(0),
            features,
            owners,
            quota,
            marks,
            renames_removed,
        })
    }

    /// Whether the upper directory is all there is.
    pub fn stands_alone(&self) -> bool {
        self.roots.len() == 1
    }

    /// Names mean what they mean until the guard is dropped.
    pub fn reading(&self) -> RwLockReadGuard<'_, ()> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody else resolves a name until the guard is dropped.
    pub fn renaming(&self) -> RwLockWriteGuard<'_, ()> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn node(&self, ino: u64) -> Op<Arc<Node>> {
        self.table.get(ino).ok_or(Errno::STALE)
    }

    pub fn work(&self) -> Op<BorrowedFd<'_>> {
        self.work.as_ref().map(AsFd::as_fd).ok_or(Errno::ROFS)
    }

    /// A name in the work directory that nothing has.
    pub fn staged(&self) -> String {
        format!("coracle-{}", self.staged.fetch_add(1, Ordering::Relaxed))
    }

    pub fn layer_root(&self, layer: u16) -> Op<Arc<OwnedFd>> {
        let missing = if layer == UPPER { Errno::ROFS } else { Errno::STALE };
        self.roots.get(usize::from(layer)).cloned().flatten().ok_or(missing)
    }

    /// The directory `node` as it lies in `layer`, of which it must be a part. Needs `names`.
    pub fn directory(&self, node: &Arc<Node>, layer: u16) -> Op<Arc<OwnedFd>> {
        let mut path = Vec::new();
        let mut at = node.clone();
        // Upwards to the nearest that is open, then down again: depth costs memory, not stack.
        let mut fd = loop {
            if at.ino == ROOT {
                break self.layer_root(layer)?;
            }
            if let Some(fd) = at.directory(layer) {
                break fd;
            }
            let (parent, name) = at.name().ok_or(Errno::NOENT)?;
            path.push((at, name));
            at = parent;
        };
        while let Some((node, name)) = path.pop() {
            fd = Arc::new(open_beneath(&fd, &name)?);
            self.hold(&node, layer, &fd);
        }
        Ok(fd)
    }

    fn hold(&self, node: &Arc<Node>, layer: u16, fd: &Arc<OwnedFd>) {
        {
            let mut state = lock(&node.state);
            if state.directories.iter().any(|(of, _)| *of == layer) {
                return;
            }
            state.directories.push((layer, fd.clone()));
        }
        let mut held = lock(&self.held);
        held.push_back((Arc::downgrade(node), layer));
        while held.len() > self.held_limit {
            let Some((old, layer)) = held.pop_front() else { break };
            if let Some(old) = old.upgrade() {
                lock(&old.state).directories.retain(|(of, _)| *of != layer);
            }
        }
    }

    /// Notes that a listing was made, and drops the oldest beyond a limit.
    pub fn listed(&self, node: &Arc<Node>, entries: usize) {
        let mut listed = lock(&self.listed);
        while listed.entries > LISTED
            && listed.directories.len() >= RECENT
            && let Some((old, entries)) = listed.directories.pop_front()
        {
            listed.entries -= entries;
            if let Some(old) = old.upgrade() {
                lock(&old.state).listing = None;
            }
        }
        // An empty one is not free either.
        listed.entries += entries + 1;
        listed.directories.push_back((Arc::downgrade(node), entries + 1));
    }
}

/// Whether a disk takes the overlay's attributes. One that does not must at least take whiteouts in the form of devices.
fn takes_marks(work: &OwnedFd) -> Result<bool, Error> {
    const NAME: &str = "coracle-probe";
    if rustix::fs::fgetxattr(work, OPAQUE, &mut [0; 8]) != Err(Errno::OPNOTSUPP) {
        return Ok(true);
    }
    rustix::fs::mknodat(work, NAME, FileType::CharacterDevice, Mode::empty(), 0).map_err(|_| Error::Disk)?;
    rustix::fs::unlinkat(work, NAME, AtFlags::empty()).call("unlink(a whiteout)")?;
    Ok(false)
}

/// Directories whose listing is remembered, the oldest first, and how many entries each and all had.
#[derive(Debug, Default)]
struct Listed {
    directories: VecDeque<(Weak<Node>, usize)>,
    entries: usize,
}

/// Opens a directory that lies directly in another one: no symlink, no mount, nothing above.
///
/// A directory that may be searched but not read is opened as far as that goes.
pub fn open_beneath(parent: &OwnedFd, name: &std::ffi::OsStr) -> Op<OwnedFd> {
    let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    loop {
        match rustix::fs::openat2(parent, name, flags, Mode::empty(), resolve) {
            // The kernel saw a rename somewhere while it resolved `BENEATH`.
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::ACCESS) if !flags.contains(OFlags::PATH) => flags |= OFlags::PATH,
            result => return result,
        }
    }
}
