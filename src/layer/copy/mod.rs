//! Copying files into a tree that is there and may be in use, and out of one: `cp`.
//!
//! ```text
//!   source ── walks, as the caller sees the tree ──▶ tar stream ──▶ target ── makes what is in it, beneath one directory
//! ```
//!
//! Both ends are the same code on this machine, as its user, and in a container, where a worker holds the container's root as a
//! descriptor and is root of its user namespace.
//!
//! Decisions, as Podman's and cp(1)'s where those agree:
//! * The path that is asked for is followed through symlinks; nothing below it is. In a container all of them lead inside.
//! * A stream of files begins with the one that was asked for, under its name; whoever makes it there may call it something else.
//! * A directory that is there keeps its owner, mode and times. A directory and something else never take each other's place
//!   unasked, and a file appears under its name when it is whole, or is written into where something is mounted on it.
//! * Devices and sockets are left out. File systems of the kernel's own (proc, sysfs and the like) are not walked into.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::{Error, shown};
use crate::host::id_map;
use crate::host::subid::IdMaps;
use crate::sys::{self, beneath};

pub mod inside;
mod mounted;
mod parents;
mod place;
pub mod rewrite;
mod source;
mod target;

pub use source::pack;
pub use target::unpack;

/// What the kernel shows of an id that a namespace does not have (/proc/sys/kernel/overflowuid).
const NOBODY: u32 = 65534;

/// Beneath what a path leads.
#[derive(Debug, Clone, Copy)]
pub enum Root<'a> {
    /// This machine, as the calling process sees it; its account has these ids.
    Machine(&'a IdMaps),
    /// The root of a container.
    Container(BorrowedFd<'a>),
}

/// What is copied.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    pub path: Vec<u8>,
    /// For the user's eyes: whose path it is.
    pub place: String,
    /// The stream is for a reader of its own: of a directory's content, the directory itself is not in it.
    pub bare: bool,
    /// Owners are asked of the overlay, which has written them down (see [`crate::store::owners::WORD`]).
    #[serde(default)]
    pub recorded: bool,
}

/// Where it goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    pub path: Vec<u8>,
    pub place: String,
    pub stream: Stream,
    /// Directories and others may take each other's place.
    pub overwrite: bool,
    /// What the path lacks is made: directories of the owner that the copies get, or root's.
    #[serde(default)]
    pub parents: bool,
    pub owners: Owners,
    /// Owners are words to the overlay, which writes them down (see [`crate::store::owners::WORD`]).
    #[serde(default)]
    pub recorded: bool,
}

/// What the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// What [`pack`] wrote: one file, or one directory.
    Named,
    /// The same, of a directory whose content is meant.
    Content,
    /// An archive of the user's: its names count from the target.
    Archive,
}

/// Whose the copies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owners {
    /// Of the process that makes them; no file runs as its owner then.
    Own,
    /// As the stream says.
    Kept,
    /// All of this user's.
    Given { uid: u32, gid: u32 },
}

/// What stands between a source and a target.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("\"{path}\" could not be found on {place}: no such file or directory")]
    NotThere { path: String, place: String },
    #[error("destination must be a directory when copying {0}")]
    NeedsDirectory(&'static str),
    #[error("\"{path}\" on {place} exists but is not a directory")]
    NotDirectory { path: String, place: String },
    #[error("\"{path}\" on {place} is neither a file nor a directory")]
    NotFile { path: String, place: String },
    #[error("invalid destination: \"{0}\" must be a directory or a regular file")]
    NotWritable(String),
    #[error("cannot overwrite {there} \"{entry}\" with {new}")]
    Occupied { entry: String, there: &'static str, new: &'static str },
    #[error("source must be a (compressed) tar archive when copying from stdin")]
    NotArchive,
    #[error("\"{path}\" on {place} can't be reached: {source}")]
    Unreachable { path: String, place: String, source: sys::Error },
    #[error("\"{entry}\" can't be copied: {source}")]
    Failed { entry: String, source: sys::Error },
}

impl Problem {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Occupied { .. } => Some("`--overwrite` lets one take the other's place".into()),
            Self::NotFile { .. } => Some("files and directories can be copied; `-` reads a tar archive".into()),
            _ => None,
        }
    }
}

impl Source {
    /// Whether a path means what is in the directory, and not the directory: it ends in `.`, or has no name of its own.
    pub fn is_content(path: &[u8]) -> bool {
        let path = trimmed(path);
        matches!(last(path), b"" | b"." | b"..")
    }

    /// The name under which the stream has it.
    fn name(&self) -> &[u8] {
        let path = trimmed(&self.path);
        let path = path.strip_suffix(b"/.").map_or(path, trimmed);
        match last(path) {
            b"" | b"." | b".." => b"content",
            name => name,
        }
    }

    fn unreachable(&self, error: Errno) -> Error {
        unreachable(&self.path, &self.place, error)
    }
}

impl Root<'_> {
    /// Whose a file is, as the account's user namespace has it: nobody's, if it is another account's.
    fn owner(self, stat: &Stat) -> (u32, u32) {
        match self {
            Self::Machine(ids) => (
                id_map::inward(&ids.uids, stat.st_uid).unwrap_or(NOBODY),
                id_map::inward(&ids.gids, stat.st_gid).unwrap_or(NOBODY),
            ),
            Self::Container(_) => (stat.st_uid, stat.st_gid),
        }
    }

    /// Follows symlinks.
    fn open(self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        match self {
            Self::Machine(_) => rustix::fs::openat(CWD, path, flags, Mode::empty()),
            Self::Container(root) => beneath::open(root, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS),
        }
    }
}

fn unreachable(path: &[u8], place: &str, error: Errno) -> Error {
    let (path, place) = (shown(path), place.to_owned());
    match error {
        Errno::NOENT | Errno::NOTDIR => Problem::NotThere { path, place },
        error => {
            let source = sys::Error::new(format!("open({path})"), error);
            Problem::Unreachable { path, place, source }
        }
    }
    .into()
}

fn failed(entry: &[u8]) -> impl Fn(sys::Error) -> Error + '_ {
    |source| Problem::Failed { entry: shown(entry), source }.into()
}

/// Without slashes at its end; the root is empty.
fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    path.get(..end).unwrap_or_default()
}

/// The last component.
fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}
