//! Hooks (runtime-spec, config.md "POSIX-platform Hooks"): programs that are run while a container starts and ends.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    #[serde(rename = "hookName")]
    pub moment: Moment,
    /// Absolute.
    pub path: PathBuf,
    /// With the program's name as the first; none: its path is its name.
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub args: Vec<String>,
    /// All of its environment: `NAME=VALUE`.
    #[serde(default, deserialize_with = "super::null_as_default")]
    pub env: Vec<String>,
    /// Seconds.
    #[serde(default)]
    pub timeout: Option<u32>,
}

/// When a hook is run, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Moment {
    /// All is mounted and the container's root is not entered yet: outside of the container.
    #[serde(alias = "prestart")]
    CreateRuntime,
    /// Behind those, in the container's namespaces: this machine's files are still there, the container's lie among them.
    CreateContainer,
    /// In the container, just before its program.
    StartContainer,
    /// The program runs: outside.
    Poststart,
    /// The program has ended: outside.
    Poststop,
}

impl Moment {
    /// As the specification calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        }
    }
}
