//! Where an entry goes: directories of the layer, opened beneath its root.
//!
//! The usual way is openat2(2) with the layer as root, so that absolute names and symlinked parents land inside, and a small
//! cache of opened parents. The cache is emptied whenever a directory or a symlink is taken away, since a name may then
//! lead elsewhere. Missing parents are made on a walk of our own, one component at a time, never following.
//!
//! Directories have mode 0700 until the end: so one without permissions can be filled, a setgid one passes its group on to
//! nobody, and their times are not changed by what is put into them. What each is to get is kept by inode number and given
//! in [`Tree::finish`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use super::super::{Problem, shown};
use crate::store::owners::{Device, Owner};
use crate::sys::{self, Call, beneath};

/// PATH_MAX without its NUL.
const LONGEST: usize = 4095;
/// As the kernel (`MAXSYMLINKS`).
const MOST_LINKS: u32 = 40;
/// Opened parents: an archive goes through a tree in order, so few are enough.
const CACHE: usize = 64;

pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A directory that is open and a name in it.
pub(super) struct Place {
    pub parent: Rc<OwnedFd>,
    pub name: Vec<u8>,
}

/// Directories of one layer: 60 MiB of memory.
const MOST: usize = 1_500_000;

/// What a directory gets at the end; small, since a layer may have a million.
struct Plan {
    seconds: i64,
    /// Or `UTIME_OMIT`: it keeps the time that it has.
    nanos: u32,
    mode: u32,
}

pub(super) struct Tree<'a> {
    pub root: BorrowedFd<'a>,
    cache: HashMap<Vec<u8>, Rc<OwnedFd>>,
    plans: HashMap<u64, Plan>,
    /// Whiteouts in the attribute form, by directory, and the directories that are opaque.
    pub attribute_whiteouts: HashMap<u64, HashSet<Vec<u8>>>,
    pub opaque: HashSet<u64>,
    /// What is noted of files that are not root's, by number; see `owners`.
    pub owners: HashMap<u64, (Owner, Option<Device>)>,
}

/// The components of a name from the archive, joined by single slashes: relative to the root, no `.`, no `..`; empty for the
/// root itself.
pub(in crate::layer) fn clean(name: &[u8]) -> Result<Vec<u8>, Problem> {
    if name.is_empty() {
        return Err(Problem::NoName);
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in name.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop().ok_or(Problem::Climbs)?;
            }
            part if part.len() > 255 => return Err(Problem::LongName(255)),
            part => parts.push(part),
        }
    }
    let path = parts.join(&b'/');
    if path.len() > LONGEST { Err(Problem::LongName(LONGEST)) } else { Ok(path) }
}

impl<'a> Tree<'a> {
    pub(super) fn new(root: BorrowedFd<'a>) -> sys::Result<Self> {
        let own = rustix::fs::fstat(root).call("fstat(root of the layer)")?.st_ino;
        Ok(Self {
            root,
            cache: HashMap::new(),
            plans: HashMap::from([(own, Plan::new(0o555, None))]),
            attribute_whiteouts: HashMap::new(),
            opaque: HashSet::new(),
            owners: HashMap::new(),
        })
    }

    /// Where the cleaned `path` is, its parents made if they are missing; `None` for the root.
    pub(super) fn place(&mut self, path: &[u8]) -> Result<Option<Place>, Problem> {
        let (parent, name) = match path.iter().rposition(|b| *b == b'/') {
            Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..).unwrap_or_default()),
            None if path.is_empty() => return Ok(None),
            None => (&b""[..], path),
        };
        let parent = self.directory(parent, true)?.ok_or(Problem::NoName)?;
        Ok(Some(Place { parent, name: name.to_vec() }))
    }

    /// Where an existing entry is, through its symlinked parents; `None`: a parent is missing, or it is the root.
    pub(super) fn existing(&mut self, path: &[u8]) -> Result<Option<Place>, Problem> {
        let (parent, name) = match path.iter().rposition(|b| *b == b'/') {
            Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..).unwrap_or_default()),
            None => (&b""[..], path),
        };
        let found = if name.is_empty() { None } else { self.directory(parent, false)? };
        Ok(found.map(|parent| Place { parent, name: name.to_vec() }))
    }

    fn directory(&mut self, path: &[u8], make: bool) -> Result<Option<Rc<OwnedFd>>, Problem> {
        if let Some(found) = self.cache.get(path) {
            return Ok(Some(found.clone()));
        }
        let opened = match open_in_root(self.root, path) {
            Ok(opened) => opened,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if make => self.make_parents(path)?,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(Errno::LOOP) => return Err(Problem::Loop),
            Err(error) => return Err(sys::Error::new(format!("openat2({})", shown(path)), error).into()),
        };
        if self.cache.len() >= CACHE {
            self.cache.clear();
        }
        let opened = Rc::new(opened);
        self.cache.insert(path.to_vec(), opened.clone());
        Ok(Some(opened))
    }

    /// A directory or symlink has gone: names may lead elsewhere.
    pub(super) fn forget(&mut self) {
        self.cache.clear();
    }

    /// Walks to `path` and makes what is missing. Symlinks on the way count from the root as openat2 would have it, and where
    /// one leads to nothing, that is made: what a later layer or the lower one has there is meant.
    fn make_parents(&mut self, path: &[u8]) -> Result<OwnedFd, Problem> {
        let mut rest: VecDeque<Vec<u8>> = path.split(|b| *b == b'/').map(<[u8]>::to_vec).collect();
        let mut here = open_again(self.root)?;
        let mut depth = 0_usize;
        let mut links = 0;
        while let Some(part) = rest.pop_front() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    // Nobody but us moves directories here, so this is the directory that we came from.
                    if depth > 0 {
                        depth -= 1;
                        here = openat(here.as_fd(), b"..")?;
                    }
                    continue;
                }
                _ => {}
            }
            match rustix::fs::openat(&here, part.as_slice(), DIRECTORY, Mode::empty()) {
                Ok(next) => here = next,
                Err(Errno::NOENT) => here = self.make_missing(&here, &part)?,
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    let found = stat(here.as_fd(), &part)?.ok_or_else(|| Problem::ParentNotDirectory(shown(&part)))?;
                    if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
                        links += 1;
                        if links > MOST_LINKS {
                            return Err(Problem::Loop);
                        }
                        let target = rustix::fs::readlinkat(&here, part.as_slice(), Vec::new());
                        let target = target.call_with(|| format!("readlinkat({})", shown(&part)))?.into_bytes();
                        if target.starts_with(b"/") {
                            here = open_again(self.root)?;
                            depth = 0;
                        }
                        target.split(|b| *b == b'/').rev().for_each(|part| rest.push_front(part.to_vec()));
                        continue;
                    }
                    if !self.is_whiteout(here.as_fd(), &part, &found)? {
                        return Err(Problem::ParentNotDirectory(shown(&part)));
                    }
                    self.unlink(here.as_fd(), &part)?;
                    let made = self.make_missing(&here, &part)?;
                    self.mark_opaque(made.as_fd())?;
                    here = made;
                }
                Err(error) => return Err(sys::Error::new(format!("openat({})", shown(&part)), error).into()),
            }
            depth += 1;
        }
        Ok(here)
    }

    fn make_missing(&mut self, here: &OwnedFd, part: &[u8]) -> Result<OwnedFd, Problem> {
        rustix::fs::mkdirat(here, part, Mode::RWXU).call_with(|| format!("mkdirat({})", shown(part)))?;
        let made = openat(here.as_fd(), part)?;
        let number = inode(made.as_fd())?;
        self.record_nothing(number);
        self.plan(number, 0o755, None)?;
        Ok(made)
    }

    /// Notes what the directory `inode` gets at the end; the last word counts.
    pub(super) fn plan(&mut self, inode: u64, mode: u32, mtime: Option<(i64, u32)>) -> Result<(), Problem> {
        self.plans.insert(inode, Plan::new(mode, mtime));
        if self.plans.len() > MOST { Err(Problem::Crowd(MOST)) } else { Ok(()) }
    }
}

impl Plan {
    fn new(mode: u32, mtime: Option<(i64, u32)>) -> Self {
        let (seconds, nanos) = mtime.unwrap_or((0, UTIME_OMIT as u32));
        Self { seconds, nanos, mode }
    }

    fn give(&self, directory: BorrowedFd<'_>) -> sys::Result<()> {
        rustix::fs::fchmod(directory, Mode::from_raw_mode(self.mode)).call("fchmod(directory)")?;
        rustix::fs::futimens(directory, &times((self.seconds, self.nanos))).call("futimens(directory)")
    }
}

impl Tree<'_> {
    /// Gives all directories their modes and times, those below first. Each is found by its number, wherever it is by now and
    /// however deep: the way back up is `..`, since nobody but us moves directories here.
    pub(super) fn finish(self) -> sys::Result<()> {
        let mut here = open_again(self.root)?;
        let mut levels = vec![subdirectories(&here)?];
        while let Some(pending) = levels.last_mut() {
            if let Some(name) = last_name(pending) {
                here = openat(here.as_fd(), &name)?;
                levels.push(subdirectories(&here)?);
                continue;
            }
            levels.pop();
            // Before it gets a mode that may shut the way.
            let above = if levels.is_empty() { None } else { Some(openat(here.as_fd(), b"..")?) };
            if let Some(plan) = self.plans.get(&inode(here.as_fd())?) {
                plan.give(here.as_fd())?;
            }
            match above {
                Some(above) => here = above,
                None => break,
            }
        }
        Ok(())
    }
}

/// The names of the directories in a directory, a NUL behind each.
fn subdirectories(directory: &OwnedFd) -> sys::Result<Vec<u8>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory).call("opendir")? {
        let entry = entry.call("getdents64")?;
        let name = entry.file_name().to_bytes();
        let kind = match entry.file_type() {
            FileType::Unknown => stat(directory.as_fd(), name)?.map(|found| FileType::from_raw_mode(found.st_mode)),
            known => Some(known),
        };
        if kind == Some(FileType::Directory) && name != b"." && name != b".." {
            names.extend_from_slice(entry.file_name().to_bytes_with_nul());
        }
    }
    Ok(names)
}

/// Takes the last of these names.
fn last_name(names: &mut Vec<u8>) -> Option<Vec<u8>> {
    names.pop()?;
    let start = names.iter().rposition(|byte| *byte == 0).map_or(0, |end| end + 1);
    Some(names.split_off(start))
}

/// Modification time as given, access time the same: reading it must not depend on when the layer was unpacked.
pub(in crate::layer) fn times((seconds, nanos): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: i64::from(nanos) };
    Timestamps { last_access: time, last_modification: time }
}

pub(super) fn open_in_root(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    beneath::open(root, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)
}

fn open_again(root: BorrowedFd<'_>) -> sys::Result<OwnedFd> {
    rustix::fs::openat(root, c".", DIRECTORY, Mode::empty()).call("openat(.)")
}

pub(super) fn openat(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<OwnedFd> {
    rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()).call_with(|| format!("openat({})", shown(name)))
}

pub(super) fn inode(fd: BorrowedFd<'_>) -> sys::Result<u64> {
    Ok(rustix::fs::fstat(fd).call("fstat")?.st_ino)
}

/// Never follows. `None`: there is no such name.
pub(in crate::layer) fn stat(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<Option<rustix::fs::Stat>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(sys::Error::new(format!("fstatat({})", shown(name)), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn names_are_cleaned_lexically() {
        for (name, expected) in
            [("a", "a"), ("./a//b/", "a/b"), ("/a/./b", "a/b"), ("a/../b", "b"), ("/", ""), ("a/..", "")]
        {
            assert_eq!(clean(name.as_bytes()).unwrap(), expected.as_bytes(), "{name}");
        }
    }
}
