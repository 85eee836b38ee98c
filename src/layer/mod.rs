//! Layers: from a compressed tar stream to a directory.
//!
//! ```text
//! pipe or blob ─▶ compression ─▶ hash of the plain bytes ─▶ tar_stream ─▶ unpack ─▶ a directory      [stream joins the first three]
//!                 thread 1        thread 2 (the diff id)     thread 3: entries, files
//! ```
//!
//! All of it runs in a *worker* ([`worker`]): a process that is root of a user namespace and sees nothing of the machine but the
//! directory that it fills. What must stay true all the same:
//! * every name is resolved beneath the layer's root, with the layer as root (openat2, `RESOLVE_IN_ROOT`);
//! * memory is bounded whatever the stream says, and so is what it unpacks to;
//! * an error names the entry.

use std::io;

use compression::WindowTooLarge;
use serde::{Deserialize, Serialize};

use crate::host::{role, subid};
use crate::oci::Digest;
use crate::sys;

pub mod archive;
mod attributes;
pub mod budget;
pub mod changes;
pub mod compression;
pub mod copy;
pub mod measure;
pub mod merged;
pub mod pack;
mod pax;
pub mod read;
pub mod same;
pub mod settle;
mod sparse;
pub mod stream;
pub mod tar_stream;
pub mod unpack;
pub mod worker;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("the archive can't be read: {0}")]
    Read(#[from] io::Error),
    #[error("it is not a readable tar archive: {0}")]
    Archive(String),
    #[error("the archive's entry `{entry}` {problem}")]
    Entry { entry: String, problem: Problem },
    #[error("`{entry}` can't be packed: {source}")]
    Pack { entry: String, source: sys::Error },
    #[error("`{entry}` can't be packed: in a layer a name that begins with `.wh.` says what is deleted")]
    ReservedName { entry: String },
    #[error("`{entry}` can't be compared: {source}")]
    Compare { entry: String, source: sys::Error },
    #[error("the archive can't be written: {0}")]
    Write(#[source] io::Error),
    #[error("the layer's content has the digest `{found}`, the image says `{expected}`")]
    WrongDiffId { expected: Digest, found: Digest },
    #[error(transparent)]
    Copy(#[from] copy::Problem),
    #[error(transparent)]
    Contents(#[from] archive::Problem),
    #[error(transparent)]
    Ids(#[from] subid::Error),
    #[error(transparent)]
    Role(#[from] role::Error),
    /// What a worker reported, already in words.
    #[error("{text}")]
    Worker { text: String, hint: Option<String>, about: About },
    #[error("the worker ended without a result ({0})")]
    WorkerDied(String),
}

/// What a failure is about, as far as those who started the work go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// It may be that whoever is at the other end of a stream has gone.
    Stream,
    /// [`compression::Window::Usual`] did not do.
    Window,
    Other,
}

/// What is wrong with one entry of a layer; completes the sentence "the archive's entry `x` …".
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("climbs above the root of the layer")]
    Climbs,
    #[error("has an empty name")]
    NoName,
    #[error("has a name or link with a NUL byte in it")]
    Nul,
    #[error("has a name of more than {0} bytes")]
    LongName(usize),
    #[error("is the root of the layer but not a directory")]
    RootNotDirectory,
    #[error("is a hard link to `{0}`, which is not in the layer")]
    LinkTarget(String),
    #[error("lies below a whiteout")]
    BelowWhiteout,
    #[error("is a whiteout that names nothing")]
    EmptyWhiteout,
    #[error("lies in `{0}`, which is not a directory")]
    ParentNotDirectory(String),
    #[error("is one directory more than the {0} that a layer may have")]
    Crowd(usize),
    #[error("goes through too many symbolic links")]
    Loop,
    #[error("belongs to {0}, an id that this account can't map")]
    UnmappedOwner(String),
    #[error("has a type that this program does not know: `{0}`")]
    UnknownType(String),
    #[error("is malformed: {0}")]
    Malformed(String),
    #[error("can't be made: {0}")]
    System(#[from] sys::Error),
}

impl Error {
    pub fn about(&self) -> About {
        match self {
            Self::Worker { about, .. } => *about,
            Self::Read(error) if WindowTooLarge::is_in(error) => About::Window,
            Self::Read(_) | Self::Archive(_) | Self::Write(_) => About::Stream,
            _ => About::Other,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Worker { hint, .. } => hint.clone(),
            Self::Read(error) if error.kind() == io::ErrorKind::Unsupported => {
                Some("unpack it first, as in `lz4 -dc FILE | coracle …`".into())
            }
            Self::Read(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                Some("it was packed with more memory than is given to it here: `xz -9` is as much as can be unpacked".into())
            }
            Self::Read(error) if WindowTooLarge::is_in(error) => {
                Some("compress it again with a level below 21 and without `--long`".into())
            }
            Self::Ids(error) => error.hint(),
            Self::Copy(problem) => problem.hint(),
            Self::Entry { problem: Problem::UnmappedOwner(_), .. } => Some(
                "ask the administrator for more subordinate ids: `usermod --add-subuids 100000-165535 --add-subgids \
                 100000-165535 USER` gives 65536"
                    .into(),
            ),
            Self::ReservedName { entry } => Some(format!("remove or rename `/{entry}` in the container")),
            Self::Entry { problem: Problem::System(error), .. } if error.errno() == libc::EOPNOTSUPP => Some(
                "the disk of the store takes no user attributes, which hide what lower layers have: name a directory on \
                 another disk with `--root DIRECTORY`"
                    .into(),
            ),
            Self::Read(error) if error.kind() == io::ErrorKind::FileTooLarge => Some(
                "if you trust the image: `--max-layer-size SIZE`, or `max_layer_size` below `[engine]` in config.toml"
                    .into(),
            ),
            Self::WrongDiffId { .. } => {
                Some("the image is broken or was tampered with: build and push it again".into())
            }
            _ => None,
        }
    }

    pub(crate) fn entry(name: &[u8], problem: impl Into<Problem>) -> Self {
        Self::Entry { entry: shown(name), problem: problem.into() }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// A name from outside, as an error may show it: no control characters, of bounded length.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name.get(..200).unwrap_or(name)).into_owned();
    let mut clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if name.len() > 200 {
        clean.push('…');
    }
    clean
}
