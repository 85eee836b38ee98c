//! The way out of a private network namespace: pasta(1) of the package passt, which turns what arrives at a tap device in the
//! namespace into ordinary sockets of the user.
//!
//! Who starts it: a process that is root of U in the host's network namespace (the monitor), because pasta must be allowed to
//! enter the container's network namespace and must itself stay outside. It leaves its capabilities and sees an empty file
//! system as soon as it is set up.
//!
//! How readiness is known without waiting for luck: pasta stays in the foreground and is the caller's child. The three
//! descriptors that every version of it keeps open carry what it needs:
//!
//! * 0 is the network namespace (`--netns /proc/self/fd/0`): no path that could come to mean another process;
//! * 1 is a pipe: the "pid file" that it writes when it has finished setting up (`--pid /proc/self/fd/1`). Bytes in it mean
//!   ready, end of file means that it failed. [`Starting`] is pollable, so the caller does other work meanwhile;
//! * 2 is an anonymous file of a fixed size for its messages: it can neither block, nor grow, nor break like a pipe.
//!
//! When it ends: with the outer pid namespace whose PID 1 the monitor is; where there is none, by [`Pasta::stop`]. It does
//! not end with the network namespace, which it keeps alive itself.
//!
//! The version of 2023 acknowledges a connection from another machine to a published port once the client has sent something, so of
//! a server that speaks first nothing is heard; later ones do at once.
//!
//! Only options that the version of 2023 has are used, and [`MAP_HOST`](arguments::MAP_HOST) where it is known. Newer ones work
//! without a default route on the host; there, [`Error::NoRoute`] no longer comes.

mod arguments;

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FileType, MemfdFlags, SealFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, pidfd_send_signal};

use crate::host::{fault, role};
use crate::sys::process::{Child, Ended, Spawn};
use crate::sys::{self, Call};

pub use arguments::{Options, Wanted};

/// More of the program is not looked at, in bytes: the version of 2025 has 400 kB.
const LARGEST: u64 = 4 << 20;
/// The most of pasta's messages that is kept, in bytes.
const MESSAGES: u64 = 16 << 10;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`pasta` is not installed, and without it a private network has no way out")]
    Missing,
    #[error("`pasta` found no network on this machine that it could connect the container to: {0}")]
    NoRoute(String),
    #[error("`pasta` does not take its command line: {0}")]
    Option(String),
    #[error("`pasta` could not set up the network: {0}")]
    Failed(String),
    #[error(transparent)]
    System(#[from] sys::Error),
}

impl Error {
    /// What the user or the administrator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Option(_) => Some("`pasta --help` tells what the version knows that is installed here".into()),
            Self::Missing => Some(
                "install the package `passt`, as Debian, Ubuntu, Fedora, openSUSE, Arch and Alpine call it, or use `--network=stack`, which needs none"
                    .into(),
            ),
            Self::NoRoute(_) => Some(
                "connect this machine to a network, or run the container with `--network=none` or `--network=host`"
                    .into(),
            ),
            Self::Failed(_) => {
                Some("pasta needs /dev/net/tun; `--network=none` and `--network=host` work without it".into())
            }
            Self::System(_) => None,
        }
    }
}

/// Finds pasta in these folders, which the user has named, then on PATH, then where distributions put it.
pub fn find(folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = ["/usr/bin", "/usr/local/bin", "/usr/libexec/podman"].map(PathBuf::from);
    find_in(folders.iter().cloned().chain(std::env::split_paths(&path)).chain(others))
}

fn find_in(folders: impl Iterator<Item = PathBuf>) -> Result<PathBuf, Error> {
    let files = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join("pasta"));
    files.into_iter().find(|file| is_program(file)).ok_or(Error::Missing)
}

fn is_program(file: &Path) -> bool {
    let regular =
        rustix::fs::stat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    regular && rustix::fs::access(file, Access::EXEC_OK).is_ok()
}

/// Whether this version can let [`super::HOST`] mean this machine: its options stand in the program, and to read it takes less
/// time than to ask.
pub fn maps_host(program: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = File::open(program).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.is_ok() && memchr::memmem::find(&bytes, arguments::MAP_HOST.trim_start_matches('-').as_bytes()).is_some()
}

/// A pasta that is setting up.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    ready: OwnedFd,
    messages: OwnedFd,
}

/// A pasta that runs.
#[derive(Debug)]
pub struct Pasta {
    /// Its end is the end of the container's way out; the caller reaps it.
    pub child: Child,
}

/// Starts `program` for the network namespace behind `netns`.
///
/// This process must be root of a user namespace that owns, or is above, the one that owns the network namespace.
pub fn start(program: &Path, netns: BorrowedFd<'_>, wanted: &Wanted) -> Result<Starting, Error> {
    fault::point("pasta: start").call("start pasta")?;
    let (ready, written) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
    let messages = messages_file()?;
    let spawn = Spawn {
        program: CString::new(program.as_os_str().as_bytes()).map_err(|_| Error::Missing)?,
        args: arguments::arguments(wanted, maps_host(program)),
        env: role::environment(),
        fds: vec![netns, written.as_fd(), messages.as_fd()],
    };
    let child = spawn.start()?;
    Ok(Starting { child, ready, messages })
}

fn messages_file() -> Result<OwnedFd, sys::Error> {
    let file =
        rustix::fs::memfd_create("pasta", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).call("memfd_create")?;
    rustix::fs::ftruncate(&file, MESSAGES).call("ftruncate(memfd)")?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)
        .call("fcntl(F_ADD_SEALS)")?;
    Ok(file)
}

impl AsFd for Starting {
    /// Readable as soon as [`Starting::finish`] does not block any more.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }
}

impl Starting {
    /// Waits until the network is there.
    pub fn finish(self) -> Result<Pasta, Error> {
        let mut byte = [0_u8; 16];
        let count = loop {
            match rustix::io::read(&self.ready, &mut byte) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.call("read(pasta)")?,
            }
        };
        if count > 0 {
            return Ok(Pasta { child: self.child });
        }
        let ended = self.child.wait()?;
        Err(explain(&text(self.messages.as_fd())?, ended))
    }
}

fn text(messages: BorrowedFd<'_>) -> Result<String, sys::Error> {
    let mut buffer = vec![0_u8; MESSAGES as usize];
    let count = rustix::io::pread(messages, &mut buffer, 0).call("pread(pasta's messages)")?;
    buffer.truncate(count);
    let written = buffer.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(written).into_owned())
}

/// From messages to a cause: without the complaints about a missing system logger, the last ones first to be believed.
fn explain(text: &str, ended: Ended) -> Error {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Failed to send")).collect();
    // In getopt(3)'s words, with all of the help behind it.
    let misread = ["unrecognized option", "invalid option", "requires an argument", "is ambiguous"];
    if let Some(line) = lines.iter().find(|line| misread.iter().any(|words| line.contains(words))) {
        return Error::Option(line.trim_start_matches("pasta: ").to_owned());
    }
    let last = lines.len().saturating_sub(3);
    let said = match lines.get(last..).unwrap_or_default() {
        [] => format!("it ended with code {} and said nothing", ended.code()),
        lines => lines.join("; "),
    };
    let no_route = ["External interface not usable", "No external routable interface", "o routable interface"];
    let is_no_route = |line: &&str| no_route.iter().any(|known| line.contains(known));
    if lines.last().is_some_and(is_no_route) { Error::NoRoute(said) } else { Error::Failed(said) }
}

impl Pasta {
    /// Ends it and reaps it: where no pid namespace does.
    pub fn stop(self) -> Result<(), Error> {
        match pidfd_send_signal(&self.child.pidfd, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(sys::Error::new("pidfd_send_signal(pasta)", io::Error::from(error)).into()),
        }
        self.child.wait()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_among_the_messages() {
        let old = "Failed to send 46 bytes to syslog\nNo external routable interface for IPv4\nFailed to send 46 bytes to \
                   syslog\nNo external routable interface for IPv6\nFailed to send 36 bytes to syslog\nExternal interface \
                   not usable\n";
        let error = explain(old, Ended::Exited(1));
        assert!(matches!(error, Error::NoRoute(_)), "{error}");
        assert!(!error.to_string().contains("syslog"));
        // A machine without IPv6 that fails for another reason.
        let other = "No external routable interface for IPv6\nCouldn't open /dev/net/tun: No such file or directory\n";
        assert!(matches!(explain(other, Ended::Exited(1)), Error::Failed(said) if said.contains("/dev/net/tun")));
        let help = "pasta: unrecognized option '--frob'\nUsage: pasta [OPTION]...\n  -d, --debug  Be verbose\n";
        assert!(
            matches!(explain(help, Ended::Exited(1)), Error::Option(said) if said == "unrecognized option '--frob'")
        );
        assert!(explain("", Ended::Signaled(9)).to_string().contains("137"));
    }

    #[test]
    fn it_is_looked_for_in_the_users_folders_first() {
        let folder = std::env::temp_dir().join(format!("coracle-pasta-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("pasta")).unwrap();
        // A directory is no program, and a relative folder would be another one for each of us.
        let missing = find_in([folder.clone(), "bin".into()].into_iter()).unwrap_err();
        assert!(missing.hint().unwrap().contains("the package `passt`"), "{missing}");
        std::fs::remove_dir(folder.join("pasta")).unwrap();
        std::fs::copy("/bin/sh", folder.join("pasta")).unwrap();
        assert_eq!(find(std::slice::from_ref(&folder)).unwrap(), folder.join("pasta"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn messages_can_not_grow_beyond_their_file() {
        let file = messages_file().unwrap();
        let long = vec![b'x'; MESSAGES as usize];
        assert_eq!(rustix::io::write(&file, &long).unwrap(), long.len());
        assert!(rustix::io::write(&file, b"more").is_err());
        assert_eq!(text(file.as_fd()).unwrap().len(), long.len());
    }
}
