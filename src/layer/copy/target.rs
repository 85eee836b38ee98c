//! From the stream to a tree that is there.

use std::fs::File;
use std::io::BufRead;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Uid, XattrFlags};
use rustix::io::Errno;

use super::super::attributes::is_kept;
use super::super::tar_stream::{Entry, Kind, TarStream};
use super::super::unpack::tree::{clean, stat, times};
use super::super::unpack::{Failure, data};
use super::super::{Error, Problem as Wrong, Result, shown};
use super::mounted::{holds_mount, is_mounted};
use super::place::Place;
use super::{Owners, Problem, Root, Stream, Target, failed, parents};
use crate::host::{change, fault};
use crate::store::owners::WORD as OWNER;
use crate::sys::{self, Call, beneath};

const REACHED: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Makes what the stream holds. Tells how many entries it had.
///
/// After an error, what was made before stays; the entry that failed is not there, or as it was.
pub fn unpack(root: Root<'_>, target: &Target, source: impl BufRead) -> Result<u64> {
    let mut stream = TarStream::new(source);
    if target.parents {
        parents::make(root, target)?;
    }
    // An archive is not begun to be read for a target that can't take it; what else goes there, its first entry tells.
    let directory = match target.stream {
        Stream::Archive => match Place::find(root, target, true)? {
            Place::Other { .. } => return Err(Problem::NeedsDirectory("from stdin").into()),
            directory => Some(directory),
        },
        Stream::Named | Stream::Content => None,
    };
    let first = stream.next_entry().map_err(|error| match (target.stream, error) {
        (Stream::Archive, Error::Archive(_) | Error::Entry { .. }) => Problem::NotArchive.into(),
        (_, error) => error,
    })?;
    let Some(mut entry) = first else {
        let length = stream.drain().map_err(Error::Read)?;
        return Err(match target.stream {
            // Of an archive in which nothing is, there is its end.
            Stream::Archive if length > 0 => return Ok(0),
            Stream::Archive => Problem::NotArchive.into(),
            Stream::Named | Stream::Content => Error::Archive("nothing is in it".into()),
        });
    };
    let place = directory.map_or_else(|| Place::find(root, target, entry.kind == Kind::Directory), Ok)?;
    let mut maker = Maker::at(root, target, place, &entry)?;
    loop {
        maker.entry(&entry, &mut stream)?;
        match stream.next_entry()? {
            Some(next) => entry = next,
            None => break,
        }
    }
    let entries = stream.entries();
    // Whoever writes it sees no broken pipe.
    stream.drain().map_err(Error::Read)?;
    maker.finish()?;
    Ok(entries)
}

struct Maker<'a> {
    root: Root<'a>,
    target: &'a Target,
    /// Beneath it everything is made.
    base: OwnedFd,
    /// What the first component of each name becomes; `None`: it is left out.
    first: Option<Vec<u8>>,
    /// The directory in which the last entry was made.
    parent: Option<(Vec<u8>, Rc<OwnedFd>)>,
    /// New directories, outer ones first: they get modes and times at the end.
    made: Vec<Made>,
}

struct Made {
    path: Vec<u8>,
    mode: u32,
    mtime: (i64, u32),
}

impl<'a> Maker<'a> {
    fn at(root: Root<'a>, target: &'a Target, place: Place, first: &Entry) -> Result<Self> {
        let is_directory = first.kind == Kind::Directory;
        let (base, first) = match (place, target.stream) {
            (Place::Directory(base), Stream::Archive) => (base, None),
            (Place::Directory(base), Stream::Content) if is_directory => (base, None),
            (Place::Directory(base), _) => {
                let name = clean(&first.path).map_err(|wrong| Error::entry(&first.path, wrong))?;
                (base, Some(name))
            }
            (Place::Other { is_there: true, .. }, _) if is_directory => {
                return Err(Problem::NeedsDirectory("a directory").into());
            }
            (Place::Other { parent, name, .. }, _) => (parent, Some(name)),
        };
        Ok(Self { root, target, base, first, parent: None, made: Vec::new() })
    }

    /// Where an entry goes, from the base on; empty: the base itself.
    fn path(&self, name: &[u8]) -> std::result::Result<Vec<u8>, Wrong> {
        let path = clean(name)?;
        if self.target.stream == Stream::Archive {
            return Ok(path);
        }
        let rest = path.iter().position(|byte| *byte == b'/').and_then(|slash| path.get(slash + 1..));
        Ok(match (&self.first, rest) {
            (Some(first), None) => first.clone(),
            (Some(first), Some(rest)) => [first, &b"/"[..], rest].concat(),
            (None, rest) => rest.unwrap_or_default().to_vec(),
        })
    }

    fn entry<R: BufRead>(&mut self, entry: &Entry, stream: &mut TarStream<R>) -> Result<()> {
        let path = self.path(&entry.path).map_err(|wrong| Error::entry(&entry.path, wrong))?;
        let Some((directory, name)) = split(&path) else { return Ok(()) };
        let parent = self.parent(directory)?;
        let parent = parent.as_fd();
        fault::one_of_many("copy: make").call(call_of(entry.kind)).map_err(failed(&entry.path))?;
        match entry.kind {
            Kind::File => self.file(parent, name, entry, stream),
            Kind::Directory => self.directory(parent, name, &path, entry),
            Kind::Symlink => {
                let make = || rustix::fs::symlinkat(entry.link.as_slice(), parent, name);
                self.make(parent, name, entry, make).and_then(|()| self.finish_name(parent, name, entry))
            }
            Kind::Fifo => {
                let mode = Mode::from_raw_mode(entry.mode & 0o777);
                let make = || rustix::fs::mknodat(parent, name, FileType::Fifo, mode, 0);
                self.make(parent, name, entry, make).and_then(|()| self.finish_name(parent, name, entry))
            }
            Kind::HardLink => {
                let link = self.path(&entry.link).map_err(|wrong| Error::entry(&entry.path, wrong))?;
                let missing = || Error::entry(&entry.path, Wrong::LinkTarget(shown(&entry.link)));
                let (directory, first) = split(&link).ok_or_else(missing)?;
                let from = self.parent(directory)?;
                // A link to itself: to make room for it would take away what it links to.
                if link == path {
                    return Ok(());
                }
                self.make(parent, name, entry, || rustix::fs::linkat(&*from, first, parent, name, AtFlags::empty()))
            }
            Kind::CharDevice | Kind::BlockDevice | Kind::Label => Ok(()),
        }
    }

    /// The directory in which something is made. Nothing in it is followed; but an archive of the user's goes where the tree has it.
    fn parent(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>> {
        if let Some((_, opened)) = self.parent.as_ref().filter(|(last, _)| last == path) {
            return Ok(opened.clone());
        }
        let opened = match self.target.stream {
            Stream::Archive => {
                let whole = [self.target.path.as_slice(), b"/", path].concat();
                match self.root.open(&whole, REACHED) {
                    Err(Errno::NOENT) => self.make_parent(path)?,
                    opened => opened.call("openat2").map_err(failed(path))?,
                }
            }
            Stream::Named | Stream::Content => self.beneath(path, REACHED).call("openat2").map_err(failed(path))?,
        };
        let opened = Rc::new(opened);
        self.parent = Some((path.to_vec(), opened.clone()));
        Ok(opened)
    }

    fn beneath(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { b"." } else { path };
        beneath::open(&self.base, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS)
    }

    /// An archive need not name the directories in which its files lie.
    fn make_parent(&mut self, path: &[u8]) -> Result<OwnedFd> {
        let failed = failed(path);
        let Some((above, name)) = split(path) else {
            return Err(failed(sys::Error::new("openat2", Errno::NOENT)));
        };
        let above = self.parent(above)?;
        rustix::fs::mkdirat(&*above, name, Mode::from_raw_mode(0o755)).call("mkdirat").map_err(&failed)?;
        let made = rustix::fs::openat(&*above, name, DIRECTORY, Mode::empty()).call("openat").map_err(&failed)?;
        parents::own(self.target, made.as_fd()).map_err(failed)?;
        Ok(made)
    }

    fn directory(&mut self, parent: BorrowedFd<'_>, name: &[u8], path: &[u8], entry: &Entry) -> Result<()> {
        if let Some(there) = stat(parent, name).map_err(failed(&entry.path))? {
            let kind = FileType::from_raw_mode(there.st_mode);
            // In an archive of the user's a directory may be what is a symlink to one here.
            let leads = kind == FileType::Symlink && self.target.stream == Stream::Archive && {
                let whole = [self.target.path.as_slice(), b"/", path].concat();
                self.root.open(&whole, REACHED).is_ok()
            };
            if kind == FileType::Directory || leads {
                return Ok(());
            }
        }
        self.make(parent, name, entry, || rustix::fs::mkdirat(parent, name, Mode::RWXU))?;
        let made = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()).call("openat");
        let made = made.map_err(failed(&entry.path))?;
        self.own(made.as_fd(), entry)?;
        set_attributes(made.as_fd(), entry)?;
        self.made.push(Made { path: path.to_vec(), mode: self.mode(entry), mtime: entry.mtime });
        Ok(())
    }

    fn file<R: BufRead>(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        entry: &Entry,
        stream: &mut TarStream<R>,
    ) -> Result<()> {
        let mut staged = Staged { parent, name: name.to_vec() };
        let file = match create(parent, name) {
            Err(Errno::EXIST) => {
                self.make_room(parent, name, entry)?;
                let (file, other) = create_beside(parent).map_err(failed(&entry.path))?;
                staged.name = other;
                file
            }
            file => file.call("openat").map_err(failed(&entry.path))?,
        };
        data::write(file.as_fd(), stream, entry, name).map_err(|failure| match failure {
            Failure::Problem(Wrong::System(error)) => failed(&entry.path)(error),
            Failure::Problem(wrong) => Error::entry(&entry.path, wrong),
            Failure::Stream(error) => Error::Read(error),
        })?;
        self.own(file.as_fd(), entry)?;
        set_attributes(file.as_fd(), entry)?;
        let done = rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode(entry))).call("fchmod");
        done.map_err(failed(&entry.path))?;
        rustix::fs::futimens(&file, &times(entry.mtime)).call("futimens").map_err(failed(&entry.path))?;
        staged.become_whole(name, file).map_err(failed(&entry.path))
    }

    /// Makes something that is whole at once.
    fn make(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        entry: &Entry,
        make: impl Fn() -> rustix::io::Result<()>,
    ) -> Result<()> {
        let made = match make() {
            Err(Errno::EXIST) => {
                if !self.make_room(parent, name, entry)? {
                    let unlinked = rustix::fs::unlinkat(parent, name, AtFlags::empty());
                    unlinked.call("unlinkat").map_err(failed(&entry.path))?;
                }
                make()
            }
            made => made,
        };
        made.call(call_of(entry.kind)).map_err(failed(&entry.path))
    }

    /// Makes sure that what has the name may be replaced; `true`: it has gone.
    fn make_room(&self, parent: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<bool> {
        let Some(there) = stat(parent, name).map_err(failed(&entry.path))? else { return Ok(true) };
        let (is, becomes) = (is_directory(&there), entry.kind == Kind::Directory);
        if is != becomes && !self.target.overwrite {
            let (there, new) = match is {
                true => ("directory", "a file"),
                false => ("file", "a directory"),
            };
            return Err(Problem::Occupied { entry: shown(&entry.path), there, new }.into());
        }
        // A file can be written into.
        if (is || entry.kind != Kind::File) && holds_mount(parent, name).map_err(failed(&entry.path))? {
            return Err(failed(&entry.path)(sys::Error::new("unlinkat", Errno::BUSY)));
        }
        if is {
            change::remove_tree_at(parent, std::ffi::OsStr::from_bytes(name)).map_err(failed(&entry.path))?;
        }
        Ok(is)
    }

    fn mode(&self, entry: &Entry) -> u32 {
        // Whose it was runs as nobody else.
        if self.target.owners == Owners::Own { entry.mode & 0o1777 } else { entry.mode }
    }

    fn owner(&self, entry: &Entry) -> Result<Option<(Uid, Gid)>> {
        let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX).ok_or_else(|| unmapped(entry));
        Ok(match self.target.owners {
            Owners::Own => None,
            Owners::Given { uid, gid } => Some((Uid::from_raw(uid), Gid::from_raw(gid))),
            Owners::Kept => Some((Uid::from_raw(id(entry.uid)?), Gid::from_raw(id(entry.gid)?))),
        })
    }

    fn own(&self, file: BorrowedFd<'_>, entry: &Entry) -> Result<()> {
        let Some((uid, gid)) = self.owner(entry)? else { return Ok(()) };
        if self.target.recorded {
            return record(uid, gid, |value| rustix::fs::fsetxattr(file, OWNER, value, XattrFlags::empty()), entry);
        }
        chowned(rustix::fs::fchown(file, Some(uid), Some(gid)), entry)
    }

    /// Owner and times of what is not opened.
    fn finish_name(&self, parent: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<()> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        if let Some((uid, gid)) = self.owner(entry)? {
            if self.target.recorded {
                let failed = failed(&entry.path);
                rustix::process::fchdir(parent).call("fchdir").map_err(&failed)?;
                record(uid, gid, |value| rustix::fs::lsetxattr(name, OWNER, value, XattrFlags::empty()), entry)?;
            } else {
                chowned(rustix::fs::chownat(parent, name, Some(uid), Some(gid), flags), entry)?;
            }
        }
        let done = rustix::fs::utimensat(parent, name, &times(entry.mtime), flags);
        done.call("utimensat").map_err(failed(&entry.path))
    }

    /// Gives new directories their modes and times, those below first.
    fn finish(mut self) -> Result<()> {
        fault::point("copy: finish").call("fchmod").map_err(failed(&self.target.path))?;
        while let Some(Made { path, mode, mtime }) = self.made.pop() {
            let Some((above, name)) = split(&path) else { continue };
            let parent = self.parent(above)?;
            let directory = match rustix::fs::openat(&*parent, name, DIRECTORY, Mode::empty()) {
                // Somebody took it away meanwhile.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                directory => directory.call("openat").map_err(failed(&path))?,
            };
            rustix::fs::fchmod(&directory, Mode::from_raw_mode(mode)).call("fchmod").map_err(failed(&path))?;
            rustix::fs::futimens(&directory, &times(mtime)).call("futimens").map_err(failed(&path))?;
        }
        Ok(())
    }
}

/// A file that is not whole yet: dropped, it goes.
struct Staged<'a> {
    parent: BorrowedFd<'a>,
    name: Vec<u8>,
}

impl Staged<'_> {
    fn become_whole(mut self, name: &[u8], file: OwnedFd) -> sys::Result<()> {
        fault::one_of_many("copy: whole").call("renameat")?;
        if self.name != name && is_mounted(self.parent, name)? {
            return write_into(self.parent, name, file);
        }
        close(file)?;
        if self.name != name {
            rustix::fs::renameat(self.parent, self.name.as_slice(), self.parent, name).call("renameat")?;
        }
        self.name.clear();
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            let _ = rustix::fs::unlinkat(self.parent, self.name.as_slice(), AtFlags::empty());
        }
    }
}

fn write_into(parent: BorrowedFd<'_>, name: &[u8], file: OwnedFd) -> sys::Result<()> {
    // Of a FIFO nobody may be the reader.
    let how = OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let there = rustix::fs::openat(parent, name, OFlags::WRONLY | OFlags::TRUNC | how, Mode::empty()).call("openat")?;
    let mut whole = File::from(file);
    std::io::Seek::rewind(&mut whole).call("lseek")?;
    let mut there = File::from(there);
    std::io::copy(&mut whole, &mut there).call("write")?;
    close(there.into())
}

/// Where there was no room for what the kernel has only cached, as it does for an overlay and for NFS, it says so now, or never.
fn close(file: OwnedFd) -> sys::Result<()> {
    nix::unistd::close(file).call("close")
}

fn create(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
}

/// A file under a name that nothing else has.
fn create_beside(parent: BorrowedFd<'_>) -> sys::Result<(OwnedFd, Vec<u8>)> {
    let process = std::process::id();
    for number in 0_u32.. {
        let name = format!(".coracle-cp-{process}-{number}").into_bytes();
        match create(parent, &name) {
            Err(Errno::EXIST) => {}
            file => return Ok((file.call("openat")?, name)),
        }
    }
    Err(sys::Error::new("openat", Errno::EXIST))
}

/// Not every file system has them, and a namespace can't map every id in an ACL.
fn set_attributes(file: BorrowedFd<'_>, entry: &Entry) -> Result<()> {
    for (name, value) in entry.xattrs.iter().filter(|(name, _)| is_kept(name)) {
        match rustix::fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM | Errno::INVAL) => {}
            Err(error) => return Err(failed(&entry.path)(sys::Error::new("fsetxattr", error))),
        }
    }
    Ok(())
}

fn chowned(done: rustix::io::Result<()>, entry: &Entry) -> Result<()> {
    match done {
        Err(Errno::INVAL | Errno::PERM) => Err(unmapped(entry)),
        done => done.call("chown").map_err(failed(&entry.path)),
    }
}

fn record(uid: Uid, gid: Gid, set: impl FnOnce(&[u8]) -> rustix::io::Result<()>, entry: &Entry) -> Result<()> {
    let value = format!("{}:{}", uid.as_raw(), gid.as_raw());
    set(value.as_bytes()).call("setxattr(security.coracle.owner)").map_err(failed(&entry.path))
}

fn unmapped(entry: &Entry) -> Error {
    Error::entry(&entry.path, Wrong::UnmappedOwner(format!("{}:{}", entry.uid, entry.gid)))
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

fn call_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Directory => "mkdirat",
        Kind::Symlink => "symlinkat",
        Kind::HardLink => "linkat",
        _ => "mknodat",
    }
}

/// The directory and the name in it; `None`: the path is empty.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => Some((path.get(..slash)?, path.get(slash + 1..)?)),
        None if path.is_empty() => None,
        None => Some((b"", path)),
    }
}
