//! What `RUN --mount=type=ssh` shows: sockets behind which agents for ssh answer.
//!
//! An agent answers its own user and root alone (it asks the kernel who has connected), and in a container most users are somebody
//! else on this machine. So nobody in there gets its socket: each mount has a socket of its own, whose owner and mode are the
//! mount's, and a [forwarder](crate::process::forwarder), a process of the user's, carries what is said to the agent and back.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde::{Deserialize, Serialize};

use crate::build::parse::MountSpec;
use crate::build::stage::Stage;
use crate::build::{Error, Result};
use crate::container::mount::{Mount, Source};
use crate::host::role::{Role, Start};
use crate::store::{Store, Tmp};
use crate::sys::Call;
use crate::sys::process::Child;
use crate::sys::signal;

/// Where a command finds them, with their numbers behind it.
const TARGET: &str = "/run/buildkit/ssh_agent.";
/// As BuildKit has it.
const MODE: u32 = 0o600;
/// So many connections wait to be accepted.
const WAITING: i32 = 64;

/// What a forwarder is told. The sockets that it listens on are its descriptors, in this order.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// Whose child it is: it lives no longer.
    pub starter: i32,
    /// The sockets of the agents.
    pub agents: Vec<PathBuf>,
}

/// The owner of what is mounted must be somebody in there, or it would be somebody else's.
pub fn check_owner(stage: &Stage<'_>, kind: &str, uid: u32, gid: u32) -> Result<()> {
    let ids = &stage.build.ids;
    // With one id, whoever asks is that.
    if ids.is_single() || ids.has_user(uid) && ids.has_group(gid) {
        return Ok(());
    }
    Err(Error::Hinted {
        text: format!("`--mount=type={kind}`: this account has no ids for the owner {uid}:{gid}"),
        hint: format!("`uid=` and `gid=` below {} are there; /etc/subuid and /etc/subgid grant more", ids.count()),
    })
}

/// The agents of one command.
#[derive(Default)]
pub struct Agents {
    directory: Option<Tmp>,
    listeners: Vec<OwnedFd>,
    agents: Vec<PathBuf>,
}

/// Who carries what is said, until this is dropped.
pub struct Forwarder {
    child: Child,
    _directory: Option<Tmp>,
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        // One that has ended hears nothing.
        let _ = signal::send(self.child.pidfd.as_fd(), libc::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Agents {
    /// One more; and the variable that the first brings along, which is the one that ssh asks.
    pub fn add(&mut self, stage: &Stage<'_>, spec: &MountSpec, agent: PathBuf) -> Result<(Mount, Option<String>)> {
        let (uid, gid) = (spec.uid.unwrap_or(0), spec.gid.unwrap_or(0));
        check_owner(stage, "ssh", uid, gid)?;
        let number = self.agents.len();
        let target = spec.target.as_ref().map_or_else(|| format!("{TARGET}{number}"), |target| stage.absolute(target));
        let (listener, path) = self.listen(stage.build.request.store, spec.mode.unwrap_or(MODE))?;
        self.listeners.push(listener);
        self.agents.push(agent);
        let variable = (number == 0).then(|| format!("SSH_AUTH_SOCK={target}"));
        let owner = format!("x-owner={uid}:{gid}");
        Ok((Mount { source: Source::Bind(path), target, options: vec![owner], overlay: None }, variable))
    }

    fn listen(&mut self, store: &Store, mode: u32) -> Result<(OwnedFd, PathBuf)> {
        let directory = match &self.directory {
            Some(directory) => directory,
            None => self.directory.insert(store.tmp_dir()?),
        };
        let name = format!("agent.{}", self.agents.len());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let within = rustix::fs::open(directory.path(), flags, Mode::empty()).call("open(directory of agents)")?;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .call("socket(AF_UNIX)")?;
        // Through a descriptor: an address has room for 108 bytes.
        let address =
            SocketAddrUnix::new(format!("/proc/self/fd/{}/{name}", within.as_raw_fd())).call("bind(agent)")?;
        rustix::net::bind(&socket, &address).call("bind(agent)")?;
        rustix::fs::chmodat(&within, &*name, Mode::from_raw_mode(mode), AtFlags::empty()).call("chmod(agent)")?;
        rustix::net::listen(&socket, WAITING).call("listen(agent)")?;
        Ok((socket, directory.path().join(name)))
    }

    /// Starts who carries what is said, if there is any agent.
    pub fn forward(self) -> Result<Option<Forwarder>> {
        if self.agents.is_empty() {
            return Ok(None);
        }
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        let null = null.call("open(/dev/null)")?;
        let start = Start {
            role: Role::Forwarder,
            stdio: [null.as_fd(), null.as_fd(), null.as_fd()],
            fds: self.listeners.iter().map(AsFd::as_fd).collect(),
        };
        let starter = rustix::process::getpid().as_raw_nonzero().get();
        let child = start.run(&Job { starter, agents: self.agents }).map_err(crate::layer::Error::from)?;
        Ok(Some(Forwarder { child, _directory: self.directory }))
    }
}
