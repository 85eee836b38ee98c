//! Copies of files and trees, made beneath descriptors: owners, modes, times, attributes, links and holes as they are.
//!
//! Whoever copies is root of a user namespace. An owner that it has no id for is left out, and so are sockets and devices, which
//! nobody could use in the copy.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, SeekFrom, Stat, Timespec, Timestamps, Uid, XattrFlags, copy_file_range,
    seek,
};
use rustix::io::Errno;

use super::fault;
use crate::sys::{self, Call};

/// Copies `length` bytes, holes as holes; shared with the original where the disk can do that.
pub fn data(source: BorrowedFd<'_>, target: BorrowedFd<'_>, length: u64) -> Result<(), Errno> {
    let size = rustix::fs::fstat(source)?.st_size as u64;
    if length == size && size > 0 && rustix::fs::ioctl_ficlone(target, source).is_ok() {
        return Ok(());
    }
    let mut at = 0;
    while at < length {
        let data = match seek(source, SeekFrom::Data(at)) {
            Ok(data) => data,
            // Only a hole is left.
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            Err(error) => return Err(error),
        };
        let hole = seek(source, SeekFrom::Hole(data)).unwrap_or(length).min(length);
        range(source, target, data, hole)?;
        at = hole.max(data + 1);
    }
    rustix::fs::ftruncate(target, length)
}

fn range(source: BorrowedFd<'_>, target: BorrowedFd<'_>, from: u64, to: u64) -> Result<(), Errno> {
    let (mut input, mut output) = (from, from);
    while input < to {
        let left = (to - input) as usize;
        match copy_file_range(source, Some(&mut input), target, Some(&mut output), left) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            // Two file systems that can't do it between them.
            Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => break,
            Err(error) => return Err(error),
        }
    }
    let mut buffer = vec![0; 1 << 18];
    while input < to {
        let room = (to - input).min(buffer.len() as u64) as usize;
        let read = rustix::io::pread(source, buffer.get_mut(..room).unwrap_or_default(), input)?;
        if read == 0 {
            return Ok(());
        }
        let mut data = buffer.get(..read).unwrap_or_default();
        while !data.is_empty() {
            let written = rustix::io::pwrite(target, data, input)?;
            input += written as u64;
            data = data.get(written..).unwrap_or_default();
        }
    }
    Ok(())
}

/// Copies what the directory `from` holds into the directory `to`, which is empty and which nobody else has. Gives the number of
/// entries at the top.
pub fn tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> sys::Result<usize> {
    let mut tree = Tree { top: to, path: Vec::new(), links: HashMap::new() };
    let dup = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 0).call("fcntl(F_DUPFD_CLOEXEC)");
    let mut levels = vec![Level::new(dup(from)?, dup(to)?, 0, None)?];
    let mut count = 0;
    while let Some(level) = levels.last_mut() {
        tree.path.truncate(level.length);
        let Some(entry) = level.entries.read() else {
            if let Some(Level { to, stat: Some(stat), from, .. }) = levels.pop() {
                like(from.as_fd(), to.as_fd(), &stat).call_with(|| format!("copy {}", tree.shown()))?;
            }
            continue;
        };
        let entry = entry.call("getdents64")?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        tree.path.extend_from_slice(name.to_bytes());
        count += usize::from(level.stat.is_none());
        fault::point("copy: entry").call("copy")?;
        let inner = tree.entry(level, name).call_with(|| format!("copy {}", tree.shown()))?;
        if let Some((from, to, stat)) = inner {
            tree.path.push(b'/');
            levels.push(Level::new(from, to, tree.path.len(), Some(stat))?);
        }
    }
    Ok(count)
}

/// A directory that is being copied.
struct Level {
    from: OwnedFd,
    to: OwnedFd,
    entries: Dir,
    /// Of its path, with the slash behind it.
    length: usize,
    /// What the copy is to be like when it is full; the topmost stays as it is.
    stat: Option<Stat>,
}

impl Level {
    fn new(from: OwnedFd, to: OwnedFd, length: usize, stat: Option<Stat>) -> sys::Result<Self> {
        let entries = Dir::read_from(&from).call("opendir")?;
        Ok(Self { from, to, entries, length, stat })
    }
}

struct Tree<'a> {
    top: BorrowedFd<'a>,
    /// Of the current entry, below the top.
    path: Vec<u8>,
    /// The first names of files that have several.
    links: HashMap<(u64, u64), Vec<u8>>,
}

impl Tree<'_> {
    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    /// One entry; a directory is given back, to be filled.
    fn entry(&mut self, level: &Level, name: &CStr) -> Result<Option<(OwnedFd, OwnedFd, Stat)>, Errno> {
        let Level { from, to, .. } = level;
        let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            rustix::fs::mkdirat(to, name, Mode::RWXU)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let open = |dir: &OwnedFd| rustix::fs::openat(dir, name, flags, Mode::empty());
            return Ok(Some((open(from)?, open(to)?, stat)));
        }
        if stat.st_nlink > 1 {
            let identity = (stat.st_dev, stat.st_ino);
            if let Some(first) = self.links.get(&identity) {
                rustix::fs::linkat(self.top, first.as_slice(), to, name, AtFlags::empty())?;
                return Ok(None);
            }
            if [FileType::RegularFile, FileType::Symlink, FileType::Fifo].contains(&kind) {
                self.links.insert(identity, self.path.clone());
            }
        }
        match kind {
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let source = rustix::fs::openat(from, name, flags, Mode::empty())?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let target = rustix::fs::openat(to, name, flags, Mode::RUSR | Mode::WUSR)?;
                data(source.as_fd(), target.as_fd(), stat.st_size as u64)?;
                like(source.as_fd(), target.as_fd(), &stat)?;
            }
            FileType::Symlink => {
                rustix::fs::symlinkat(rustix::fs::readlinkat(from, name, Vec::new())?, to, name)?;
                named_like(to, name, &stat)?;
            }
            FileType::Fifo => {
                rustix::fs::mknodat(to, name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
                named_like(to, name, &stat)?;
                rustix::fs::chmodat(to, name, Mode::from_raw_mode(stat.st_mode & 0o7777), AtFlags::empty())?;
            }
            _ => {}
        }
        Ok(None)
    }
}

/// Owner, mode, attributes and times, in this order: each would undo some of the next.
fn like(from: BorrowedFd<'_>, to: BorrowedFd<'_>, stat: &Stat) -> Result<(), Errno> {
    own(rustix::fs::fchown(to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid))))?;
    rustix::fs::fchmod(to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    attributes(from, to)?;
    rustix::fs::futimens(to, &times(stat))
}

fn named_like(dir: &OwnedFd, name: &CStr, stat: &Stat) -> Result<(), Errno> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    own(rustix::fs::chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW))?;
    rustix::fs::utimensat(dir, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)
}

/// There may be no such id here.
fn own(result: Result<(), Errno>) -> Result<(), Errno> {
    if result == Err(Errno::INVAL) { Ok(()) } else { result }
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

/// The extended attributes that the target's disk takes, but for labels of a security module.
fn attributes(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut list = Vec::with_capacity(64 << 10);
    match rustix::fs::flistxattr(from, spare_capacity(&mut list)) {
        Err(Errno::OPNOTSUPP) => return Ok(()),
        other => other?,
    };
    for name in list.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        if name.starts_with(b"security.") && name != b"security.capability" {
            continue;
        }
        let Ok(name) = CString::new(name) else { continue };
        let mut value = Vec::with_capacity(64 << 10);
        match rustix::fs::fgetxattr(from, &*name, spare_capacity(&mut value)) {
            Err(Errno::NODATA) => continue,
            other => other?,
        };
        match rustix::fs::fsetxattr(to, &*name, &value, XattrFlags::empty()) {
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {}
            other => other?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::change;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn a_tree_is_copied_as_it_is() {
        let place = std::env::temp_dir().join(format!("coracle-copy-{}", std::process::id()));
        let (from, to) = (place.join("from"), place.join("to"));
        change::create_dirs(&from.join("dir/deep")).unwrap();
        change::create_dirs(&to).unwrap();
        std::fs::write(from.join("dir/file"), "text").unwrap();
        std::fs::hard_link(from.join("dir/file"), from.join("other")).unwrap();
        std::fs::set_permissions(from.join("dir/file"), PermissionsExt::from_mode(0o4711)).unwrap();
        change::symlink(std::path::Path::new("/nowhere/at/all"), &from.join("link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, from.join("fifo"), Mode::from_raw_mode(0o640)).unwrap();
        let holes = std::fs::File::create(from.join("holes")).unwrap();
        holes.set_len(8 << 20).unwrap();
        std::fs::set_permissions(from.join("dir/deep"), PermissionsExt::from_mode(0o500)).unwrap();
        let open = |path: &std::path::Path| std::fs::File::open(path).unwrap();
        assert_eq!(tree(open(&from).as_fd(), open(&to).as_fd()).unwrap(), 5);
        let meta = |name: &str| std::fs::symlink_metadata(to.join(name)).unwrap();
        assert_eq!(std::fs::read(to.join("dir/file")).unwrap(), b"text");
        assert_eq!((meta("dir/file").mode() & 0o7777, meta("dir/deep").mode() & 0o7777), (0o4711, 0o500));
        assert_eq!((meta("other").ino(), meta("other").nlink()), (meta("dir/file").ino(), 2));
        assert_eq!(std::fs::read_link(to.join("link")).unwrap().to_str(), Some("/nowhere/at/all"));
        assert_eq!((meta("fifo").mode() & 0o7777, meta("holes").len()), (0o640, 8 << 20));
        assert!(meta("holes").blocks() < 100, "a hole was filled");
        assert_eq!(meta("dir").mtime_nsec(), std::fs::metadata(from.join("dir")).unwrap().mtime_nsec());
        change::remove_tree(&place).unwrap();
    }
}
