//! One binary, several roles: a process starts another role by executing itself.
//!
//! The new process is told its role in a hidden first argument (`@worker`), its *job* as JSON in an anonymous file at
//! descriptor 3, and what else it needs as open descriptors from number 4 on. Nothing else is inherited. An exec leaves
//! no locks of other threads and no foreign memory behind, which a fork of a process that has had threads does.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{MemfdFlags, SeekFrom};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{fault, message};
use crate::sys::process::{self, Child, FIRST_INHERITED, Spawn};
use crate::sys::{self, Call};

/// What a process of this program is for, beside the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Tells a shell what may follow on its command line. It has no job, but words behind its name.
    Completer,
    /// One piece of file work as root of the user's namespace.
    Worker,
    /// The container's parent.
    Monitor,
    /// Serves the FUSE overlay.
    Mounter,
    /// Connects a container to networks, and answers who asks for names there.
    Net,
    /// The parent of a command in a container that runs.
    Joiner,
    /// Hears of the changes of owners that a container's programs ask for.
    Supervisor,
    /// The first process of a container with `--init`.
    Init,
    /// The network stack that is a container's way out.
    Stack,
    /// Fetches a file for a build.
    Fetcher,
    /// Lets a build's command speak to agents for ssh.
    Forwarder,
}

const ROLES: [Role; 11] = [
    Role::Completer,
    Role::Worker,
    Role::Monitor,
    Role::Mounter,
    Role::Net,
    Role::Stack,
    Role::Joiner,
    Role::Supervisor,
    Role::Init,
    Role::Fetcher,
    Role::Forwarder,
];

impl Role {
    /// The hidden first argument.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Completer => "@complete",
            Self::Worker => "@worker",
            Self::Monitor => "@monitor",
            Self::Mounter => "@mounter",
            Self::Net => "@net",
            Self::Joiner => "@joiner",
            Self::Supervisor => "@supervisor",
            Self::Init => "@init",
            Self::Stack => "@stack",
            Self::Fetcher => "@fetcher",
            Self::Forwarder => "@forwarder",
        }
    }

    /// What `ps` shows; the kernel keeps 15 bytes.
    fn process_name(self) -> &'static std::ffi::CStr {
        match self {
            Self::Completer => c"coracle-compl.",
            Self::Worker => c"coracle-worker",
            Self::Monitor => c"coracle-monitor",
            Self::Mounter => c"coracle-mounter",
            Self::Net => c"coracle-net",
            Self::Joiner => c"coracle-joiner",
            Self::Supervisor => c"coracle-superv.",
            Self::Init => c"coracle-init",
            Self::Stack => c"coracle-stack",
            Self::Fetcher => c"coracle-fetcher",
            Self::Forwarder => c"coracle-forward",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("the job of the role is unreadable: {0}")]
    Job(#[from] serde_json::Error),
}

/// The role in which this process was started; `None`: a user typed the command.
pub fn current() -> Option<Role> {
    let argument = std::env::args_os().nth(1)?;
    let role = ROLES.into_iter().find(|role| argument == role.argument())?;
    // The name is for people who look at a process list.
    let _ = rustix::thread::set_name(role.process_name());
    Some(role)
}

/// What a role is started with.
#[derive(Debug)]
pub struct Start<'a> {
    pub role: Role,
    /// Standard input, output and error.
    pub stdio: [BorrowedFd<'a>; 3],
    /// Numbers 4 and up in the new process, in this order: see [`inherited`].
    pub fds: Vec<BorrowedFd<'a>>,
}

impl Start<'_> {
    /// Starts the role with its job.
    pub fn run(&self, job: &impl Serialize) -> Result<Child, Error> {
        fault::point("role: start").call("start a role")?;
        message::debug(|| format!("starting this program as `{}`", self.role.argument()));
        let job = pack(job)?;
        let mut fds = self.stdio.to_vec();
        fds.push(job.as_fd());
        fds.extend_from_slice(&self.fds);
        let spawn =
            Spawn { program: c"/proc/self/exe".to_owned(), args: arguments(self.role), env: environment(), fds };
        Ok(spawn.start()?)
    }
}

/// A job as an anonymous file, read from its start by [`job`].
pub fn pack(job: &impl Serialize) -> Result<OwnedFd, Error> {
    let file = rustix::fs::memfd_create("job", MemfdFlags::CLOEXEC).call("memfd_create")?;
    let bytes = serde_json::to_vec(job)?;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest).call("write(job)")?;
        rest = rest.get(written..).unwrap_or_default();
    }
    rustix::fs::seek(&file, SeekFrom::Start(0)).call("lseek(job)")?;
    Ok(file)
}

/// The argument list that makes this program take a role.
pub fn arguments(role: Role) -> Vec<CString> {
    [Some(c"coracle".to_owned()), CString::new(role.argument()).ok()].into_iter().flatten().collect()
}

/// The environment of this process, as a role started by it gets it.
pub fn environment() -> Vec<CString> {
    use std::os::unix::ffi::OsStringExt;
    std::env::vars_os()
        .filter_map(|(key, value)| {
            let mut pair = key.into_vec();
            pair.push(b'=');
            pair.extend(value.into_vec());
            CString::new(pair).ok()
        })
        .collect()
}

/// In a role: the job. Call it once.
pub fn job<J: DeserializeOwned>() -> Result<J, Error> {
    let file = process::inherited(FIRST_INHERITED)?;
    Ok(serde_json::from_reader(std::io::BufReader::new(std::fs::File::from(file)))?)
}

/// In a role: the descriptor at place `index` of [`Start::fds`]. Call it once for each.
pub fn inherited(index: usize) -> Result<OwnedFd, Error> {
    Ok(process::inherited(FIRST_INHERITED + 1 + index as RawFd)?)
}
