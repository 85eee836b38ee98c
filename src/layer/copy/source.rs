//! From a tree to the stream.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, PROC_SUPER_MAGIC, Stat};
use rustix::io::Errno;
use tar::EntryType;

use super::super::attributes;
use super::super::pack::data::{self, Content};
use super::super::pack::header::{BLOCK, Header};
use super::{Problem, Root, Source, failed};
use crate::layer::{Error, Result, shown};
use crate::store::owners::WORD;
use crate::sys::Call;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A FIFO or device of that name must not hold the reader up.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// File systems that show the kernel and not files: proc, sysfs, cgroup2, devpts, mqueue (`linux/magic.h`).
const OF_THE_KERNEL: [i64; 5] = [PROC_SUPER_MAGIC, 0x6265_6572, 0x6367_7270, 0x1cd1, 0x1980_0202];

/// What is read of a file that says it is empty: those of /proc say so.
const MOST_UNTOLD: usize = 16 << 20;

/// Writes the file or directory to `out`, and the end of the archive. Tells how many entries were written.
pub fn pack(root: Root<'_>, source: &Source, out: impl Write) -> Result<u64> {
    let top = root.open(&source.path, OFlags::PATH).map_err(|error| source.unreachable(error))?;
    let stat = rustix::fs::fstat(&top).call("fstat").map_err(failed(&source.path))?;
    let (links, buffer, path, recorded) = (HashMap::new(), data::buffer(), Vec::new(), source.recorded);
    let mut packer = Packer { root, out, links, buffer, path, recorded, entries: 0 };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {
            let top = root.open(&source.path, DIRECTORY.difference(OFlags::NOFOLLOW));
            packer.tree(top.map_err(|error| source.unreachable(error))?, &stat, source)?;
        }
        FileType::RegularFile => {
            let file = root.open(&source.path, FILE.difference(OFlags::NOFOLLOW));
            packer.path.extend_from_slice(source.name());
            packer.file(file.map_err(|error| source.unreachable(error))?.as_fd())?;
        }
        _ => return Err(Problem::NotFile { path: shown(&source.path), place: source.place.clone() }.into()),
    }
    packer.out.write_all(&[0; 2 * BLOCK]).map_err(Error::Write)?;
    packer.out.flush().map_err(Error::Write)?;
    Ok(packer.entries)
}

struct Packer<'a, W> {
    root: Root<'a>,
    out: W,
    /// The first names of files that have several.
    links: HashMap<(u64, u64), Vec<u8>>,
    buffer: Vec<u8>,
    /// Of the current entry.
    path: Vec<u8>,
    recorded: bool,
    entries: u64,
}

/// A directory whose entries are being written.
struct Level {
    directory: OwnedFd,
    device: u64,
    names: std::vec::IntoIter<Vec<u8>>,
    /// Of its own path, with the slash behind it.
    length: usize,
}

impl<W: Write> Packer<'_, W> {
    fn tree(&mut self, top: OwnedFd, stat: &Stat, source: &Source) -> Result<()> {
        if !(source.bare && Source::is_content(&source.path)) {
            self.path = [source.name(), b"/"].concat();
            self.directory(top.as_fd(), stat)?;
        }
        let mut levels = vec![self.level(top, stat.st_dev)?];
        while let Some(level) = levels.last_mut() {
            self.path.truncate(level.length);
            let Some(name) = level.names.next() else {
                levels.pop();
                continue;
            };
            self.path.extend_from_slice(&name);
            let (directory, device) = (level.directory.as_fd(), level.device);
            if let Some((inner, stat)) = self.entry(directory, &name)? {
                self.path.push(b'/');
                self.directory(inner.as_fd(), &stat)?;
                if stat.st_dev == device || !self.is_of_the_kernel(inner.as_fd())? {
                    levels.push(self.level(inner, stat.st_dev)?);
                }
            }
        }
        Ok(())
    }

    fn level(&self, directory: OwnedFd, device: u64) -> Result<Level> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&directory).call("opendir").map_err(failed(&self.path))? {
            let entry = entry.call("getdents64").map_err(failed(&self.path))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        names.sort_unstable();
        Ok(Level { directory, device, names: names.into_iter(), length: self.path.len() })
    }

    /// Writes one entry; a directory is opened for the caller instead. What is gone by now was not there.
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &[u8]) -> Result<Option<(OwnedFd, Stat)>> {
        let stat = match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            stat => stat.call("fstatat").map_err(failed(&self.path))?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => match rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) {
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                inner => {
                    let inner = inner.call("openat").map_err(failed(&self.path))?;
                    // By what was opened, whatever had the name before.
                    let stat = rustix::fs::fstat(&inner).call("fstat").map_err(failed(&self.path))?;
                    return Ok(Some((inner, stat)));
                }
            },
            FileType::RegularFile => match rustix::fs::openat(parent, name, FILE, Mode::empty()) {
                Err(Errno::NOENT | Errno::LOOP) => {}
                file => self.file(file.call("openat").map_err(failed(&self.path))?.as_fd())?,
            },
            FileType::Symlink => match rustix::fs::readlinkat(parent, name, Vec::new()) {
                Err(Errno::NOENT | Errno::INVAL) => {}
                link => {
                    let link = link.call("readlinkat").map_err(failed(&self.path))?.into_bytes();
                    let header = self.noted_name(self.header(EntryType::Symlink, &stat), parent, name)?;
                    self.put(Header { link, ..header })?;
                }
            },
            FileType::Fifo => self.put(self.noted_name(self.header(EntryType::Fifo, &stat), parent, name)?)?,
            _ => {}
        }
        Ok(None)
    }

    fn directory(&mut self, directory: BorrowedFd<'_>, stat: &Stat) -> Result<()> {
        let xattrs = attributes::of(directory).map_err(failed(&self.path))?;
        let header = self.noted(self.header(EntryType::Directory, stat), directory)?;
        self.put(Header { xattrs, ..header })
    }

    fn file(&mut self, file: BorrowedFd<'_>) -> Result<()> {
        let stat = rustix::fs::fstat(file).call("fstat").map_err(failed(&self.path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(());
        }
        if stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) {
                let link = first.clone();
                return self.put(Header { link, ..self.header(EntryType::Link, &stat) });
            }
            self.links.insert((stat.st_dev, stat.st_ino), self.path.clone());
        }
        let xattrs = attributes::of(file).map_err(failed(&self.path))?;
        let header = Header { xattrs, ..self.noted(self.header(EntryType::Regular, &stat), file)? };
        if stat.st_size == 0 {
            return self.untold(file, header);
        }
        let content = Content::of(file, &stat).map_err(failed(&self.path))?;
        self.put(Header { size: content.packed_size(), sparse: content.sparse_size(), ..header })?;
        content.write(file, &mut self.buffer, &mut self.out).map_err(|error| match error {
            data::Error::Read(source) => failed(&self.path)(source),
            data::Error::Write(source) => Error::Write(source),
        })
    }

    /// A file that says it is empty.
    fn untold(&mut self, file: BorrowedFd<'_>, header: Header) -> Result<()> {
        let mut bytes = Vec::new();
        while bytes.len() < MOST_UNTOLD {
            match rustix::io::read(file, &mut *self.buffer).call("read").map_err(failed(&self.path))? {
                0 => break,
                count => bytes.extend_from_slice(self.buffer.get(..count).unwrap_or_default()),
            }
        }
        self.put(Header { size: bytes.len() as u64, ..header })?;
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        self.out.write_all(&bytes).map_err(Error::Write)
    }

    fn header(&self, kind: EntryType, stat: &Stat) -> Header {
        let (uid, gid) = self.root.owner(stat);
        Header {
            path: self.path.clone(),
            kind,
            mode: stat.st_mode & 0o7777,
            uid,
            gid,
            mtime: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            ..Header::marker()
        }
    }

    /// With the owner that is written down for an open file.
    fn noted(&self, header: Header, file: BorrowedFd<'_>) -> Result<Header> {
        self.owned(header, |value| rustix::fs::fgetxattr(file, WORD, value))
    }

    /// The same of what can't be opened.
    fn noted_name(&self, header: Header, parent: BorrowedFd<'_>, name: &[u8]) -> Result<Header> {
        self.owned(header, |value| {
            rustix::process::fchdir(parent)?;
            rustix::fs::lgetxattr(name, WORD, value)
        })
    }

    fn owned(&self, header: Header, get: impl FnOnce(&mut [u8]) -> rustix::io::Result<usize>) -> Result<Header> {
        if !self.recorded {
            return Ok(header);
        }
        let mut value = [0; 32];
        let count = match get(&mut value) {
            // On another file system than the overlay.
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(header),
            got => got.call("getxattr(security.coracle.owner)").map_err(failed(&self.path))?,
        };
        let text = String::from_utf8_lossy(value.get(..count).unwrap_or_default());
        let ids = text.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
        let (uid, gid) = ids.unwrap_or((header.uid, header.gid));
        Ok(Header { uid, gid, ..header })
    }

    fn put(&mut self, header: Header) -> Result<()> {
        self.entries += 1;
        self.out.write_all(&header.encode()).map_err(Error::Write)
    }

    fn is_of_the_kernel(&self, directory: BorrowedFd<'_>) -> Result<bool> {
        let found = rustix::fs::fstatfs(directory).call("fstatfs").map_err(failed(&self.path))?;
        Ok(OF_THE_KERNEL.contains(&found.f_type))
    }
}
