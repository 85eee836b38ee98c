//! A directory as its layers show it together, read without a mount: for who packs or compares trees.
//!
//! The rules are overlayfs' (kernel, filesystems/overlayfs.rst): the topmost layer that has a name decides, directories merge
//! down to the first opaque one, a whiteout (a 0:0 device, or an empty file with `user.overlay.whiteout`) ends the search.
//! Every step is one name beneath a directory that is open; no symlink is followed, no mount is entered. The tree may change
//! meanwhile: what is gone when it is looked at was not there.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::shown;
use crate::store::owners::{Device, Journal, Owner, Table};
use crate::sys::{self, Call};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A FIFO or device of that name must not hold the reader up.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What the kernel shows of an id that a namespace does not map (/proc/sys/kernel/overflowuid).
const UNMAPPED: u32 = 65534;

/// The parts of one directory, in the layers that have it, the topmost first; at least one.
#[derive(Debug)]
pub struct Merged {
    parts: Vec<Part>,
    /// One of the layers hides what lies below it here.
    is_cut: bool,
    /// Of each layer.
    owners: Rc<Vec<Owners>>,
}

/// Where a layer says whose its files are.
#[derive(Debug)]
pub enum Owners {
    /// On the disk.
    Disk,
    /// On the disk; what this namespace has no id for is shown as root's.
    Foreign,
    /// In a table beside a layer of an image.
    Table(Table),
    /// In attributes, and in a journal beside an upper directory.
    Journal(Journal),
}

#[derive(Debug)]
struct Part {
    /// 0 is the topmost layer of the tree.
    layer: usize,
    fd: OwnedFd,
}

/// One name of a directory.
#[derive(Debug)]
pub struct Entry {
    pub name: Vec<u8>,
    /// Of the part that decides.
    pub stat: Stat,
    /// It hides what lies below.
    pub is_whiteout: bool,
    /// In which layer it lies; 0 is the topmost.
    pub layer: usize,
    part: usize,
}

impl Entry {
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    pub fn is_dir(&self) -> bool {
        self.kind() == FileType::Directory
    }

    /// On one file system, and as long as nobody writes, the same for the same file.
    pub fn identity(&self) -> (u64, u64) {
        (self.stat.st_dev, self.stat.st_ino)
    }
}

impl Merged {
    /// The root of the layers `roots`, the topmost first.
    pub fn root(layers: Vec<(OwnedFd, Owners)>) -> Self {
        let (roots, owners): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
        let parts = roots.into_iter().enumerate().map(|(layer, fd)| Part { layer, fd }).collect();
        Self { parts, is_cut: false, owners: Rc::new(owners) }
    }

    /// Whose an entry is, as the image means it, and the device that it was. `path` leads to it from the root of the tree.
    pub fn owner(&self, entry: &Entry, path: &[u8]) -> sys::Result<(Owner, Option<Device>)> {
        match self.owners.get(entry.layer) {
            None | Some(Owners::Disk) => Ok((Owner { uid: entry.stat.st_uid, gid: entry.stat.st_gid }, None)),
            Some(Owners::Foreign) => {
                let id = |id| if id == UNMAPPED { 0 } else { id };
                Ok((Owner { uid: id(entry.stat.st_uid), gid: id(entry.stat.st_gid) }, None))
            }
            Some(Owners::Table(table)) => Ok(table.get(path)),
            Some(Owners::Journal(journal)) => {
                let file = match entry.kind() {
                    FileType::RegularFile | FileType::Directory => self.open(entry)?,
                    _ => None,
                };
                Ok((journal.owner_of(entry.stat.st_ino, file.as_ref().map(AsFd::as_fd))?, None))
            }
        }
    }

    /// A directory of this machine: nothing in it speaks to an overlay, and some of it may be closed to this user.
    fn is_foreign(&self, layer: usize) -> bool {
        matches!(self.owners.get(layer), Some(Owners::Foreign))
    }

    /// Devices and inode numbers of the parts: two directories with the same parts show the same.
    pub fn identity(&self) -> sys::Result<Vec<(u64, u64)>> {
        let identity = |part: &Part| rustix::fs::fstat(&part.fd).map(|stat| (stat.st_dev, stat.st_ino)).call("fstat");
        self.parts.iter().map(identity).collect()
    }

    /// The part that decides owner, mode and times.
    pub fn top(&self) -> Option<BorrowedFd<'_>> {
        self.parts.first().map(|part| part.fd.as_fd())
    }

    /// Whether the topmost part hides all that lies below it.
    pub fn is_opaque(&self) -> sys::Result<bool> {
        self.top().map_or(Ok(false), is_opaque)
    }

    /// Whether any of its layers hides what would lie below all of them.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// What the directory shows, by name.
    pub fn entries(&self) -> sys::Result<Vec<Entry>> {
        Ok(self.all_entries()?.into_iter().filter(|entry| !entry.is_whiteout).collect())
    }

    /// The same, and what it hides of what would lie below all its layers.
    pub fn all_entries(&self) -> sys::Result<Vec<Entry>> {
        let mut found = BTreeMap::new();
        for part in 0..self.parts.len() {
            for entry in self.part(part, |name| !found.contains_key(name))? {
                found.insert(entry.name.clone(), entry);
            }
        }
        Ok(found.into_values().collect())
    }

    /// What the topmost part holds, whiteouts included, by name.
    pub fn top_entries(&self) -> sys::Result<Vec<Entry>> {
        let mut entries = self.part(0, |_| true)?;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn part(&self, part: usize, is_wanted: impl Fn(&[u8]) -> bool) -> sys::Result<Vec<Entry>> {
        let Some(Part { layer, fd }) = self.parts.get(part) else { return Ok(Vec::new()) };
        let foreign = self.is_foreign(*layer);
        let mut entries = Vec::new();
        let own = match rustix::fs::openat(fd, c".", DIRECTORY, Mode::empty()) {
            // Whoever runs the container does not see more.
            Err(Errno::ACCESS) if foreign => return Ok(entries),
            own => own.call("openat(.)")?,
        };
        for found in Dir::read_from(own).call("opendir")? {
            let found = found.call("getdents64")?;
            let name = found.file_name().to_bytes();
            if name == b"." || name == b".." || !is_wanted(name) {
                continue;
            }
            if let Some(stat) = stat(fd.as_fd(), name)? {
                let is_whiteout = !foreign && is_whiteout(fd.as_fd(), name, &stat)?;
                entries.push(Entry { name: name.to_vec(), stat, is_whiteout, layer: *layer, part });
            }
        }
        Ok(entries)
    }

    /// The directory `name` of this one. `None`: it is none, or no longer.
    pub fn enter(&self, name: &[u8]) -> sys::Result<Option<Self>> {
        let (mut parts, mut is_cut) = (Vec::new(), false);
        for Part { layer, fd } in &self.parts {
            let foreign = self.is_foreign(*layer);
            let opened = match beneath(fd.as_fd(), name, DIRECTORY) {
                Err(Errno::ACCESS) if foreign => beneath(fd.as_fd(), name, DIRECTORY | OFlags::PATH),
                opened => opened,
            };
            let fd = match opened {
                Ok(fd) => fd,
                Err(Errno::NOENT) => continue,
                // A whiteout or anything else that is not a directory of this layer.
                Err(Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => {
                    is_cut = true;
                    break;
                }
                Err(error) => return Err(sys::Error::new(format!("openat({})", shown(name)), error)),
            };
            let ends = !foreign && is_opaque(fd.as_fd())?;
            parts.push(Part { layer: *layer, fd });
            if ends {
                is_cut = true;
                break;
            }
        }
        Ok((!parts.is_empty()).then(|| Self { parts, is_cut, owners: self.owners.clone() }))
    }

    /// Where the symlink `name` leads. `None`: it is none.
    pub fn link(&self, name: &[u8]) -> sys::Result<Option<Vec<u8>>> {
        for part in &self.parts {
            match rustix::fs::readlinkat(&part.fd, name, Vec::new()) {
                Ok(target) => return Ok(Some(target.into_bytes())),
                Err(Errno::INVAL) => return Ok(None),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(sys::Error::new(format!("readlinkat({})", shown(name)), error)),
            }
        }
        Ok(None)
    }

    /// Opens the entry's deciding part for reading. `None`: it is gone, or a symlink by now.
    pub fn open(&self, entry: &Entry) -> sys::Result<Option<OwnedFd>> {
        match self.parts.get(entry.part) {
            Some(part) => open(part.fd.as_fd(), &entry.name),
            None => Ok(None),
        }
    }

    /// Where a symlink leads. `None`: it is gone, or none by now.
    pub fn target(&self, entry: &Entry) -> sys::Result<Option<Vec<u8>>> {
        let Some(part) = self.parts.get(entry.part) else { return Ok(None) };
        match rustix::fs::readlinkat(&part.fd, entry.name.as_slice(), Vec::new()) {
            Ok(target) => Ok(Some(target.into_bytes())),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(sys::Error::new(format!("readlinkat({})", shown(&entry.name)), error)),
        }
    }
}

fn stat(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<Option<Stat>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(sys::Error::new(format!("fstatat({})", shown(name)), error)),
    }
}

/// One name, and nothing that is mounted there.
fn beneath(parent: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    sys::beneath::open(parent, name, flags, Mode::empty(), resolve)
}

fn open(parent: BorrowedFd<'_>, name: &[u8]) -> sys::Result<Option<OwnedFd>> {
    match beneath(parent, name, FILE) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT | Errno::LOOP | Errno::XDEV) => Ok(None),
        Err(error) => Err(sys::Error::new(format!("openat({})", shown(name)), error)),
    }
}

fn is_whiteout(parent: BorrowedFd<'_>, name: &[u8], stat: &Stat) -> sys::Result<bool> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => Ok(stat.st_rdev == 0),
        FileType::RegularFile if stat.st_size == 0 => match open(parent, name)? {
            Some(file) => Ok(attribute(file.as_fd(), c"user.overlay.whiteout")?.is_some()),
            None => Ok(false),
        },
        _ => Ok(false),
    }
}

fn is_opaque(directory: BorrowedFd<'_>) -> sys::Result<bool> {
    Ok(attribute(directory, c"user.overlay.opaque")?.as_deref() == Some(b"y"))
}

/// A short attribute; `None`: the file has none of that name, or its file system none at all.
pub fn attribute(file: BorrowedFd<'_>, name: &CStr) -> sys::Result<Option<Vec<u8>>> {
    let mut value = Vec::with_capacity(64);
    match rustix::fs::fgetxattr(file, name, rustix::buffer::spare_capacity(&mut value)) {
        Ok(_) => Ok(Some(value)),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(None),
        Err(error) => Err(sys::Error::new(format!("fgetxattr({})", name.to_string_lossy()), error)),
    }
}
