//! Namespaces that are not the container's own, and the containers that it needs.

use clap::Args;

use super::value::absolute;
use crate::cli::Report;
use crate::container::find::find;
use crate::container::namespace::{Namespace, SharedMemory};
use crate::container::record::{Container, Network};
use crate::store::Store;

#[derive(Debug, Args)]
#[command(next_help_heading = "Namespaces")]
#[group(skip)]
pub struct Flags {
    /// `private`, `host`, `container:NAME` or `ns:PATH`
    #[arg(long, value_name = "MODE")]
    cgroupns: Option<String>,
    /// `shareable`, `private`, `none` (no /dev/shm), `host`, `container:NAME` or `ns:PATH`
    #[arg(long, value_name = "MODE")]
    ipc: Option<String>,
    /// `private`, `host` or `container:NAME`
    #[arg(long, value_name = "MODE")]
    pid: Option<String>,
    /// Start these containers first
    #[arg(long, value_name = "CONTAINER", value_delimiter = ',')]
    requires: Vec<String>,
    /// `private`, `host`, `container:NAME` or `ns:PATH`
    #[arg(long, value_name = "MODE")]
    uts: Option<String>,
}

impl Flags {
    /// The network is known. `hostname`: one was asked for.
    pub fn fill(&self, store: &Store, container: &mut Container, hostname: bool) -> Result<(), Report> {
        let namespace = |mode: &Option<String>| namespace(store, mode.as_deref().unwrap_or_default());
        let namespaces = &mut container.namespaces;
        (namespaces.ipc, namespaces.shared_memory) = match self.ipc.as_deref() {
            Some("none") => (Namespace::Private, SharedMemory::None),
            Some("private") => (Namespace::Private, SharedMemory::Private),
            Some("shareable") => (Namespace::Private, SharedMemory::Shareable),
            _ => (namespace(&self.ipc)?, SharedMemory::Shareable),
        };
        namespaces.pid = namespace(&self.pid)?;
        namespaces.uts = namespace(&self.uts)?;
        namespaces.cgroup = namespace(&self.cgroupns)?;
        if let Namespace::Path(path) = &namespaces.pid {
            return Err(Report::new(format!("the pid namespace `{}` can't be entered by its path", path.display()))
                .hint("`--pid=container:NAME` enters that of a container"));
        }
        if let Namespace::Container(id) = &namespaces.ipc {
            let shared = &find(store, id)?.container.namespaces;
            if shared.ipc == Namespace::Private && shared.shared_memory != SharedMemory::Shareable {
                return Err(Report::new(format!("cannot use IPC namespace of container {id}: non-shareable IPC"))
                    .hint("make that container with `--ipc=shareable`"));
            }
        }
        if hostname && namespaces.uts != Namespace::Private {
            return Err(Report::new(format!(
                "cannot set hostname when running in the {} UTS namespace",
                if namespaces.uts == Namespace::Host { "host" } else { "another container's" }
            )));
        }
        match &namespaces.uts {
            Namespace::Private => {}
            Namespace::Container(id) => container.hostname = find(store, id)?.container.hostname,
            Namespace::Host | Namespace::Path(_) => {
                container.hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
            }
        }
        for name in &self.requires {
            let found = find(store, name).map_err(|error| {
                Report::new(format!("\"{name}\" is not a valid container, cannot be used as a dependency: {error}"))
                    .hint("`coracle ps -a` lists all containers")
            })?;
            container.requires.push(found.container.id);
        }
        Ok(())
    }
}

/// `--network` where it is not the container's own.
pub fn join_network(store: &Store, container: &mut Container, mode: &str) -> Result<(), Report> {
    container.namespaces.network = namespace(store, mode)?;
    container.network = Network::Joined;
    Ok(())
}

/// `private`, `host`, `container:NAME`, `ns:PATH`.
fn namespace(store: &Store, mode: &str) -> Result<Namespace, Report> {
    match mode.split_once(':').unwrap_or((mode, "")) {
        ("" | "private", "") => Ok(Namespace::Private),
        ("host", "") => Ok(Namespace::Host),
        ("container", name) if !name.is_empty() => Ok(Namespace::Container(find(store, name)?.container.id)),
        ("ns", path) if !path.is_empty() => {
            let path = absolute(path)?;
            match path.try_exists() {
                Ok(true) => Ok(Namespace::Path(path)),
                _ => Err(Report::new(format!("cannot find specified namespace path: {}", path.display()))),
            }
        }
        _ => Err(Report::new(format!("unrecognized namespace mode {mode} passed"))
            .hint("`private`, `host`, `container:NAME` and `ns:PATH` are known")),
    }
}
