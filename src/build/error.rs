//! What goes wrong with a build.

use std::io;

use serde::{Deserialize, Serialize};

use super::source::Fault;
use crate::{container, host, image, layer, store, sys};

/// The exit code of a build that failed by itself, as Podman has it.
const FAILED: u8 = 125;

/// So many characters of a path are shown.
const SHOWN: usize = 300;

/// As much of a path as anybody reads.
fn cut(path: &str) -> String {
    match path.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => path.to_owned(),
    }
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something in the Containerfile.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A step failed: its line, and why.
    #[error("{place}: {cause}")]
    Step { place: super::source::Place, cause: Box<Error> },
    #[error("the build context: {0}")]
    Context(sys::Error),
    #[error("the worker that copies has gone: {0}")]
    Pipe(io::Error),
    #[error("`{}` is not in {place}", cut(path))]
    NoSource { path: String, place: String },
    #[error("`{}` leads out of the build context", cut(path))]
    LeavesContext { path: String },
    #[error("`{}` is excluded by the ignore file", cut(path))]
    Ignored { path: String },
    #[error("`{path}` is a {kind}, of which there is no copy")]
    NoCopy { path: String, kind: &'static str },
    #[error("`{path}` of the build context changed while it was copied")]
    Changed { path: String },
    #[error("`{path}` is nested too deep")]
    TooDeep { path: String },
    #[error("{0}")]
    Pattern(String),
    #[error("the process that built the stage `{0}` has gone")]
    StageGone(String),
    /// What the process of a stage said.
    #[error("{}", .0.text)]
    Said(Said),
    #[error("the command `{command}` ended with exit code {code}")]
    Command { command: String, code: i32 },
    #[error("{0}")]
    Refused(String),
    #[error("{text}")]
    Hinted { text: String, hint: String },
    #[error(transparent)]
    Container(#[from] container::Error),
    #[error(transparent)]
    Image(#[from] image::Error),
    #[error(transparent)]
    Layer(#[from] layer::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Target(#[from] super::graph::NoTarget),
    #[error(transparent)]
    Mount(#[from] super::parse::MountError),
    #[error(transparent)]
    Lock(#[from] host::lock::Error),
    #[error(transparent)]
    Ids(#[from] host::subid::Error),
}

/// A failure in words, as the process of a stage tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub text: String,
    pub hint: Option<String>,
    /// What the program is to end with.
    pub code: u8,
}

impl Error {
    /// In words, with the lines that it is about.
    pub fn said(&self) -> Said {
        let hint = self.hint();
        match self {
            Self::Said(said) => said.clone(),
            Self::Fault(fault) => Said { text: format!("{fault}\n{}", fault.place.excerpt()), hint, code: FAILED },
            Self::Step { place, cause } => {
                // As the command that failed, as far as that has a code.
                let code = match **cause {
                    Self::Command { code, .. } => u8::try_from(code).unwrap_or(FAILED),
                    _ => FAILED,
                };
                Said { text: format!("{place}: {cause}\n{}", place.excerpt()), hint, code }
            }
            other => Said { text: other.to_string(), hint, code: FAILED },
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Step { cause, .. } => cause.hint(),
            Self::Said(said) => said.hint.clone(),
            Self::Fault(fault) => fault.hint(),
            Self::NoSource { .. } => Some("paths are taken from the build context, the last argument of the command".into()),
            Self::LeavesContext { .. } => Some("only files in the build context can be copied: a larger directory can be the context, or `--build-context NAME=DIRECTORY` another one".into()),
            Self::Changed { .. } | Self::Context(_) => Some("leave out of the context, by an ignore file, what others write or may not be read, or build again once nothing writes there".into()),
            Self::Ignored { .. } => Some("a line `!PATH` at the end of the ignore file takes it in again".into()),
            Self::Target(error) => error.hint(),
            Self::Mount(error) => error.hint(),
            Self::Lock(error) => error.hint(),
            Self::Container(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Layer(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Ids(error) => error.hint(),
            Self::Hinted { hint, .. } => Some(hint.clone()),
            _ => None,
        }
    }
}
