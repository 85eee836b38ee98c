//! The build context: the directory whose files COPY and ADD take.
//!
//! Everything is reached beneath one descriptor of it (openat2(2), RESOLVE_BENEATH): neither `..` nor a symlink leads out. What a
//! path of the user's names is followed through symlinks; below a directory nothing is. What .dockerignore excludes is not there.

pub mod unpacked;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use tar::EntryType;

use self::unpacked::Unpacked;
use super::hashes::Hashes;
use super::ignore::{self, Ignore, Verdict};
use super::pattern::{Pattern, is_pattern};
use super::{Error, Result};
use crate::layer::pack::data::{self, Content};
use crate::layer::pack::header::{BLOCK, Header};
use crate::oci::Digest;
use crate::store::build_cache::Sources;
use crate::sys::Call;

const REACHED: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A FIFO of that name must not hold the reader up.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Deeper than any path of a file is long.
const DEEPEST: usize = 2048;
/// So many sources are remembered by name, each with so many digits of a digest.
const LISTED: usize = 128;
const SHORT: usize = 8;

#[derive(Debug)]
pub struct Context {
    path: PathBuf,
    root: OwnedFd,
    ignore: Ignore,
    made: Option<Made>,
}

/// Of a context that was made for this build.
#[derive(Debug)]
struct Made {
    /// What it is called: its path is nobody's business.
    title: String,
    /// What git checked out has the time of its commit, in seconds since 1970, and modes that say no more than who may run it.
    commit_time: Option<i64>,
    /// Removed with the context.
    _directory: Unpacked,
}

/// What a path of the user's leads to.
#[derive(Debug)]
pub struct Source {
    /// From the context on, as it was asked for.
    path: Vec<u8>,
    /// The last component, as a copy of it is called.
    pub name: Vec<u8>,
    pub is_directory: bool,
    /// How many components of the path stand before `/./`.
    pivot: usize,
    /// It and all below it; of a directory, all but itself. In the order of their names.
    pub items: Vec<Item>,
}

impl Source {
    /// Its path where the directories on the way are kept: from the context on, or from `/./`.
    pub fn path_from_pivot(&self) -> Vec<u8> {
        let parts = self.path.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
        parts.skip(self.pivot).collect::<Vec<_>>().join(&b'/')
    }
}

/// A file, directory, symlink or FIFO.
#[derive(Debug)]
pub struct Item {
    /// From the context on.
    path: Vec<u8>,
    /// From what was asked for on: the name of the copy.
    pub name: Vec<u8>,
    stat: Stat,
    link: Vec<u8>,
}

impl Context {
    pub fn open(path: &Path, ignore: Ignore) -> Result<Self> {
        let root = rustix::fs::openat(CWD, path, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty());
        let root = root.call_with(|| format!("open({})", path.display())).map_err(Error::Context)?;
        Ok(Self { path: path.to_owned(), root, ignore, made: None })
    }

    /// The same of a directory that was made for this build: nobody knows it by its path, and nothing of it is remembered.
    pub fn of_made(directory: Unpacked, title: &str) -> Result<Self> {
        let opened = Self::open(directory.path(), Ignore::default())?;
        Ok(Self { made: Some(Made { title: title.to_owned(), commit_time: None, _directory: directory }), ..opened })
    }

    /// The same of what git has checked out.
    pub fn of_commit(directory: Unpacked, title: &str, time: i64) -> Result<Self> {
        let context = Self::of_made(directory, title)?;
        let made = context.made.map(|made| Made { commit_time: Some(time), ..made });
        Ok(Self { made, ..context })
    }

    /// One of its directories in its place.
    pub fn below(self, text: &str) -> Result<Self> {
        let root = match self.open_beneath(inner(text)?.as_bytes(), DIRECTORY.difference(OFlags::NOFOLLOW)) {
            Err(Errno::XDEV | Errno::LOOP) => return Err(Error::LeavesContext { path: text.to_owned() }),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => {
                return Err(Error::NoSource { path: text.to_owned(), place: self.place() });
            }
            opened => opened.call_with(|| format!("open({text})")).map_err(Error::Context)?,
        };
        // Who takes files by their path must not be led out, either.
        let path = path_of(&root).call("readlink(/proc/self/fd)").map_err(Error::Context)?;
        Ok(Self { path, root, ..self })
    }

    /// The same, without what `ignore` leaves out.
    pub fn without(self, ignore: Ignore) -> Self {
        Self { ignore, ..self }
    }

    /// Whether the ignore file leaves out a path, and all that may be below it.
    pub fn leaves_out(&self, path: &str) -> bool {
        self.ignore.path(path) == Verdict::Out
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory, if it is there for the next build, too.
    pub fn lasting_path(&self) -> Option<&Path> {
        Some(self.path.as_path()).filter(|_| self.made.is_none())
    }

    /// A file's content, whatever the ignore file says of it, up to `limit` bytes; `None`: there is no such file.
    pub fn read(&self, text: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let opened = match self.open_beneath(inner(text)?.as_bytes(), FILE.difference(OFlags::NOFOLLOW)) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(Errno::XDEV | Errno::LOOP) => return Err(Error::LeavesContext { path: text.to_owned() }),
            opened => opened.call_with(|| format!("open({text})")).map_err(Error::Context)?,
        };
        if is_directory(&opened) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = File::from(opened).take(limit).read_to_end(&mut bytes);
        read.call_with(|| format!("read({text})")).map_err(Error::Context)?;
        Ok(Some(bytes))
    }

    /// Whether no ignore file leaves anything out.
    pub fn is_whole(&self) -> bool {
        self.ignore.is_empty()
    }

    /// What a path leads to (`O_PATH`).
    pub fn open_path(&self, text: &str) -> Result<OwnedFd> {
        match self.reach(inner(text)?.as_bytes()) {
            Err(Errno::XDEV | Errno::LOOP) => Err(Error::LeavesContext { path: text.to_owned() }),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => {
                Err(Error::NoSource { path: text.to_owned(), place: self.place() })
            }
            reached => reached.call_with(|| format!("open({text})")).map_err(Error::Context),
        }
    }

    /// What a path or pattern means, each match in the order of the names. A path without wildcards that is not there is an error.
    pub fn find(&self, text: &str) -> Result<Vec<Source>> {
        let path = inner(text)?;
        let paths = if is_pattern(&path) { self.matching(&path)? } else { vec![path.into_bytes()] };
        if paths.is_empty() {
            return Err(Error::NoSource { path: text.to_owned(), place: self.place() });
        }
        paths.iter().map(|path| self.source(path, text)).collect()
    }

    /// What lies at a path, in which no character is a wildcard.
    pub fn exact(&self, text: &str) -> Result<Source> {
        self.source(inner(text)?.as_bytes(), text)
    }

    /// What it is called, after "in".
    pub fn place(&self) -> String {
        let named = || format!("the build context `{}`", self.path.display());
        self.made.as_ref().map_or_else(named, |made| made.title.clone())
    }

    fn source(&self, path: &[u8], text: &str) -> Result<Source> {
        let missing = || Error::NoSource { path: text.to_owned(), place: self.place() };
        let reached = match self.reach(path) {
            Err(Errno::XDEV | Errno::LOOP) => return Err(Error::LeavesContext { path: text.to_owned() }),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => return Err(missing()),
            reached => reached.call_with(|| format!("open({})", shown(path))).map_err(Error::Context)?,
        };
        let stat = self.seen(rustix::fs::fstat(&reached).call("fstat").map_err(Error::Context)?);
        let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        let is_ignored = |verdict| verdict == Verdict::Out || verdict == Verdict::Enter && !is_directory;
        let (verdict, mut rules) = self.rules_of(path);
        if is_ignored(verdict) {
            return Err(Error::Ignored { path: text.to_owned() });
        }
        // What is left out is so by whatever name.
        if let Some(real) = self.real(&reached) {
            let (verdict, others) = self.rules_of(&real);
            if is_ignored(verdict) {
                return Err(Error::Ignored { path: text.to_owned() });
            }
            rules = others;
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Socket => return Err(Error::NoCopy { path: text.to_owned(), kind: "socket" }),
            FileType::CharacterDevice | FileType::BlockDevice => {
                return Err(Error::NoCopy { path: text.to_owned(), kind: "device" });
            }
            _ => {}
        }
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        let mut items = Vec::new();
        if is_directory {
            let directory = rustix::fs::openat(&reached, c".", DIRECTORY, Mode::empty());
            let directory = directory.call_with(|| format!("open({})", shown(path))).map_err(Error::Context)?;
            let base = path.len() + usize::from(!path.is_empty());
            self.walk(directory, (path, &rules), base, 0, &mut items)?;
        } else {
            items.push(Item { path: path.to_vec(), name: name.clone(), stat, link: Vec::new() });
        }
        Ok(Source { path: path.to_vec(), pivot: pivot(text), name, is_directory, items })
    }

    /// The path from the context on of what was reached, without the symlinks on the way there.
    fn real(&self, reached: &OwnedFd) -> Option<Vec<u8>> {
        if self.ignore.is_empty() {
            return None;
        }
        let (root, reached) = (path_of(&self.root).ok()?, path_of(reached).ok()?);
        reached.strip_prefix(&root).ok().map(|inner| inner.as_os_str().as_bytes().to_vec())
    }

    /// What the ignore file says of a path, and has to say of what is below it.
    fn rules_of(&self, path: &[u8]) -> (Verdict, ignore::Directory) {
        let mut found = (Verdict::In, self.ignore.root());
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            found = self.ignore.entry(&found.1, &lossy(name));
            if found.0 == Verdict::Out {
                break;
            }
        }
        found
    }

    /// `base`: how much of each path is not part of the copy's name.
    fn walk(
        &self,
        directory: OwnedFd,
        (path, rules): (&[u8], &ignore::Directory),
        base: usize,
        depth: usize,
        items: &mut Vec<Item>,
    ) -> Result<()> {
        let names = names_in(&directory, path)?;
        for name in names {
            let inner = if path.is_empty() { name.clone() } else { [path, b"/", name.as_slice()].concat() };
            let stat = match rustix::fs::statat(&directory, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                // It vanished.
                Err(Errno::NOENT) => continue,
                stat => self.seen(stat.call_with(|| format!("stat({})", shown(&inner))).map_err(Error::Context)?),
            };
            let kind = FileType::from_raw_mode(stat.st_mode);
            let is_directory = kind == FileType::Directory;
            let (verdict, below) = self.ignore.entry(rules, &lossy(&name));
            let excluded = verdict != Verdict::In;
            let mut link = Vec::new();
            match kind {
                FileType::Directory | FileType::RegularFile | FileType::Fifo => {}
                FileType::Symlink if !excluded => match rustix::fs::readlinkat(&directory, name.as_slice(), Vec::new())
                {
                    Err(Errno::NOENT | Errno::INVAL) => continue,
                    read => link = read.call("readlink").map_err(Error::Context)?.into_bytes(),
                },
                // Nobody listens in a copy of a socket, and devices are the machine's.
                _ => continue,
            }
            let place = items.len();
            if !excluded {
                items.push(Item {
                    name: inner.get(base..).unwrap_or_default().to_vec(),
                    path: inner.clone(),
                    stat,
                    link,
                });
            }
            if is_directory && verdict != Verdict::Out {
                if depth >= DEEPEST {
                    return Err(Error::TooDeep { path: shown(&inner) });
                }
                let opened = match rustix::fs::openat(&directory, name.as_slice(), DIRECTORY, Mode::empty()) {
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                    opened => opened.call_with(|| format!("open({})", shown(&inner))).map_err(Error::Context)?,
                };
                self.walk(opened, (&inner, &below), base, depth + 1, items)?;
                if excluded && items.len() > place {
                    // On the way to what is included again.
                    let name = inner.get(base..).unwrap_or_default().to_vec();
                    items.insert(place, Item { name, path: inner, stat, link: Vec::new() });
                }
            }
        }
        Ok(())
    }

    /// The paths that match a pattern, component by component.
    fn matching(&self, pattern: &str) -> Result<Vec<Vec<u8>>> {
        let mut found = vec![Vec::new()];
        for component in pattern.split('/') {
            let fits = Pattern::new(component).map_err(|error| Error::Pattern(error.to_string()))?;
            let mut next = Vec::new();
            for path in &found {
                for name in self.names(path)? {
                    if fits.matches(&lossy(&name)) {
                        next.push(if path.is_empty() { name } else { [path, &b"/"[..], &name].concat() });
                    }
                }
            }
            found = next;
        }
        found.retain(|path| {
            let is_directory = || self.reach(path).is_ok_and(|reached| is_directory(&reached));
            match self.rules_of(path).0 {
                Verdict::In => true,
                Verdict::Enter => is_directory(),
                Verdict::Out => false,
            }
        });
        Ok(found)
    }

    /// The names in a directory; none in what is no directory.
    fn names(&self, path: &[u8]) -> Result<Vec<Vec<u8>>> {
        let Ok(directory) = self.open_beneath(path, DIRECTORY.difference(OFlags::NOFOLLOW)) else {
            return Ok(Vec::new());
        };
        names_in(&directory, path)
    }

    fn reach(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        self.open_beneath(path, REACHED)
    }

    fn open_beneath(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { b"." } else { path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&self.root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }

    fn open_item(&self, item: &Item) -> Result<File> {
        let opened = self.open_beneath(&item.path, FILE.difference(OFlags::NOFOLLOW));
        Ok(opened.call_with(|| format!("open({})", shown(&item.path))).map_err(Error::Context)?.into())
    }

    /// A file of the context, to be read.
    pub fn open_file(&self, source: &Source) -> Result<Option<File>> {
        source.items.first().filter(|item| item.is_file()).map(|item| self.open_item(item)).transpose()
    }

    /// Names, kinds, modes and bytes of all that a source is. Owners and times do not count: a checkout has others.
    pub fn digest(&self, source: &Source, hashes: &mut Hashes) -> Result<Digest> {
        let mut all = Sha256::new();
        for item in &source.items {
            self.add_item(item, hashes, &mut all)?;
        }
        all.update([u8::from(source.is_directory)]);
        Ok(Digest::from_sha256(all.finalize().into()))
    }

    fn add_item(&self, item: &Item, hashes: &mut Hashes, all: &mut Sha256) -> Result<()> {
        let content = match item.is_file() {
            true => Some(hashes.get_or(&item.stat, || digest_of(self.open_item(item)?, &item.path))?),
            false => None,
        };
        for part in [&item.name[..], &item.link, content.as_ref().map_or(b"", |digest| digest.hex().as_bytes())] {
            all.update((part.len() as u64).to_le_bytes());
            all.update(part);
        }
        all.update(item.stat.st_mode.to_le_bytes());
        Ok(())
    }

    /// What all these are, one by one, as far as that is not too much to be remembered.
    pub fn sources(&self, found: &[Source], hashes: &mut Hashes) -> Result<Sources> {
        let folded = found.iter().map(|source| source.items.len()).sum::<usize>() > LISTED;
        let mut all: BTreeMap<String, Sha256> = BTreeMap::new();
        for (source, item) in found.iter().flat_map(|source| source.items.iter().map(move |item| (source, item))) {
            let above = source.path.len() + usize::from(!source.path.is_empty());
            let inner = item.path.get(above..).unwrap_or_default();
            let end = inner.iter().position(|byte| *byte == b'/').filter(|_| folded);
            let path = end.and_then(|end| item.path.get(..above + end)).unwrap_or(&item.path);
            self.add_item(item, hashes, all.entry(lossy(path)).or_default())?;
        }
        if all.len() > LISTED {
            return Ok(Sources::default());
        }
        let short = |hash: Sha256| Digest::from_sha256(hash.finalize().into()).hex().get(..SHORT).map(str::to_owned);
        let digests = all.into_iter().map(|(path, hash)| (path, short(hash).unwrap_or_default())).collect();
        Ok(Sources { folded, digests })
    }

    /// Writes a source as a tar stream of root's files, without the end of the archive. `change`: name and mode of each copy, or
    /// `None` where it is left out.
    pub fn write(
        &self,
        source: &Source,
        out: &mut impl Write,
        mut change: impl FnMut(&Item) -> Option<(Vec<u8>, u32)>,
    ) -> Result<()> {
        let mut buffer = data::buffer();
        for item in &source.items {
            let Some((path, mode)) = change(item) else { continue };
            let mtime = (item.stat.st_mtime, u32::try_from(item.stat.st_mtime_nsec).unwrap_or(0));
            let header = Header { path, mode, mtime, link: item.link.clone(), kind: item.kind(), ..Header::marker() };
            if item.is_file() {
                self.write_file(item, header, out, &mut buffer)?;
            } else {
                out.write_all(&header.encode()).map_err(Error::Pipe)?;
            }
        }
        Ok(())
    }

    fn write_file(&self, item: &Item, header: Header, out: &mut impl Write, buffer: &mut [u8]) -> Result<()> {
        let file = self.open_item(item)?;
        let stat = self.unchanged(&file, item)?;
        let content = Content::of(file.as_fd(), &stat).map_err(Error::Context)?;
        let header = Header { size: content.packed_size(), sparse: content.sparse_size(), ..header };
        out.write_all(&header.encode()).map_err(Error::Pipe)?;
        content.write(file.as_fd(), buffer, out).map_err(|error| match error {
            data::Error::Read(source) => Error::Context(source),
            data::Error::Write(source) => Error::Pipe(source),
        })?;
        // A layer must not be remembered under the digest of other bytes.
        self.unchanged(&file, item).map(drop)
    }

    /// What an open file is, unless that is another than when the context was looked at.
    fn unchanged(&self, file: &File, item: &Item) -> Result<Stat> {
        let stat = self.seen(rustix::fs::fstat(file).call("fstat").map_err(Error::Context)?);
        let told =
            |stat: &Stat| (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        match told(&stat) == told(&item.stat) {
            true => Ok(stat),
            false => Err(Error::Changed { path: shown(&item.path) }),
        }
    }

    /// What the build sees of a file.
    fn seen(&self, mut stat: Stat) -> Stat {
        let Some(time) = self.made.as_ref().and_then(|made| made.commit_time) else { return stat };
        // Whatever this account's umask is.
        let runs = FileType::from_raw_mode(stat.st_mode) == FileType::Directory || stat.st_mode & 0o100 != 0;
        stat.st_mode = stat.st_mode & !0o7777 | if runs { 0o755 } else { 0o644 };
        (stat.st_mtime, stat.st_mtime_nsec) = (time, 0);
        stat
    }
}

impl Item {
    fn is_file(&self) -> bool {
        FileType::from_raw_mode(self.stat.st_mode) == FileType::RegularFile
    }

    /// Its name where the directories on the way are kept: from the context on, or from `/./`.
    pub fn path_from_pivot(&self, source: &Source) -> Vec<u8> {
        let whole: Vec<&[u8]> = match source.is_directory {
            true => source.path.split(|byte| *byte == b'/').chain(self.name.split(|byte| *byte == b'/')).collect(),
            false => source.path.split(|byte| *byte == b'/').collect(),
        };
        whole.into_iter().filter(|part| !part.is_empty()).skip(source.pivot).collect::<Vec<_>>().join(&b'/')
    }

    pub fn is_directory(&self) -> bool {
        FileType::from_raw_mode(self.stat.st_mode) == FileType::Directory
    }

    /// Twelve bits.
    pub fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }

    fn kind(&self) -> EntryType {
        match FileType::from_raw_mode(self.stat.st_mode) {
            FileType::Directory => EntryType::Directory,
            FileType::Symlink => EntryType::Symlink,
            FileType::Fifo => EntryType::Fifo,
            _ => EntryType::Regular,
        }
    }
}

/// The end of an archive.
pub fn end(out: &mut impl Write) -> Result<()> {
    out.write_all(&[0; 2 * BLOCK]).and_then(|()| out.flush()).map_err(Error::Pipe)
}

/// A path within the context: without `.`, and without a slash before it.
pub fn inner(text: &str) -> Result<String> {
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Error::LeavesContext { path: text.to_owned() });
    }
    Ok(parts.join("/"))
}

fn pivot(text: &str) -> usize {
    let before = text.split_once("/./").map_or("", |(before, _)| before);
    before.split('/').filter(|part| !part.is_empty() && *part != ".").count()
}

/// Sorted.
fn names_in(directory: &OwnedFd, path: &[u8]) -> Result<Vec<Vec<u8>>> {
    let failed = || format!("readdir({})", shown(path));
    let mut names = Vec::new();
    for entry in Dir::read_from(directory).call_with(failed).map_err(Error::Context)? {
        let entry = entry.call_with(failed).map_err(Error::Context)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Where an open file lies, without symlinks.
fn path_of(file: &OwnedFd) -> std::io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn is_directory(file: &OwnedFd) -> bool {
    rustix::fs::fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn digest_of(mut file: File, path: &[u8]) -> Result<Digest> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut buffer).call_with(|| format!("read({})", shown(path))).map_err(Error::Context)? {
            0 => return Ok(Digest::from_sha256(hash.finalize().into())),
            count => hash.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn shown(path: &[u8]) -> String {
    lossy(path)
}
