//! Workers that read: a tree to be packed, two trees to be compared, as root of the user's namespace, which owns the files.
//!
//! A tree of a container that runs on the FUSE overlay is *live*: its worker joins the namespace that the mount belongs to,
//! instead of one of its own with the same ids, and first lets what the kernel caches reach the upper directory
//! ([`super::settle`]).

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{Mode as FileMode, OFlags};
use serde::{Deserialize, Serialize};

use super::Result;
use super::changes::{Change, Kind};
use super::merged::Owners;
use super::pack::Form;
use super::worker::{Job, Reply, Running, unexpected};
use crate::host::subid::IdMaps;
use crate::store::layers::Mode;
use crate::store::owners::{Journal, Table};
use crate::sys::{self, Call, process};

/// Directories that merge.
#[derive(Debug)]
pub struct Tree {
    /// The topmost: all that the worker sees by path.
    pub top: Layer,
    /// Those below it, downwards.
    pub below: Vec<Layer>,
    pub live: Option<Live>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Layer {
    path: PathBuf,
    kept: Kept,
}

/// How the owners of a layer's files are kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    Disk,
    Table,
    Journal,
    Foreign,
}

impl Layer {
    /// The files of an image's layer.
    pub fn of_image(path: PathBuf, mode: Mode) -> Self {
        Self { path, kept: if mode == Mode::Mapped { Kept::Disk } else { Kept::Table } }
    }

    /// A directory of this machine, whoever owns what is in it.
    pub fn foreign(path: PathBuf) -> Self {
        Self { path, kept: Kept::Foreign }
    }

    /// The upper directory of a container.
    pub fn upper(path: PathBuf, mode: Mode) -> Self {
        Self { path, kept: if mode == Mode::Mapped { Kept::Disk } else { Kept::Journal } }
    }
}

impl Kept {
    /// Reads what is written beside `directory`.
    pub fn read(self, directory: BorrowedFd<'_>) -> sys::Result<Owners> {
        match self {
            Self::Disk => Ok(Owners::Disk),
            Self::Foreign => Ok(Owners::Foreign),
            Self::Table => Table::beside(directory).map(Owners::Table),
            Self::Journal => Journal::beside(directory).map(Owners::Journal),
        }
    }
}

/// A container that runs on the FUSE overlay.
#[derive(Debug)]
pub struct Live {
    /// To which the mount belongs.
    pub user_namespace: OwnedFd,
    /// The container's root, as its first process sees it (`O_PATH`).
    pub root: OwnedFd,
}

/// What a worker that reads finds behind [`super::worker::STREAM`]: namespace and root of a live tree, then directories.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inputs {
    pub is_live: bool,
    pub top: Kept,
    pub below: Vec<Kept>,
    /// The layers of the other tree.
    pub other: Vec<Kept>,
}

/// A worker that packs.
#[derive(Debug)]
pub struct RunningPack {
    running: Running,
}

/// Starts a worker that writes the tree, without what its top has at the paths in `leave_out`, to `out`.
///
/// A reader of `out` that goes away ends the worker.
pub fn start_pack(
    ids: &IdMaps,
    tree: &Tree,
    form: Form,
    leave_out: &[&str],
    out: BorrowedFd<'_>,
) -> Result<RunningPack> {
    let leave_out = owned(leave_out);
    let running = start(ids, tree, &[], out, |inputs| Job::Pack { form, leave_out, inputs })?;
    Ok(RunningPack { running })
}

impl RunningPack {
    /// Waits for the end; how many entries were written.
    pub fn finish(self) -> Result<u64> {
        match self.running.result()? {
            Reply::Packed(entries) => Ok(entries),
            other => Err(unexpected(&other)),
        }
    }
}

/// What made `tree` of the tree that the layers `other` (topmost first) show. `ignored` paths are left out.
pub fn compare(ids: &IdMaps, tree: &Tree, other: &[Layer], ignored: &[&str]) -> Result<Vec<Change>> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call("pipe2")?;
    let ignored = owned(ignored);
    let running = start(ids, tree, other, write.as_fd(), |inputs| Job::Compare { ignored, inputs })?;
    drop(write);
    let mut bytes = Vec::new();
    let read = File::from(read).read_to_end(&mut bytes);
    match running.result()? {
        Reply::Compared => {}
        other => return Err(unexpected(&other)),
    }
    read.call("read(pipe from the worker)")?;
    Ok(bytes.split(|byte| *byte == 0).filter_map(decode).collect())
}

/// All that a live tree's programs have written so far is on disk, or at least in the cache of the disk's own file system.
pub fn settle(ids: &IdMaps, tree: &Tree) -> Result<()> {
    let null = rustix::fs::open(c"/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, FileMode::empty());
    let null = null.call("open(/dev/null)")?;
    match start(ids, tree, &[], null.as_fd(), |inputs| Job::Settle { inputs })?.result()? {
        Reply::Settled => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// As it travels: a letter, the path, a NUL.
pub fn encode(change: &Change) -> Vec<u8> {
    [&[letter(change.kind)], change.path.as_slice(), b"\0"].concat()
}

fn decode(bytes: &[u8]) -> Option<Change> {
    let (first, path) = bytes.split_first()?;
    let kind = [Kind::Added, Kind::Changed, Kind::Deleted].into_iter().find(|kind| letter(*kind) == *first)?;
    Some(Change { kind, path: path.to_vec() })
}

fn letter(kind: Kind) -> u8 {
    match kind {
        Kind::Added => b'A',
        Kind::Changed => b'C',
        Kind::Deleted => b'D',
    }
}

fn start(
    ids: &IdMaps,
    tree: &Tree,
    other: &[Layer],
    out: BorrowedFd<'_>,
    job: impl FnOnce(Inputs) -> Job,
) -> Result<Running> {
    process::raise_descriptor_limit();
    let open = |layer: &Layer| {
        let path = &layer.path;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |how| rustix::fs::open(path, flags | how, FileMode::empty());
        // The root of a container may be closed to this user; the worker opens it.
        open(OFlags::RDONLY).or_else(|_| open(OFlags::PATH)).call_with(|| format!("open({})", path.display()))
    };
    let layers = tree.below.iter().chain(other).map(open).collect::<std::result::Result<Vec<_>, _>>()?;
    let kept = |layers: &[Layer]| layers.iter().map(|layer| layer.kept).collect();
    let (below, other) = (kept(&tree.below), kept(other));
    let inputs = Inputs { is_live: tree.live.is_some(), top: tree.top.kept, below, other };
    let live = tree.live.iter().flat_map(|live| [live.user_namespace.as_fd(), live.root.as_fd()]);
    let fds: Vec<_> = [out].into_iter().chain(live).chain(layers.iter().map(AsFd::as_fd)).collect();
    Running::start(ids, &tree.top.path, &job(inputs), &fds)
}

fn owned(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}
