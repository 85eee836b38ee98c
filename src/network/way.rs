//! The way out of a private network namespace: by the network stack of this program, or by pasta where it was asked for.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::pasta::{self, Pasta};
use super::ports::{Published, SocketFile};
use super::stack;
use crate::sys::process::Child;

/// Who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    Pasta,
    /// Where nobody was asked for: it is always there, and ready in a millisecond where pasta takes twenty (tests/perf/run network).
    #[default]
    Stack,
}

/// What it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    Pasta(pasta::Wanted),
    Stack(stack::Wanted),
}

/// One that is being made.
#[derive(Debug)]
pub enum Starting {
    Pasta(pasta::Starting),
    Stack(stack::Starting),
}

/// One that is there.
#[derive(Debug)]
pub enum Way {
    Pasta(Pasta),
    Stack(stack::Running),
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Pasta(#[from] pasta::Error),
    #[error(transparent)]
    Stack(#[from] stack::Error),
}

impl Error {
    /// What the user or the administrator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Pasta(error) => error.hint(),
            Self::Stack(error) => error.hint(),
        }
    }
}

impl Maker {
    /// As `--network` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pasta => "pasta",
            Self::Stack => "stack",
        }
    }

    /// The process that is one.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Pasta => "its way out (`pasta`)",
            Self::Stack => "its way out (`coracle-stack`)",
        }
    }

    /// Whether [`super::HOST`] means this machine inside. `folders`: where pasta is looked for first.
    pub fn maps_host(self, folders: &[PathBuf]) -> bool {
        match self {
            Self::Pasta => pasta::find(folders).is_ok_and(|program| pasta::maps_host(&program)),
            Self::Stack => true,
        }
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Starts one for the network namespace behind `namespace`, with those sockets of somebody else's that [`Wanted::passed`] counts.
///
/// This process must be root of a user namespace that owns, or is above, the one that owns the network namespace.
pub fn start(namespace: BorrowedFd<'_>, wanted: &Wanted, passed: &[OwnedFd]) -> Result<Starting, Error> {
    match wanted {
        Wanted::Pasta(wanted) => Ok(Starting::Pasta(pasta::start(&pasta::find(&wanted.folders)?, namespace, wanted)?)),
        Wanted::Stack(wanted) => Ok(Starting::Stack(stack::start(namespace, wanted, passed)?)),
    }
}

impl AsFd for Starting {
    /// Readable as soon as [`Starting::finish`] does not block any more.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Pasta(starting) => starting.as_fd(),
            Self::Stack(starting) => starting.as_fd(),
        }
    }
}

impl Starting {
    /// Waits until the network is there.
    pub fn finish(self) -> Result<Way, Error> {
        match self {
            Self::Pasta(starting) => Ok(Way::Pasta(starting.finish()?)),
            Self::Stack(starting) => Ok(Way::Stack(starting.finish()?)),
        }
    }
}

impl Way {
    pub fn maker(&self) -> Maker {
        match self {
            Self::Pasta(_) => Maker::Pasta,
            Self::Stack(_) => Maker::Stack,
        }
    }

    /// Its process: with it ends the container's way out.
    pub fn child(&self) -> &Child {
        match self {
            Self::Pasta(pasta) => &pasta.child,
            Self::Stack(stack) => &stack.child,
        }
    }

    /// Where it is heard, if it ever says anything.
    pub fn stack(&self) -> Option<&stack::Running> {
        match self {
            Self::Pasta(_) => None,
            Self::Stack(stack) => Some(stack),
        }
    }

    /// Ends it and reaps it: where no pid namespace does.
    pub fn stop(self) -> Result<(), Error> {
        match self {
            Self::Pasta(pasta) => Ok(pasta.stop()?),
            Self::Stack(stack) => Ok(stack.stop()?),
        }
    }
}

impl Wanted {
    /// Whether ports of this machine may lead inside: those of the stack come and go.
    pub fn may_publish(&self) -> bool {
        match self {
            Self::Pasta(wanted) => !wanted.published.is_empty(),
            Self::Stack(_) => true,
        }
    }

    /// Publishes these ports in place of others.
    pub fn publish(&mut self, ports: Vec<Published>, files: Vec<SocketFile>) {
        match self {
            Self::Pasta(wanted) => wanted.published = ports,
            Self::Stack(wanted) => (wanted.published, wanted.sockets) = (ports, files),
        }
    }

    /// How many sockets that somebody else listens on lead inside.
    pub fn passed(&self) -> usize {
        match self {
            Self::Pasta(_) => 0,
            Self::Stack(wanted) => wanted.passed.len(),
        }
    }
}
