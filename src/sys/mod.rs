//! The kernel's door: the only room with unsafe code.
//!
//! What `rustix` and `nix` offer safely is used as it is, anywhere in the program; this room adds the calls that both lack and
//! the error that names the call. File descriptors are `OwnedFd` and `BorrowedFd`, never bare numbers.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::io;

pub mod alarm;
pub mod beneath;
pub mod capability;
pub mod datagram;
pub mod file;
pub mod interface;
pub mod landlock;
pub mod memory;
pub mod mount;
pub mod netlink;
pub mod process;
pub mod seccomp;
pub mod signal;
pub mod signalfd;

/// A system call that failed: which one, with which arguments, and how.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {source}")]
pub struct Error {
    /// The call as a reader would write it: `openat2(/etc/passwd)`.
    pub call: Cow<'static, str>,
    #[source]
    pub source: io::Error,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(call: impl Into<Cow<'static, str>>, source: impl Into<io::Error>) -> Self {
        Self { call: call.into(), source: source.into() }
    }

    /// The error number, 0 where the failure was not the kernel's.
    pub fn errno(&self) -> i32 {
        self.source.raw_os_error().unwrap_or(0)
    }
}

/// Gives the result of a system call the name of the call.
pub trait Call<T> {
    /// A call whose arguments tell nothing.
    fn call(self, name: &'static str) -> Result<T>;
    /// A call whose arguments the reader needs; made only on failure.
    fn call_with(self, describe: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> Call<T> for std::result::Result<T, E> {
    fn call(self, name: &'static str) -> Result<T> {
        self.map_err(|error| Error::new(name, error))
    }

    fn call_with(self, describe: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::new(describe(), error))
    }
}
