//! Which of a container's namespaces are its own, and whose the others are.
//!
//! Containers of an account are siblings: each has a user namespace in U. What belongs to another container's (a network, pids to
//! see, a /proc to mount) can only be used with that one's user namespace, so who joins a container shares that, too.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::record::{Container, Network};
use super::state::Status;
use super::{Error, Result, find};
use crate::runtime::outside::join::Join;
use crate::store::Store;
use crate::sys::Call;

/// Where a namespace comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// The container's own.
    #[default]
    Private,
    Host,
    /// The container with this id.
    Container(String),
    /// A file that stands for it (namespaces(7)).
    Path(PathBuf),
}

/// All but the network's, of which more is to say where it is the container's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    pub pid: Namespace,
    pub ipc: Namespace,
    pub uts: Namespace,
    pub cgroup: Namespace,
    /// Where `network` says that it is another's.
    pub network: Namespace,
    /// Whose user namespace is shared.
    pub user: Option<String>,
    pub shared_memory: SharedMemory,
}

/// What a container with an IPC namespace of its own has at /dev/shm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SharedMemory {
    /// Others may join.
    #[default]
    Shareable,
    Private,
    /// Nothing.
    None,
}

impl Namespace {
    /// As flags and `inspect` have it.
    pub fn mode(&self) -> String {
        match self {
            Self::Private => "private".into(),
            Self::Host => "host".into(),
            Self::Container(id) => format!("container:{id}"),
            Self::Path(path) => format!("ns:{}", path.display()),
        }
    }

    /// As a runtime-spec's path, which for another container is its name for that.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Private | Self::Host => None,
            Self::Container(_) => Some(self.mode().into()),
            Self::Path(path) => Some(path.clone()),
        }
    }

    fn container(&self) -> Option<&str> {
        match self {
            Self::Container(id) => Some(id),
            _ => None,
        }
    }
}

impl Namespaces {
    fn all(&self) -> [(&Namespace, i32); 5] {
        [
            (&self.pid, libc::CLONE_NEWPID),
            (&self.ipc, libc::CLONE_NEWIPC),
            (&self.uts, libc::CLONE_NEWUTS),
            (&self.cgroup, libc::CLONE_NEWCGROUP),
            (&self.network, libc::CLONE_NEWNET),
        ]
    }

    /// The containers that one of them, or the user namespace, is of.
    pub fn containers(&self) -> impl Iterator<Item = &str> {
        self.all().into_iter().filter_map(|(namespace, _)| namespace.container()).chain(self.user.as_deref())
    }

    /// Whether the kernel lets the container mount what shows this namespace: its user namespace must be the owner of both.
    pub fn owns(&self, namespace: &Namespace) -> bool {
        match namespace {
            Namespace::Private => true,
            Namespace::Container(id) => self.user.as_ref() == Some(id),
            Namespace::Host | Namespace::Path(_) => false,
        }
    }

    /// As `--ipc` and `inspect` have it.
    pub fn ipc_mode(&self) -> String {
        match (&self.ipc, self.shared_memory) {
            (Namespace::Private, SharedMemory::Shareable) => "shareable".to_owned(),
            (Namespace::Private, SharedMemory::None) => "none".to_owned(),
            (other, _) => other.mode(),
        }
    }

    /// What init is to enter, the user namespace last: afterwards it may enter no others.
    pub fn joins(&self, store: &Store) -> Result<Vec<Join>> {
        let mut joins = Vec::new();
        for (namespace, flag) in self.all() {
            let fd = match namespace {
                Namespace::Private | Namespace::Host => continue,
                Namespace::Container(id) => init_of(store, id)?,
                Namespace::Path(path) => open(path)?,
            };
            joins.push(Join { flags: flag as u32 as u64, fd });
        }
        if let Some(id) = &self.user {
            joins.push(Join { flags: libc::CLONE_NEWUSER as u64, fd: init_of(store, id)? });
        }
        Ok(joins)
    }
}

/// A descriptor of a running container's init.
fn init_of(store: &Store, id: &str) -> Result<OwnedFd> {
    let found = find::find(store, id)?;
    let state = found.state()?;
    if state.status == Status::Running && !state.is_here() {
        return Err(Error::Elsewhere { id: found.container.short_id().to_owned(), host: state.host });
    }
    let init = state.pidfd().filter(|_| state.status == Status::Running);
    init.ok_or_else(|| Error::NotRunning(found.container.short_id().to_owned()))
}

fn open(path: &Path) -> Result<OwnedFd> {
    Ok(rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .call_with(|| format!("open({})", path.display()))?)
}

impl Container {
    /// The ids of the containers that must run when this one starts, each once.
    pub fn dependencies(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.requires.iter().map(String::as_str).chain(self.namespaces.containers()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// As `--network` and `inspect` call it.
    pub fn network_mode(&self) -> String {
        match self.network {
            Network::Joined => self.namespaces.network.mode(),
            Network::None => "none".to_owned(),
            Network::Host => "host".to_owned(),
            Network::Private => self.way_maker().name().to_owned(),
            Network::Named => "bridge".to_owned(),
        }
    }
}
