//! What the kernel knows of this file system: which inode numbers it holds, how often it looked each up, and where each lies.
//!
//! A [`Node`] has no descriptor of its own: it is found by its name in its parent. Only files in use, and a bounded number of
//! directories, are held open. What must stay true:
//! * one node for one file: all names of a file with several links lead to the same node (found by [`Key`]);
//! * a file keeps its number for as long as it is mounted, over copy-up and rename: of one that the kernel has forgotten, a number
//!   that its [`Key`] would not give again is kept;
//! * lock order: table, then one node's state; neither is held over a system call that can block on another process;
//! * a node is small, as there may be millions: what few have lies apart ([`More`]), lists that mostly have one element hold it
//!   in place, and a number on disk that is also the node's own needs no entry in a second table.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, Stat};
use smallvec::SmallVec;

use super::quota::Leaving;
use super::readdir::Listing;
use super::session::turns::close_later;
use crate::sys::memory;

/// The root's number, fixed by the protocol.
pub const ROOT: u64 = 1;
/// The layer number of the upper directory; lowers count from 1, the topmost first.
pub const UPPER: u16 = 0;
/// Where numbers start for files whose own number is taken.
const SUBSTITUTES: u64 = 1 << 48;

/// Takes a lock whatever happened to its last holder: a panic there was answered with EIO, and states are whole at any time.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The identity of a file on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    layer: u16,
    /// As the kernel holds it: 12 bits for the major number, 20 for the minor.
    dev: u32,
    ino: u64,
}

impl Key {
    pub fn new(layer: u16, stat: &Stat) -> Self {
        Self::from_numbers(layer, stat.st_dev, stat.st_ino)
    }

    pub fn from_numbers(layer: u16, dev: u64, ino: u64) -> Self {
        Self { layer, dev: rustix::fs::major(dev) << 20 | rustix::fs::minor(dev), ino }
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
    pub keys: SmallVec<[Key; 1]>,
    more: Option<Box<More>>,
}

pub type Names = SmallVec<[(Arc<Node>, Box<OsStr>); 1]>;

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
        let node = Self::new(ROOT, FileType::Directory, layers, SmallVec::new());
        lock(&node.state).lookups = 1;
        node
    }

    fn new(ino: u64, kind: FileType, layers: Layers, keys: SmallVec<[Key; 1]>) -> Self {
        let state = State { lookups: 0, names: Names::new(), layers, keys, more: None };
        Self { ino, kind, changing: Mutex::default(), state: Mutex::new(state) }
    }

    /// The work directory, as one that names can lie in; a part of no tree.
    pub fn attic(work: Option<Arc<OwnedFd>>) -> Self {
        let node = Self::new(0, FileType::Directory, Layers::One(UPPER), SmallVec::new());
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

#[derive(Debug)]
pub struct Table {
    inner: Mutex<Inner>,
    /// All layers lie on one device: numbers on disk are unique as they are.
    same_device: bool,
}

#[derive(Debug)]
struct Inner {
    by_ino: HashMap<u64, Arc<Node>>,
    /// Those whose number is not the one that the key gives.
    by_key: HashMap<Key, Arc<Node>>,
    kept: Kept,
    next: u64,
    /// How many nodes there were at most since memory was last given back.
    most: usize,
}

/// The numbers of files that the kernel has forgotten, and that have another than their keys give: most were copied up.
#[derive(Debug, Default)]
struct Kept {
    numbers: HashMap<Key, u64>,
    /// The same, for who looks for a free one.
    taken: HashSet<u64>,
}

impl Kept {
    fn keep(&mut self, key: Key, number: u64) {
        self.numbers.insert(key, number);
        self.taken.insert(number);
    }

    /// The number is a node's again.
    fn take(&mut self, key: &Key) -> Option<u64> {
        let number = self.numbers.remove(key)?;
        self.taken.remove(&number);
        Some(number)
    }
}

/// With fewer nodes it is not worth giving memory back. Each that is left may keep a page from being given back.
const MANY: usize = 2_000;

impl Table {
    pub fn new(root: Arc<Node>, same_device: bool) -> Self {
        let by_ino = HashMap::from([(ROOT, root)]);
        let inner = Inner { by_ino, by_key: HashMap::new(), kept: Kept::default(), next: SUBSTITUTES, most: 0 };
        Self { inner: Mutex::new(inner), same_device }
    }

    pub fn get(&self, ino: u64) -> Option<Arc<Node>> {
        lock(&self.inner).by_ino.get(&ino).cloned()
    }

    pub fn known(&self, key: &Key) -> Option<Arc<Node>> {
        self.find(&lock(&self.inner), key).cloned()
    }

    fn find<'a>(&self, table: &'a Inner, key: &Key) -> Option<&'a Arc<Node>> {
        let own_number = || table.by_ino.get(&self.preferred(key)).filter(|node| lock(&node.state).keys.contains(key));
        table.by_key.get(key).or_else(own_number)
    }

    /// The number that a file shows unless it is taken: that on disk, marked with the layer if layers lie on several devices.
    fn preferred(&self, key: &Key) -> u64 {
        if self.same_device { key.ino } else { key.ino ^ (u64::from(key.layer) + 1) << 48 }
    }

    /// The number that a directory entry shows.
    pub fn number(&self, key: &Key) -> u64 {
        let table = lock(&self.inner);
        let known = self.find(&table, key).map(|node| node.ino);
        known.or_else(|| table.kept.numbers.get(key).copied()).unwrap_or_else(|| self.preferred(key))
    }

    /// The node for what was found under a name, counted as looked up once more.
    pub fn adopt(&self, parent: &Arc<Node>, name: &OsStr, found: &Found) -> Arc<Node> {
        let mut table = lock(&self.inner);
        let node = match self.find(&table, &found.key).cloned() {
            // Others may have removed a file and made another of its number in a lower layer that lives.
            Some(node) if node.kind == found.kind() => node,
            _ => table.insert(self.preferred(&found.key), found),
        };
        {
            let mut state = lock(&node.state);
            state.lookups += 1;
            if let Some(at) = state.names.iter().position(|(of, known)| Arc::ptr_eq(of, parent) && **known == *name) {
                // The name that is known to be true goes first.
                state.names.swap(0, at);
                return node.clone();
            }
            state.names.insert(0, (parent.clone(), Box::from(name)));
        }
        lock(&parent.state).children += 1;
        node
    }

    /// The kernel gives back `count` lookups.
    pub fn forget(&self, ino: u64, count: u64) {
        let mut table = lock(&self.inner);
        let Some(node) = table.by_ino.get(&ino).cloned() else { return };
        {
            let mut state = lock(&node.state);
            state.lookups = state.lookups.saturating_sub(count);
        }
        table.drop_unused(node, |key| self.preferred(key));
        if table.most > MANY && table.by_ino.len() < table.most / 4 {
            table.by_ino.shrink_to_fit();
            table.by_key.shrink_to_fit();
            table.most = table.by_ino.len();
            memory::release_freed();
        }
    }

    /// A name is gone. `last`: what is known of the file if this was its last one on disk.
    pub fn unname(&self, node: &Arc<Node>, parent: &Arc<Node>, name: &OsStr, last: Option<Stat>) {
        let mut table = lock(&self.inner);
        let removed = {
            let mut state = lock(&node.state);
            let before = state.names.len();
            state.names.retain(|(of, known)| !(Arc::ptr_eq(of, parent) && **known == *name));
            if last.is_some() {
                let more = &mut **state;
                more.last = last;
                more.links = None;
                more.directories.clear();
                more.listing = None;
                for key in std::mem::take(&mut state.keys) {
                    table.by_key.remove(&key);
                }
            }
            before - state.names.len()
        };
        let mut state = lock(&parent.state);
        state.children = state.children.saturating_sub(removed);
    }

    /// A file has one name more.
    pub fn add_name(&self, node: &Arc<Node>, parent: &Arc<Node>, name: &OsStr) {
        let _table = lock(&self.inner);
        lock(&node.state).names.push((parent.clone(), Box::from(name)));
        lock(&parent.state).children += 1;
    }

    /// From now on the file is found on disk under `key`. The old key keeps leading to it only if `keep_old`.
    pub fn rekey(&self, node: &Arc<Node>, key: Key, keep_old: bool) {
        let mut table = lock(&self.inner);
        let mut state = lock(&node.state);
        if !keep_old {
            for old in std::mem::take(&mut state.keys) {
                table.by_key.remove(&old);
            }
        }
        if !state.keys.contains(&key) {
            state.keys.push(key);
        }
        if self.preferred(&key) != node.ino {
            table.by_key.insert(key, node.clone());
        }
    }

    /// Every known directory at or below `top` that merges more than one layer or lies in a lower one.
    pub fn merged_below(&self, top: &Arc<Node>) -> Vec<Arc<Node>> {
        let children = lock(&top.state).children;
        let all: Vec<Arc<Node>> = match children {
            0 => vec![top.clone()],
            _ => lock(&self.inner).by_ino.values().filter(|node| node.is_dir()).cloned().collect(),
        };
        all.into_iter().filter(|node| !node.layers().are_upper_only() && is_below(node, top)).collect()
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

impl Inner {
    fn insert(&mut self, preferred: u64, found: &Found) -> Arc<Node> {
        let mut ino = self.kept.take(&found.key).unwrap_or(preferred);
        while ino <= ROOT || self.by_ino.contains_key(&ino) || self.kept.taken.contains(&ino) {
            ino = self.next;
            self.next += 1;
        }
        let keys = SmallVec::from([found.key]);
        let node = Arc::new(Node::new(ino, found.kind(), found.layers.clone(), keys));
        self.by_ino.insert(ino, node.clone());
        self.most = self.most.max(self.by_ino.len());
        if ino != preferred {
            self.by_key.insert(found.key, node.clone());
        }
        node
    }

    /// Drops a node that nobody needs, then its parents as far as they are not needed either.
    fn drop_unused(&mut self, node: Arc<Node>, preferred: impl Fn(&Key) -> u64) {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            let (names, keys) = {
                let mut state = lock(&node.state);
                let linked = state.links.is_some() && !state.names.is_empty();
                if node.ino == ROOT || state.lookups > 0 || state.children > 0 || linked {
                    continue;
                }
                state.end();
                (std::mem::take(&mut state.names), std::mem::take(&mut state.keys))
            };
            self.by_ino.remove(&node.ino);
            if let Some(key) = keys.last().filter(|key| preferred(key) != node.ino) {
                self.kept.keep(*key, node.ino);
            }
            for key in keys {
                if let Entry::Occupied(entry) = self.by_key.entry(key)
                    && Arc::ptr_eq(entry.get(), &node)
                {
                    entry.remove();
                }
            }
            for (parent, _) in names {
                let mut state = lock(&parent.state);
                state.children = state.children.saturating_sub(1);
                drop(state);
                pending.push(parent);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(ino: u64, layer: u16) -> Found {
        let mut stat = rustix::fs::stat("/").unwrap();
        stat.st_ino = ino;
        Found { layers: Layers::One(layer), stat, key: Key::new(layer, &stat) }
    }

    fn table() -> (Arc<Node>, Table) {
        let root = Arc::new(Node::root(Layers::from_iter([UPPER, 1])));
        (root.clone(), Table::new(root, true))
    }

    #[test]
    fn a_node_is_small() {
        // With its name and its entry in the table it stays under 200 bytes.
        assert!(size_of::<Node>() <= 120, "{}", size_of::<Node>());
    }

    #[test]
    fn two_names_of_one_file_are_one_node() {
        let (root, table) = table();
        let one = table.adopt(&root, OsStr::new("a"), &found(7, 1));
        let two = table.adopt(&root, OsStr::new("b"), &found(7, 1));
        assert!(Arc::ptr_eq(&one, &two));
        assert_eq!((one.ino, lock(&one.state).names.len()), (7, 2));
    }

    #[test]
    fn a_number_in_use_is_not_given_twice() {
        let (root, table) = table();
        let old = table.adopt(&root, OsStr::new("a"), &found(7, UPPER));
        // Removed, but still known to the kernel; the disk uses its number again.
        table.unname(&old, &root, OsStr::new("a"), Some(found(7, UPPER).stat));
        let new = table.adopt(&root, OsStr::new("b"), &found(7, UPPER));
        assert_ne!(old.ino, new.ino);
    }

    #[test]
    fn a_file_that_was_copied_up_and_forgotten_keeps_its_number() {
        let (root, table) = table();
        let name = OsStr::new("a");
        let lower = table.adopt(&root, name, &found(7, 1));
        let copy = found(9, UPPER);
        table.rekey(&lower, copy.key, false);
        table.forget(7, 1);
        assert!(table.get(7).is_none());
        assert_eq!((table.number(&copy.key), table.number(&found(8, 1).key)), (7, 8));
        // What else has that number below shows another.
        let twin = table.adopt(&root, OsStr::new("b"), &found(7, 1));
        assert_ne!(twin.ino, 7);
        let again = table.adopt(&root, name, &copy);
        assert_eq!(again.ino, 7);
        // With the file the number goes: what has the key on disk now is another one.
        table.unname(&again, &root, name, Some(copy.stat));
        table.forget(7, 1);
        assert_eq!(table.adopt(&root, OsStr::new("c"), &copy).ino, 9);
        table.forget(twin.ino, 1);
        table.forget(9, 1);
        let kept = &lock(&table.inner).kept;
        assert_eq!((kept.numbers.len(), kept.taken.len()), (1, 1));
    }

    #[test]
    fn parents_stay_while_their_children_are_known() {
        let (root, table) = table();
        let dir = table.adopt(&root, OsStr::new("d"), &found(8, 1));
        let file = table.adopt(&dir, OsStr::new("f"), &found(9, 1));
        table.forget(dir.ino, 1);
        assert!(table.get(8).is_some());
        table.forget(file.ino, 1);
        assert!(table.get(9).is_none() && table.get(8).is_none());
        assert_eq!(lock(&root.state).children, 0);
    }
}
