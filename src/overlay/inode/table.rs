//! Every node that is known, by its number and by its place on disk.

use std::borrow::Borrow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use rustix::fs::Stat;

use super::few::Few;
use super::{Found, Key, Node, ROOT, is_below, lock};
use crate::sys::memory;

/// Where numbers start for files whose own number is taken.
const SUBSTITUTES: u64 = 1 << 48;

#[derive(Debug)]
pub struct Table {
    inner: Mutex<Inner>,
    /// All layers lie on one device: numbers on disk are unique as they are.
    same_device: bool,
}

#[derive(Debug)]
struct Inner {
    by_ino: HashSet<Numbered>,
    /// Those whose number is not the one that the key gives.
    by_key: HashMap<Key, Arc<Node>>,
    kept: Kept,
    next: u64,
    /// How many nodes there were at most since memory was last given back.
    most: usize,
}

/// A node in a set, where its number finds it.
#[derive(Debug)]
struct Numbered(Arc<Node>);

impl Borrow<u64> for Numbered {
    fn borrow(&self) -> &u64 {
        &self.0.ino
    }
}

impl Hash for Numbered {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.ino.hash(hasher);
    }
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.0.ino == other.0.ino
    }
}

impl Eq for Numbered {}

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
    #[expect(clippy::mutable_key_type, reason = "a number never changes")]
    pub fn new(root: Arc<Node>, same_device: bool) -> Self {
        let by_ino = HashSet::from([Numbered(root)]);
        let inner = Inner { by_ino, by_key: HashMap::new(), kept: Kept::default(), next: SUBSTITUTES, most: 0 };
        Self { inner: Mutex::new(inner), same_device }
    }

    pub fn get(&self, ino: u64) -> Option<Arc<Node>> {
        lock(&self.inner).get(ino).cloned()
    }

    pub fn known(&self, key: &Key) -> Option<Arc<Node>> {
        self.find(&lock(&self.inner), key).cloned()
    }

    fn find<'a>(&self, table: &'a Inner, key: &Key) -> Option<&'a Arc<Node>> {
        let own_number = || table.get(self.preferred(key)).filter(|node| lock(&node.state).keys.contains(key));
        table.by_key.get(key).or_else(own_number)
    }

    /// The number that a file shows unless it is taken: that on disk, marked with the layer if layers lie on several devices.
    fn preferred(&self, key: &Key) -> u64 {
        if self.same_device { key.ino } else { key.ino ^ u64::from(key.layer.get()) << 48 }
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
            state.names.push_first((parent.clone(), Box::from(name)));
        }
        lock(&parent.state).children += 1;
        node
    }

    /// The kernel gives back `count` lookups.
    pub fn forget(&self, ino: u64, count: u64) {
        let mut table = lock(&self.inner);
        let Some(node) = table.get(ino).cloned() else { return };
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
            _ => lock(&self.inner)
                .by_ino
                .iter()
                .map(|Numbered(node)| node)
                .filter(|node| node.is_dir())
                .cloned()
                .collect(),
        };
        all.into_iter().filter(|node| !node.layers().are_upper_only() && is_below(node, top)).collect()
    }
}

impl Inner {
    fn get(&self, ino: u64) -> Option<&Arc<Node>> {
        self.by_ino.get(&ino).map(|Numbered(node)| node)
    }

    fn insert(&mut self, preferred: u64, found: &Found) -> Arc<Node> {
        let mut ino = self.kept.take(&found.key).unwrap_or(preferred);
        while ino <= ROOT || self.by_ino.contains(&ino) || self.kept.taken.contains(&ino) {
            ino = self.next;
            self.next += 1;
        }
        let node = Arc::new(Node::new(ino, found.kind(), found.layers.clone(), Few::One(found.key)));
        self.by_ino.insert(Numbered(node.clone()));
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
    use super::super::{Layers, UPPER};
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
