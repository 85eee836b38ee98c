//! Reading an archive: a table of its names first, then any of its files, in any order and from several threads.
//!
//! ```text
//! plain tar file ─▶ headers alone are read, data are leapt over ─▶ names ─▶ (file, offset, size)
//! pipe, compressed ─▶ the data of every entry are copied to one file under `tmp/` ─┘
//! directory ─▶ opened beneath its descriptor
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Problem;
use crate::layer::compression::{self, Packing};
use crate::layer::stream::Limited;
use crate::layer::tar_stream::{Entry, Kind, TarStream};
use crate::layer::{Result, shown};
use crate::store::Tmp;
use crate::sys::{self, Call, beneath};

/// Entries of one archive: some thousand images.
const MOST_ENTRIES: usize = 50_000;
/// Bytes of a name that could be looked for; longer ones are passed over.
const LONGEST_NAME: usize = 255;
/// Links that lead to links.
const DEPTH: usize = 8;
const PIECE: usize = 256 << 10;

/// The files of an archive, by name.
#[derive(Debug)]
pub struct Contents {
    source: Source,
    /// The most bytes that are unpacked of it: a few kilobytes may stand for terabytes.
    room: u64,
}

#[derive(Debug)]
enum Source {
    Directory(OwnedFd),
    Tar { file: Arc<File>, names: BTreeMap<String, Place> },
}

/// What lies under a name of a tar file.
#[derive(Debug)]
enum Place {
    File {
        offset: u64,
        size: u64,
    },
    /// To this name. `None`: out of the archive.
    Link(Option<String>),
    Other,
}

/// One file of an archive, read from its start.
#[derive(Debug, Clone)]
pub struct Member {
    file: Arc<File>,
    place: u64,
    left: u64,
}

impl Contents {
    /// Of the file or directory at `path`. What can't be read at any place is copied into `tmp`.
    pub fn open(path: &Path, tmp: &Tmp) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))?;
        let stat = rustix::fs::fstat(&file).call("fstat")?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Ok(Self { source: Source::Directory(file), room: room(tmp)? });
        }
        Self::read(file.into(), tmp)
    }

    /// Of a file from its current place on, which may be a pipe.
    pub fn read(mut file: File, tmp: &Tmp) -> Result<Self> {
        if let Ok(start) = file.stream_position() {
            let mut first = [0; 4];
            let known = file.read_at(&mut first, start)?;
            if known < first.len() || compression::told_by(first) == Packing::Plain {
                return Self::index(file, start, room(tmp)?);
            }
        }
        Self::spool(file, tmp)
    }

    /// How many plain bytes there are in one of its files, which is compressed so.
    pub fn unpacked_size(&self, member: Member, packing: Packing) -> Result<u64> {
        let mut plain = compression::unpack(packing, BufReader::with_capacity(PIECE, member))?.take(self.room);
        let size = io::copy(&mut plain, &mut io::sink())?;
        if size == self.room { Err(Problem::TooMuch(self.room).into()) } else { Ok(size) }
    }

    /// Reads the headers, and leaves the data where they are.
    fn index(file: File, start: u64, room: u64) -> Result<Self> {
        let length = file.metadata()?.len();
        let mut names = Names::default();
        let mut stream = TarStream::new(BufReader::new(file.try_clone()?));
        while let Some(entry) = stream.next_entry()? {
            let offset = start + stream.position();
            if offset.checked_add(entry.size).is_none_or(|end| end > length) {
                return Err(Problem::Truncated(shown(&entry.path)).into());
            }
            names.add(&entry, offset)?;
            stream.leap()?;
        }
        Ok(Self { source: Source::Tar { file: Arc::new(file), names: names.all }, room })
    }

    /// Copies the data of every entry that could be looked for.
    fn spool(source: File, tmp: &Tmp) -> Result<Self> {
        let path = tmp.path().join("archive");
        let say = || format!("open({})", path.display());
        let mut kept = File::options().read(true).write(true).create_new(true).open(&path).call_with(say)?;
        let room = room(tmp)?;
        let mut names = Names::default();
        let mut offset = 0_u64;
        // What is passed over, and what stands behind the end, has to end, too.
        let plain = Limited::new(compression::plain_archive(source)?, room);
        let mut stream = TarStream::new(BufReader::with_capacity(PIECE, plain));
        while let Some(entry) = stream.next_entry()? {
            if !names.add(&entry, offset)? {
                continue;
            }
            if offset.saturating_add(entry.size) > room {
                return Err(Problem::TooMuch(room).into());
            }
            loop {
                let piece = stream.data()?;
                let length = piece.len();
                if length == 0 {
                    break;
                }
                kept.write_all(piece).call_with(|| format!("write({})", path.display()))?;
                stream.consume(length);
            }
            offset += entry.size;
        }
        // What checks a compressed stream stands at its end.
        stream.drain()?;
        Ok(Self { source: Source::Tar { file: Arc::new(kept), names: names.all }, room })
    }

    /// The file of this name, which may be a link to it. `None`: there is none.
    pub fn is_directory(&self) -> bool {
        matches!(self.source, Source::Directory(_))
    }

    pub fn member(&self, name: &str) -> Result<Option<Member>> {
        let Some(name) = normal("", name.as_bytes()) else { return Ok(None) };
        match &self.source {
            Source::Directory(directory) => in_directory(directory, &name),
            Source::Tar { file, names } => {
                let found = behind_links(names, &name)?;
                Ok(found.map(|(_, offset, size)| Member { file: file.clone(), place: offset, left: size }))
            }
        }
    }

    /// The name of the entry that [`Contents::member`] reads for this one: many links may lead to one file of a tar file.
    pub fn real_name(&self, name: &str) -> Result<Option<String>> {
        let Some(name) = normal("", name.as_bytes()) else { return Ok(None) };
        match &self.source {
            Source::Directory(_) => Ok(Some(name)),
            Source::Tar { names, .. } => Ok(behind_links(names, &name)?.map(|(real, ..)| real.to_owned())),
        }
    }

    /// All bytes of the file of this name, of which there may be at most `limit`. `None`: there is none.
    pub fn bytes(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let Some(mut member) = self.member(name)? else { return Ok(None) };
        let (size, limit) = (member.left, limit as u64);
        if size > limit {
            return Err(Problem::TooLarge { name: name.to_owned(), size, limit }.into());
        }
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Nine tenths of what the disk has free.
fn room(tmp: &Tmp) -> Result<u64> {
    let disk = rustix::fs::statvfs(tmp.path()).call_with(|| format!("statvfs({})", tmp.path().display()))?;
    // A ramfs says nothing of its size.
    Ok(if disk.f_blocks == 0 { u64::MAX } else { disk.f_bavail.saturating_mul(disk.f_frsize) / 10 * 9 })
}

/// The file to which a name leads: its own name, where its data begin, and how many there are. `None`: there is no such name.
fn behind_links<'a>(names: &'a BTreeMap<String, Place>, name: &'a str) -> Result<Option<(&'a str, u64, u64)>> {
    let mut at = name;
    for _ in 0..DEPTH {
        match names.get(at) {
            None if at == name => return Ok(None),
            Some(Place::File { offset, size }) => return Ok(Some((at, *offset, *size))),
            Some(Place::Link(Some(target))) => at = target,
            Some(Place::Other) if at == name => return Err(Problem::NotAFile(name.to_owned()).into()),
            None | Some(Place::Link(None) | Place::Other) => break,
        }
    }
    Err(Problem::Dangling(name.to_owned()).into())
}

fn in_directory(directory: &OwnedFd, name: &str) -> Result<Option<Member>> {
    // A FIFO is not waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match beneath::open(directory, name, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS) {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(sys::Error::new(format!("open(…/{name})"), error).into()),
    };
    let stat = rustix::fs::fstat(&file).call("fstat")?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Problem::NotAFile(name.to_owned()).into());
    }
    let left = u64::try_from(stat.st_size).unwrap_or_default();
    Ok(Some(Member { file: Arc::new(file.into()), place: 0, left }))
}

#[derive(Default)]
struct Names {
    all: BTreeMap<String, Place>,
    count: usize,
}

impl Names {
    /// `false`: nothing will ever look for it.
    fn add(&mut self, entry: &Entry, offset: u64) -> Result<bool> {
        self.count += 1;
        if self.count > MOST_ENTRIES {
            return Err(Problem::TooManyEntries(MOST_ENTRIES).into());
        }
        let Some(name) = normal("", &entry.path).filter(|name| !name.is_empty()) else { return Ok(false) };
        let place = match entry.kind {
            Kind::File if entry.sparse.is_some() => return Err(Problem::Sparse(name).into()),
            Kind::File => Place::File { offset, size: entry.size },
            Kind::HardLink => Place::Link(normal("", &entry.link)),
            Kind::Symlink => {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                Place::Link(normal(folder, &entry.link))
            }
            // A directory may be named before each of its files.
            Kind::Directory if matches!(self.all.get(&name), Some(Place::Other)) => return Ok(false),
            _ => Place::Other,
        };
        let is_file = matches!(place, Place::File { .. });
        match self.all.insert(name.clone(), place) {
            None => Ok(is_file),
            Some(_) => Err(Problem::Twice(name).into()),
        }
    }
}

/// The path from the top of the archive that `path` means in `folder`. `None`: one that is absolute, climbs out, is too long, or no
/// text.
fn normal(folder: &str, path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok().filter(|path| path.len() <= LONGEST_NAME && !path.starts_with('/'))?;
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl Member {
    /// Bytes that were not read yet.
    pub fn size(&self) -> u64 {
        self.left
    }

    /// How its bytes are compressed, told by the first of them.
    pub fn packing(&self) -> io::Result<Packing> {
        let mut first = [0; 4];
        if self.left < first.len() as u64 {
            return Ok(Packing::Plain);
        }
        self.file.read_exact_at(&mut first, self.place)?;
        Ok(compression::told_by(first))
    }
}

impl Read for Member {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(&mut buffer[..most], self.place)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was cut short while it was read"));
        }
        self.place += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
