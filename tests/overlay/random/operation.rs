//! One operation on a file system: drawn at random, done on either side, its outcome as text.

use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{
    AtFlags, FallocateFlags, Mode, OFlags, RenameFlags, SeekFrom, Stat, Timespec, Timestamps, XattrFlags,
};
use rustix::io::Errno;

use super::draw::Draw;
use super::maps::{Mapping, Maps};
use super::owners::Owners;

/// How many files are held open at a time.
const SLOTS: usize = 6;
/// How many mappings are held at a time.
const MAPS: usize = 4;
/// Files grow no longer than this.
const LONGEST: u64 = 300_000;
/// With more files than this, whole trees are removed now and then.
const MANY: usize = 150;
const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "long-name"];
const ATTRIBUTES: [&str; 3] = ["user.one", "user.two", "trusted.three"];
const MODES: [u32; 8] = [0o644, 0o755, 0o600, 0o777, 0o4755, 0o2755, 0o2770, 0o1777];

/// What is done. Paths are relative to the tree's top; a slot is an open file.
#[derive(Debug, Clone)]
pub enum Operation {
    Open {
        slot: usize,
        path: String,
        flags: u32,
        mode: u32,
    },
    Close {
        slot: usize,
    },
    Write {
        slot: usize,
        at: u64,
        length: usize,
        byte: u8,
    },
    Read {
        slot: usize,
        at: u64,
        length: usize,
    },
    Resize {
        slot: usize,
        length: u64,
    },
    Allocate {
        slot: usize,
        mode: u32,
        at: u64,
        length: u64,
    },
    CopyRange {
        from: usize,
        at: u64,
        to: usize,
        to_at: u64,
        length: usize,
    },
    Sync {
        slot: usize,
    },
    Map {
        slot: usize,
        mapping: Mapping,
    },
    StatOpen {
        slot: usize,
    },
    ChmodOpen {
        slot: usize,
        mode: u32,
    },
    Directory {
        path: String,
        mode: u32,
    },
    Symlink {
        path: String,
        target: String,
    },
    Fifo {
        path: String,
        mode: u32,
    },
    Link {
        path: String,
        to: String,
    },
    Unlink {
        path: String,
    },
    Rmdir {
        path: String,
    },
    /// As `rm -rf`.
    RemoveAll {
        path: String,
    },
    Rename {
        path: String,
        to: String,
        flags: u32,
    },
    Truncate {
        path: String,
        length: u64,
    },
    Chmod {
        path: String,
        mode: u32,
    },
    Chown {
        path: String,
        uid: u32,
        gid: u32,
    },
    Times {
        path: String,
        seconds: i64,
        nanoseconds: u32,
    },
    SetAttribute {
        path: String,
        name: &'static str,
        length: usize,
        flags: u32,
    },
    GetAttribute {
        path: String,
        name: &'static str,
    },
    ListAttributes {
        path: String,
    },
    RemoveAttribute {
        path: String,
        name: &'static str,
    },
    Acl {
        path: String,
        default: bool,
        bits: u16,
    },
    Mask {
        mask: u32,
    },
    StatName {
        path: String,
    },
    ReadLink {
        path: String,
    },
    List {
        path: String,
    },
    Seek {
        path: String,
        hole: bool,
        at: u64,
    },
}

use Operation::*;

impl Operation {
    pub fn draw(draw: &mut Draw, known: &Known) -> Self {
        let path = known.one(draw);
        let place = known.place(draw);
        let slot = draw.below(SLOTS);
        let at = draw.offset(LONGEST);
        let length = draw.length();
        let mode = draw.pick(&MODES);
        if known.all.len() > MANY && draw.below(20) == 0 {
            return RemoveAll { path };
        }
        match draw.below(100) {
            0..14 => Open { slot, path: if draw.below(3) == 0 { place } else { path }, flags: open_flags(draw), mode },
            14..18 => Close { slot },
            18..28 => Write { slot, at, length, byte: draw.below(256) as u8 },
            28..30 => Read { slot, at, length },
            30..33 => Map { slot, mapping: mapping(draw) },
            33..35 => Resize { slot, length: at },
            35..37 => Allocate { slot, mode: allocation(draw), at, length: length as u64 + 1 },
            37..39 => CopyRange { from: slot, at, to: draw.below(SLOTS), to_at: draw.offset(LONGEST), length },
            39 if draw.below(10) == 0 => Sync { slot },
            39 => Read { slot, at, length },
            40..43 => StatOpen { slot },
            43 => ChmodOpen { slot, mode },
            44..50 => Directory { path: place, mode },
            50..52 => Symlink { path: place, target: path },
            52 => Fifo { path: place, mode },
            53..57 => Link { path, to: place },
            57..62 => Unlink { path },
            62..65 => Rmdir { path },
            65..73 => {
                Rename { path, to: if draw.below(2) == 0 { place } else { known.one(draw) }, flags: rename_flags(draw) }
            }
            73..75 => Truncate { path, length: at },
            75..77 => Chmod { path, mode },
            77..79 => Chown { path, uid: draw.below(4) as u32, gid: draw.below(4) as u32 },
            79..81 => Times {
                path,
                seconds: draw.below(1 << 30) as i64 - (1 << 20),
                nanoseconds: draw.below(1_000_000_000) as u32,
            },
            81..83 => SetAttribute {
                path,
                name: draw.pick(&ATTRIBUTES),
                length: draw.below(600),
                flags: draw.below(3) as u32,
            },
            83 => GetAttribute { path, name: draw.pick(&ATTRIBUTES) },
            84 => ListAttributes { path },
            85 => RemoveAttribute { path, name: draw.pick(&ATTRIBUTES) },
            86 => Acl { path, default: draw.below(2) == 0, bits: draw.below(8) as u16 },
            87 => Mask { mask: draw.pick(&[0o022, 0o077, 0, 0o027]) },
            88..93 => StatName { path },
            93 => ReadLink { path },
            94..98 => List { path },
            _ => Seek { path, hole: draw.below(2) == 0, at },
        }
    }
}

impl Operation {
    /// What was done of it, if it said so.
    pub fn cut_to(mut self, outcome: &Result<String, Errno>) -> Self {
        if let (Write { length, .. } | CopyRange { length, .. }, Ok(done)) = (&mut self, outcome) {
            *length = done.parse().unwrap();
        }
        self
    }
}

/// What the tree held not long ago.
#[derive(Debug, Default)]
pub struct Known {
    pub all: Vec<String>,
    pub directories: Vec<String>,
}

impl Known {
    /// Mostly something that is there.
    fn one(&self, draw: &mut Draw) -> String {
        if self.all.is_empty() || draw.below(8) == 0 {
            self.place(draw)
        } else {
            self.all[draw.below(self.all.len())].clone()
        }
    }

    /// A place for something new, where something may lie.
    fn place(&self, draw: &mut Draw) -> String {
        let name = draw.pick(&NAMES);
        match draw.below(self.directories.len() + 2) {
            0 | 1 => name.to_owned(),
            at => format!("{}/{name}", self.directories[at - 2]),
        }
    }
}

fn open_flags(draw: &mut Draw) -> u32 {
    let mut flags = draw.pick(&[OFlags::RDONLY, OFlags::WRONLY, OFlags::RDWR, OFlags::RDWR]) | OFlags::NONBLOCK;
    for flag in [OFlags::CREATE, OFlags::CREATE, OFlags::TRUNC, OFlags::APPEND] {
        if draw.below(3) == 0 {
            flags |= flag;
        }
    }
    for flag in [OFlags::EXCL, OFlags::NOFOLLOW, OFlags::DIRECTORY] {
        // Without CREATE, EXCL means nothing; with it, DIRECTORY is an error of its own on newer kernels.
        let fits = flag == OFlags::NOFOLLOW || flags.contains(OFlags::CREATE) == (flag == OFlags::EXCL);
        if fits && draw.below(6) == 0 {
            flags |= flag;
        }
    }
    flags.bits()
}

fn allocation(draw: &mut Draw) -> u32 {
    let keep = FallocateFlags::KEEP_SIZE;
    let punch = FallocateFlags::PUNCH_HOLE | keep;
    draw.pick(&[FallocateFlags::empty(), keep, punch, punch, FallocateFlags::ZERO_RANGE]).bits()
}

fn mapping(draw: &mut Draw) -> Mapping {
    let (map, at, length) = (draw.below(MAPS), draw.offset(LONGEST), draw.length());
    let byte = draw.below(256) as u8;
    match draw.below(10) {
        0..2 => Mapping::Hold { map },
        2..5 => Mapping::Read { map, at: 0, length: LONGEST as usize },
        5 => Mapping::Drop { map },
        6..9 => Mapping::Write { at, length, byte, sync: draw.below(8) == 0 },
        _ => Mapping::Private { at, length, byte },
    }
}

fn rename_flags(draw: &mut Draw) -> u32 {
    let none = RenameFlags::empty();
    draw.pick(&[none, none, none, RenameFlags::NOREPLACE, RenameFlags::EXCHANGE]).bits()
}

/// One of the two trees, and what is open in it.
pub struct Side {
    pub top: PathBuf,
    root: OwnedFd,
    open: [Option<OwnedFd>; SLOTS],
    maps: Maps,
    pub owners: Owners,
}

impl Side {
    pub fn new(top: PathBuf, owners: Owners) -> Self {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&top, flags, Mode::empty()).unwrap();
        Self { top, root, open: Default::default(), maps: Maps::new(), owners }
    }

    fn slot(&self, slot: usize) -> Result<&OwnedFd, Errno> {
        self.open[slot].as_ref().ok_or(Errno::BADF)
    }

    pub fn stat(&self, path: &str) -> Result<Stat, Errno> {
        rustix::fs::statat(&self.root, path, AtFlags::SYMLINK_NOFOLLOW)
    }

    pub fn stat_open(&self, slot: usize) -> Result<Stat, Errno> {
        rustix::fs::fstat(self.slot(slot)?)
    }

    pub fn set_mode(&self, slot: usize, mode: u32) {
        rustix::fs::fchmod(self.slot(slot).unwrap(), Mode::from_raw_mode(mode & 0o7777)).unwrap();
    }

    /// A file's number and the time when it was made: no two files ever have the same, though numbers come again.
    pub fn identity(&self, path: &str) -> Option<(u64, i64, u32)> {
        let flags = rustix::fs::StatxFlags::INO | rustix::fs::StatxFlags::BTIME;
        let found = rustix::fs::statx(&self.root, path, AtFlags::SYMLINK_NOFOLLOW, flags).ok()?;
        Some((found.stx_ino, found.stx_btime.tv_sec, found.stx_btime.tv_nsec))
    }

    /// Does it; what a program could tell of the outcome.
    pub fn apply(&mut self, operation: &Operation) -> Result<String, Errno> {
        match operation {
            Open { slot, path, flags, mode } => {
                let flags = OFlags::from_bits_retain(*flags) | OFlags::CLOEXEC;
                self.open[*slot] = Some(rustix::fs::openat(&self.root, path, flags, Mode::from_raw_mode(*mode))?);
                Ok(String::new())
            }
            Close { slot } => {
                self.open[*slot] = None;
                Ok(String::new())
            }
            Mask { mask } => {
                rustix::process::umask(Mode::from_raw_mode(*mask));
                Ok(String::new())
            }
            Write { .. } | Read { .. } | Resize { .. } | Allocate { .. } | CopyRange { .. } | Sync { .. } => {
                self.on_open_file(operation)
            }
            StatOpen { slot } => Ok(shown(&self.owners.of_open(self.slot(*slot)?, self.stat_open(*slot)?))),
            Map { slot, mapping } => self.maps.apply(mapping, self.open[*slot].as_ref().ok_or(Errno::BADF)),
            ChmodOpen { slot, mode } => done(rustix::fs::fchmod(self.slot(*slot)?, Mode::from_raw_mode(*mode))),
            SetAttribute { .. } | GetAttribute { .. } | ListAttributes { .. } | RemoveAttribute { .. } | Acl { .. } => {
                self.on_attributes(operation)
            }
            StatName { .. } | ReadLink { .. } | List { .. } | Seek { .. } => self.asked(operation),
            RemoveAll { path } => {
                let removed = std::fs::remove_dir_all(self.top.join(path));
                done(removed.map_err(|error| Errno::from_io_error(&error).unwrap()))
            }
            _ => done(self.on_names(operation)),
        }
    }

    fn on_open_file(&self, operation: &Operation) -> Result<String, Errno> {
        match operation {
            Write { slot, at, length, byte } => {
                let file = self.slot(*slot)?;
                let count = rustix::io::pwrite(file, &vec![*byte; *length], *at)?;
                Ok(count.to_string())
            }
            Read { slot, at, length } => {
                let mut data = vec![0; *length];
                let count = rustix::io::pread(self.slot(*slot)?, &mut data, *at)?;
                Ok(format!("{count} {:x}", sum(&data[..count])))
            }
            Resize { slot, length } => done(rustix::fs::ftruncate(self.slot(*slot)?, *length)),
            Allocate { slot, mode, at, length } => {
                let mode = FallocateFlags::from_bits_retain(*mode);
                done(rustix::fs::fallocate(self.slot(*slot)?, mode, *at, *length))
            }
            CopyRange { from, at, to, to_at, length } => {
                let (mut at, mut to_at) = (*at, *to_at);
                let (from, to) = (self.slot(*from)?, self.slot(*to)?);
                let count = rustix::fs::copy_file_range(from, Some(&mut at), to, Some(&mut to_at), *length)?;
                Ok(count.to_string())
            }
            Sync { slot } => done(rustix::fs::fsync(self.slot(*slot)?)),
            _ => unreachable!(),
        }
    }

    fn on_names(&self, operation: &Operation) -> Result<(), Errno> {
        let root = self.root.as_fd();
        match operation {
            Directory { path, mode } => rustix::fs::mkdirat(root, path, Mode::from_raw_mode(*mode)),
            Symlink { path, target } => rustix::fs::symlinkat(target, root, path),
            Fifo { path, mode } => {
                rustix::fs::mknodat(root, path, rustix::fs::FileType::Fifo, Mode::from_raw_mode(*mode), 0)
            }
            Link { path, to } => rustix::fs::linkat(root, path, root, to, AtFlags::empty()),
            Unlink { path } => rustix::fs::unlinkat(root, path, AtFlags::empty()),
            Rmdir { path } => rustix::fs::unlinkat(root, path, AtFlags::REMOVEDIR),
            Rename { path, to, flags } => {
                rustix::fs::renameat_with(root, path, root, to, RenameFlags::from_bits_retain(*flags))
            }
            Truncate { path, length } => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                rustix::fs::ftruncate(rustix::fs::openat(root, path, flags, Mode::empty())?, *length)
            }
            Chmod { path, mode } => rustix::fs::chmodat(root, path, Mode::from_raw_mode(*mode), AtFlags::empty()),
            Chown { path, uid, gid } => self.owners.change(&self.top.join(path), *uid, *gid),
            Times { path, seconds, nanoseconds } => {
                let time = Timespec { tv_sec: *seconds, tv_nsec: (*nanoseconds).into() };
                let times = Timestamps { last_access: time, last_modification: time };
                rustix::fs::utimensat(root, path, &times, AtFlags::SYMLINK_NOFOLLOW)
            }
            _ => unreachable!(),
        }
    }

    fn on_attributes(&self, operation: &Operation) -> Result<String, Errno> {
        let mut value = vec![0; 70_000];
        match operation {
            SetAttribute { path, name, length, flags } => {
                let flags = XattrFlags::from_bits_retain(*flags);
                done(rustix::fs::lsetxattr(self.top.join(path), *name, &vec![*length as u8; *length], flags))
            }
            GetAttribute { path, name } => {
                let count = rustix::fs::lgetxattr(self.top.join(path), *name, &mut value[..])?;
                Ok(format!("{count} {:x}", sum(&value[..count])))
            }
            ListAttributes { path } => attributes(&self.top.join(path)),
            RemoveAttribute { path, name } => done(rustix::fs::lremovexattr(self.top.join(path), *name)),
            Acl { path, default, bits } => {
                let name = if *default { "system.posix_acl_default" } else { "system.posix_acl_access" };
                done(rustix::fs::lsetxattr(self.top.join(path), name, &acl(*bits), XattrFlags::empty()))
            }
            _ => unreachable!(),
        }
    }

    fn asked(&self, operation: &Operation) -> Result<String, Errno> {
        match operation {
            StatName { path } => Ok(shown(&self.owners.of(&self.top.join(path), self.stat(path)?))),
            ReadLink { path } => Ok(rustix::fs::readlinkat(&self.root, path, Vec::new())?.into_string().unwrap()),
            List { path } => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let dir = rustix::fs::openat(&self.root, path, flags, Mode::empty())?;
                let mut names = Vec::new();
                for entry in rustix::fs::Dir::read_from(&dir)? {
                    let entry = entry?;
                    let name = entry.file_name().to_str().unwrap().to_owned();
                    if name != "." && name != ".." {
                        let stat = rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW)?;
                        assert_eq!(entry.ino(), stat.st_ino, "the number listed for {path}/{name} is another");
                        names.push(format!("{name} {:?}", entry.file_type()));
                    }
                }
                names.sort();
                Ok(names.join("\n"))
            }
            Seek { path, hole, at } => {
                let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::openat(&self.root, path, flags, Mode::empty())?;
                if !std::path::Path::new(&self.top).join(path).is_file() {
                    return Err(Errno::INVAL);
                }
                let whence = if *hole { SeekFrom::Hole(*at) } else { SeekFrom::Data(*at) };
                let size = rustix::fs::fstat(&file)?.st_size as u64;
                let found = match rustix::fs::seek(&file, whence) {
                    Err(Errno::NXIO) if *at < size && !hole => size,
                    result => result?,
                };
                // Where exactly depends on what the disk has cached. But what is passed over as a hole must be one.
                let mut passed = vec![0; if *hole { 0 } else { found.saturating_sub(*at) as usize }];
                rustix::io::pread(&file, &mut passed, *at)?;
                Ok(format!("{} {}", found <= size, passed.iter().all(|byte| *byte == 0)))
            }
            _ => unreachable!(),
        }
    }
}

fn done(result: Result<(), Errno>) -> Result<String, Errno> {
    result.map(|()| String::new())
}

/// What must be equal: not numbers, and not the times that the clock gave.
pub fn shown(stat: &Stat) -> String {
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    let mut line = format!("{:o} {}:{}", stat.st_mode, stat.st_uid, stat.st_gid);
    if kind != rustix::fs::FileType::Directory {
        write!(line, " size {}", stat.st_size).unwrap();
    }
    // The clock's times differ by what lies between the two sides; set ones lie in the past.
    if stat.st_mtime < (1 << 30) {
        write!(line, " time {}.{}", stat.st_mtime, stat.st_mtime_nsec).unwrap();
    }
    line
}

/// The names of a file's attributes, in order.
pub fn attributes(path: &std::path::Path) -> Result<String, Errno> {
    let mut list = vec![0; 70_000];
    let count = rustix::fs::llistxattr(path, &mut list[..])?;
    let mut names: Vec<&str> = std::str::from_utf8(&list[..count]).unwrap().split_terminator('\0').collect();
    names.sort_unstable();
    Ok(names.join(" "))
}

/// A POSIX ACL as the attribute has it: owner, a named user, group, mask, others.
fn acl(bits: u16) -> Vec<u8> {
    let mut value = 2u32.to_le_bytes().to_vec();
    let entries = [(1u16, 7u16, u32::MAX), (2, bits, 1), (4, 5, u32::MAX), (16, 7, u32::MAX), (32, bits, u32::MAX)];
    for (tag, permissions, id) in entries {
        value.extend(tag.to_le_bytes());
        value.extend(permissions.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

pub fn sum(data: &[u8]) -> u64 {
    data.iter().fold(7, |sum: u64, byte| sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte))
}
