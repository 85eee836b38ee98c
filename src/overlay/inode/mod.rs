//! What the kernel knows of this file system: which inode numbers it holds, how often it looked each up, and where each lies.
//!
//! A [`Node`] has no descriptor of its own: it is found by its name in its parent. Only files in use, and a bounded number of
//! directories, are held open. What must stay true:
//! * one node for one file: all names of a file with several links lead to the same node (found by [`Key`]);
//! * a file keeps its number for as long as it is mounted, over copy-up and rename: of one that the kernel has forgotten, a number
//!   that its [`Key`] would not give again is kept;
//! * lock order: table, then one node's state; neither is held over a system call that can block on another process;
//! * a node is small, as there may be millions: what few have lies apart ([`More`]), lists that mostly have one element hold it
//!   in place, the table of numbers takes each from its node, and a number on disk that is also the node's own needs no entry
//!   in a second table.

mod few;
mod table;

use std::ffi::{OsStr, OsString};
use std::num::NonZeroU16;
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, Stat};
use smallvec::SmallVec;

use few::Few;
pub use table::Table;

use super::quota::Leaving;
use super::readdir::Listing;
use super::session::turns::close_later;
use crate::store::owners::Owner;

/// The root's number, fixed by the protocol.
pub const ROOT: u64 = 1;
/// The layer number of the upper directory; lowers count from 1, the topmost first.
pub const UPPER: u16 = 0;

/// Takes a lock whatever happened to its last holder: a panic there was answered with EIO, and states are whole at any time.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The identity of a file on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// One more than the number of the layer: a value is free for those who keep this in little room.
    layer: NonZeroU16,
    /// As the kernel holds it: 12 bits for the major number, 20 for the minor.
    dev: u32,
    ino: u64,
}

impl Key {
    pub fn new(layer: u16, stat: &Stat) -> Self {
        Self::from_numbers(layer, stat.st_dev, stat.st_ino)
    }

    pub fn from_numbers(layer: u16, dev: u64, ino: u64) -> Self {
        Self {
            layer: NonZeroU16::MIN.saturating_add(layer),
            dev: rustix::fs::major(dev) << 20 | rustix::fs::minor(dev),
            ino,
        }
    }
}

/// In which layers something lies, the topmost first: one for a file, every merged one for a directory.
#[derive(Debug, Clone)]
pub enum Layers {
    One(u16),
    Many(Arc<[u16]>),
}

impl Layers {
    /// With one more below all.
    pub fn above(&self, layer: u16) -> Self {
        Self::from_iter(self.iter().copied().chain([layer]))
    }

    /// With the upper directory above all.
    pub fn below_upper(&self) -> Self {
        Self::from_iter([UPPER].into_iter().chain(self.iter().copied()))
    }

    pub fn are_upper_only(&self) -> bool {
        **self == [UPPER]
    }
}

impl FromIterator<u16> for Layers {
    fn from_iter<I: IntoIterator<Item = u16>>(layers: I) -> Self {
        let layers: SmallVec<[u16; 16]> = layers.into_iter().collect();
        match *layers {
            [one] => Self::One(one),
            _ => Self::Many(Arc::from(&*layers)),
        }
    }
}

impl Deref for Layers {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        match self {
            Self::One(layer) => std::slice::from_ref(layer),
            Self::Many(layers) => layers,
        }
    }
}

/// One file or directory that the kernel knows, or knew when a child of it became known.
#[derive(Debug)]
pub struct Node {
    pub ino: u64,
    pub kind: FileType,
    /// Held while the file is copied up, and while data is written or times are set, which writing back preserves.
    pub changing: Mutex<()>,
    pub state: Mutex<State>,
}

#[derive(Debug)]
pub struct State {
    /// How many answers of ours the kernel has not taken back.
    lookups: u64,
    /// Where it lies: one name for a directory, every known one for a file; none once it was removed.
    pub names: Names,
    pub layers: Layers,
    pub keys: Few<Key>,
    more: Option<Box<More>>,
}

pub type Names = Few<(Arc<Node>, Box<OsStr>)>;

/// What is known of directories, and of few files.
#[derive(Debug)]
pub struct More {
    /// How many names of known nodes lie in this directory.
    children: usize,
    /// It counts although it has no name. Goes before the file does, whose number may then be another's.
    pub leaving: Option<Leaving>,
    /// How many have it open, where that is told (see `living`).
    pub opens: u32,
    /// The file itself, as long as it is held open (see `handle`).
    pub file: Option<Arc<OwnedFd>>,
    /// A directory in each layer, as far as remembered.
    pub directories: Vec<(u16, Arc<OwnedFd>)>,
    pub listing: Option<Arc<Mutex<Listing>>>,
    /// How often an entry changed.
    pub changes: u64,
    /// Somebody has the directory open whose reading fills the kernel's list of it (see `readdir`).
    pub fills: bool,
    /// How many links a file shows, where the disk does not know: some of its names lie in a lower layer, the others were
    /// copied up or hidden there. While it has names it is not dropped then, nor is what is known of it.
    pub links: Option<u32>,
    /// What was last known of a file that has no name on disk any more.
    pub last: Option<Stat>,
    /// Whose a lower file is that lost a name by which that could be found.
    pub owner: Option<Owner>,
    /// Where a symbolic link led that has no name any more.
    pub target: Option<Box<[u8]>>,
}

impl More {
    const fn none() -> Self {
        Self {
            children: 0,
            leaving: None,
            opens: 0,
            file: None,
            directories: Vec::new(),
            listing: None,
            changes: 0,
            fills: false,
            last: None,
            owner: None,
            target: None,
            links: None,
        }
    }
}

static NO_MORE: More = More::none();

impl Deref for State {
    type Target = More;

    fn deref(&self) -> &More {
        self.more.as_deref().unwrap_or(&NO_MORE)
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut More {
        self.more.get_or_insert_with(|| Box::new(More::none()))
    }
}

impl State {
    /// Gives up all that is held for a node that nobody needs: a file's descriptor last.
    fn end(&mut self) {
        if let Some(more) = self.more.take() {
            drop(more.leaving);
            close_later(more.file);
        }
    }

    /// Gives up the file's descriptor.
    pub fn close(&mut self) {
        let Some(more) = &mut self.more else { return };
        close_later(more.file.take());
        // That of a directory, which is never closed in this way, has more in it.
        if more.opens == 0 && more.leaving.is_none() && more.last.is_none() && more.links.is_none() {
            self.more = None;
        }
    }
}

impl Node {
    pub fn root(layers: Layers) -> Self {
        let node = Self::new(ROOT, FileType::Directory, layers, Few::default());
        lock(&node.state).lookups = 1;
        node
    }

    fn new(ino: u64, kind: FileType, layers: Layers, keys: Few<Key>) -> Self {
        let state = State { lookups: 0, names: Names::default(), layers, keys, more: None };
        Self { ino, kind, changing: Mutex::default(), state: Mutex::new(state) }
    }

    /// The work directory, as one that names can lie in; a part of no tree.
    pub fn attic(work: Option<Arc<OwnedFd>>) -> Self {
        let node = Self::new(0, FileType::Directory, Layers::One(UPPER), Few::default());
        lock(&node.state).directories = work.map(|work| (UPPER, work)).into_iter().collect();
        node
    }

    pub fn is_dir(&self) -> bool {
        self.kind == FileType::Directory
    }

    pub fn layers(&self) -> Layers {
        lock(&self.state).layers.clone()
    }

    /// How many links it shows, if not those on disk.
    pub fn shown_links(&self) -> Option<u32> {
        let state = lock(&self.state);
        if state.layers.len() > 1 && state.last.is_none() { Some(1) } else { state.links }
    }

    /// Whether its topmost part lies in the upper directory.
    pub fn in_upper(&self) -> bool {
        lock(&self.state).layers.first() == Some(&UPPER)
    }

    /// Any name under which it lies, with the directory.
    pub fn name(&self) -> Option<(Arc<Node>, OsString)> {
        lock(&self.state).names.first().map(|(parent, name)| (parent.clone(), name.to_os_string()))
    }

    pub fn directory(&self, layer: u16) -> Option<Arc<OwnedFd>> {
        let state = lock(&self.state);
        state.directories.iter().find(|(of, _)| *of == layer).map(|(_, fd)| fd.clone())
    }

    pub fn file(&self) -> Option<Arc<OwnedFd>> {
        lock(&self.state).file.clone()
    }

    /// It has no name on disk any more, and is not open here.
    pub fn is_lost(&self) -> bool {
        let state = lock(&self.state);
        state.last.is_some() && state.file.is_none()
    }
}

/// What a lookup found on disk.
#[derive(Debug)]
pub struct Found {
    pub layers: Layers,
    /// Of the topmost.
    pub stat: Stat,
    pub key: Key,
}

impl Found {
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    pub fn in_upper(&self) -> bool {
        self.layers.first() == Some(&UPPER)
    }
}

/// Whether `node` is `top` or lies below it.
pub fn is_below(node: &Arc<Node>, top: &Arc<Node>) -> bool {
    let mut at = node.clone();
    loop {
        if Arc::ptr_eq(&at, top) {
            return true;
        }
        match at.name() {
            Some((parent, _)) => at = parent,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_small() {
        // With its name and its entry in the table it stays under 200 bytes.
        assert!(size_of::<Node>() <= 104, "{}", size_of::<Node>());
    }
}
