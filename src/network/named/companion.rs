//! A container's companion: makes its connections to networks, and then answers who asks for names.
//!
//! It says one word over a sequenced-packet socket: a byte 0 once all is made, or a byte 1 and the reason why not. Afterwards the
//! socket only tells each side that the other lives.

use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};
use serde::{Deserialize, Serialize};

use super::dns::asking::Asking;
use super::dns::server::Companion as Server;
use super::dns::upstream;
use super::dns::zone::Zone;
use super::{Link, plumbing};
use crate::host::dirs::Dirs;
use crate::host::role::{self, Role, Start};
use crate::store::{self, Store};
use crate::sys::process::{Child, raise_descriptor_limit};
use crate::sys::{self, Call, capability, landlock, memory, seccomp};

/// What helps where there are none.
pub const BRIDGES: &str = "an administrator loads the kernel's modules for them with `modprobe -a bridge veth`";
/// How much of a reason is said.
const REASON: usize = 4096;

/// The companion's job. Its descriptors: [`MONITOR`], [`CONTAINER`] and [`NETWORKS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub version: u32,
    pub links: Vec<Link>,
    pub names: Names,
}

/// Whose names are known, and who knows others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The root of the store.
    pub root: PathBuf,
    /// The container's id.
    pub container: String,
    /// Who is asked for other names; empty: those of its networks, or the host's servers. `None`: nobody.
    pub servers: Option<Vec<IpAddr>>,
}

/// Our end of the talk with the monitor.
pub const MONITOR: usize = 0;
/// The container's network namespace.
pub const CONTAINER: usize = 1;
/// N.
pub const NETWORKS: usize = 2;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Role(#[from] role::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the container could not be connected to its networks: {0}")]
    Failed(String),
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Failed(reason) if reason.contains("RTM_NEWLINK(bridge") => Some(BRIDGES.into()),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}

/// A companion at work on the connections.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    talk: OwnedFd,
}

/// A companion that answers.
#[derive(Debug)]
pub struct Companion {
    pub child: Child,
    /// Open as long as it is to.
    _talk: OwnedFd,
}

/// Starts the companion of the container whose network namespace is `container`. This process is root of U, in the host's network.
pub fn start(job: &Job, container: BorrowedFd<'_>, networks: BorrowedFd<'_>) -> Result<Starting, Error> {
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).call("socketpair")?;
    let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let start = Start { role: Role::Net, stdio, fds: vec![theirs.as_fd(), container, networks] };
    let child = start.run(job)?;
    Ok(Starting { child, talk: ours })
}

impl Starting {
    /// Waits until the connections are made.
    pub fn finish(self) -> Result<Companion, Error> {
        let mut word = vec![0; REASON];
        let (count, _) = recv(&self.talk, &mut word, RecvFlags::empty()).call("recv(from the companion)")?;
        match word.get(..count) {
            Some([0]) => Ok(Companion { child: self.child, _talk: self.talk }),
            Some([1, reason @ ..]) => Err(Error::Failed(String::from_utf8_lossy(reason).into_owned())),
            _ => Err(Error::Failed(format!("its companion ended with code {}", self.child.wait()?.code()))),
        }
    }
}

/// In the companion: all that it does. `filter`: what of the kernel is left to it once it answers.
pub fn run(
    job: &Job,
    monitor: &OwnedFd,
    container: OwnedFd,
    networks: OwnedFd,
    filter: &[libc::sock_filter],
) -> Result<(), Error> {
    let made = plumbing::connect(networks.as_fd(), container.as_fd(), &job.links)
        .and_then(|()| plumbing::doors(container.as_fd()));
    drop((container, networks));
    let word = match &made {
        Ok(_) => vec![0],
        Err(error) => [1].into_iter().chain(error.to_string().into_bytes()).take(REASON).collect(),
    };
    send(monitor, &word, SendFlags::NOSIGNAL).call("send(to the monitor)")?;
    let doors = made?;
    let asking = Asking::new(raise_descriptor_limit())?;
    capability::give_up()?;
    let Names { root, container, servers } = &job.names;
    let zone = Zone::new(Store::open(&Dirs::at(root))?, container.clone());
    // From here on a small part of the program serves, perhaps for months.
    memory::release_program_pages();
    confine(root)?;
    seccomp::load_any(filter)?;
    let servers = servers.as_ref().map(|servers| servers.iter().copied().map(upstream::place).collect());
    Ok(Server::new(zone, servers).serve(&doors, monitor.as_fd(), asking).call("poll(companion)")?)
}

/// Leaves this process, which reads packets from inside, no files but the store and what says whom the host asks, and those to read.
fn confine(root: &Path) -> sys::Result<()> {
    let resolver = std::fs::canonicalize("/etc/resolv.conf").ok();
    let places =
        [Some(root), resolver.as_deref().and_then(Path::parent), Some(Path::new("/etc")), Some(Path::new("/run"))];
    let open = |path| rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok();
    let open: Vec<OwnedFd> = places.into_iter().flatten().filter_map(open).collect();
    landlock::confine_to_reading(&open.iter().map(AsFd::as_fd).collect::<Vec<_>>()).map(drop)
}
