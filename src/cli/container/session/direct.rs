//! Streams of ours that a program can have as they are, with nobody in between.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::isatty;

use super::service::is_journal;
use crate::cli::Report;
use crate::container::record::Container;
use crate::sys::Call;

/// Standard input or, where that is not to be read, nothing; standard output and error.
#[derive(Debug)]
pub struct Direct {
    null: Option<OwnedFd>,
}

impl Direct {
    /// `None`: one of them leads to a file of the host's, or to the journal, which would take what is written for another unit's, where
    /// the container has a control group of its own; or the user inside is not root, who could not open /dev/stdout anew.
    pub fn of(container: &Container, user: &str, input: bool) -> Result<Option<Self>, Report> {
        let direct = Self::new(input)?;
        let root = matches!(user, "" | "0" | "root") && container.user_namespace.is_none();
        Ok((root && direct.stdio().iter().all(|fd| leads_nowhere(*fd) && !is_journal(*fd))).then_some(direct))
    }

    /// Whatever they lead to, since the user wants just that (`--log-driver=passthrough`), but for a terminal.
    pub fn asked(container: &Container) -> Result<Self, Report> {
        let direct = Self::new(container.interactive)?;
        if container.terminal || direct.stdio().iter().any(isatty) {
            return Err(Report::new("the 'passthrough' log driver cannot be used on a TTY"));
        }
        Ok(direct)
    }

    fn new(input: bool) -> Result<Self, Report> {
        let null = || rustix::fs::open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let null = (!input).then(null).transpose().call("open(/dev/null)")?;
        Ok(Self { null })
    }

    pub fn stdio(&self) -> [BorrowedFd<'_>; 3] {
        [self.null.as_ref().map_or(stdin(), AsFd::as_fd), stdout(), stderr()]
    }
}

/// Whether a descriptor can be given to a container: through one of a file, or of a directory, its root could read, write and
/// change the mode of what lies behind it on the host, or walk from there.
fn leads_nowhere(fd: BorrowedFd<'_>) -> bool {
    let Ok(stat) = rustix::fs::fstat(fd) else { return false };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo | FileType::Socket => true,
        FileType::CharacterDevice => stat.st_rdev == rustix::fs::makedev(1, 3),
        _ => false,
    }
}
