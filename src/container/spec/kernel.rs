//! The kernel's own file systems: what shows a namespace is mounted anew where that is the container's own; else it is the host's.

use std::path::Path;

use oci_spec::runtime::{LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType, Mount};

use super::Built;
use crate::container::mount::spec::mount;
use crate::container::namespace::{Namespace, Namespaces, SharedMemory};
use crate::container::record::{Container, Network};
use crate::host::id_map;
use crate::host::subid::IdMaps;

/// The group `tty` of every distribution.
const TTY: u32 = 5;

const SAFE: [&str; 3] = ["nosuid", "noexec", "nodev"];

pub fn namespaces(container: &Container) -> Built<Vec<LinuxNamespace>> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network as Net, Pid, User, Uts};
    let Namespaces { pid, ipc, uts, cgroup, network, user, .. } = &container.namespaces;
    let user = user.clone().map_or(Namespace::Private, Namespace::Container);
    let network = if container.network == Network::Host { &Namespace::Host } else { network };
    let all = [
        (User, &user),
        (Mount, &Namespace::Private),
        (Pid, pid),
        (Ipc, ipc),
        (Uts, uts),
        (Cgroup, cgroup),
        (Net, network),
    ];
    let not_the_hosts = all.into_iter().filter(|(_, namespace)| **namespace != Namespace::Host);
    not_the_hosts
        .map(|(typ, namespace)| {
            let builder = LinuxNamespaceBuilder::default().typ(typ);
            match namespace.path() {
                Some(path) => builder.path(path),
                None => builder,
            }
            .build()
        })
        .collect()
}

/// A new instance of one.
pub fn new(typ: &str, target: &str, options: &[&str]) -> Built<Mount> {
    mount(typ, Path::new(typ), target, options)
}

fn of_host(path: &str, options: &[&str]) -> Built<Mount> {
    mount("bind", Path::new(path), path, &[&["rbind", "rslave"], &SAFE[..], options].concat())
}

pub fn mounts(container: &Container, maps: &IdMaps) -> Built<Vec<Mount>> {
    let proc_options: Vec<&str> = container.kernel.proc_options.iter().map(String::as_str).collect();
    let shm = format!("size={}", container.shm_size);
    let memory = if container.read_only_in_memory { "ro" } else { "rw" };
    let mut pts = vec!["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
    if id_map::outward(&maps.gids, TTY).is_some() {
        pts.push("gid=5");
    }
    let namespaces = &container.namespaces;
    let mut mounts = vec![
        match namespaces.owns(&namespaces.pid) {
            true => new("proc", "/proc", &[&SAFE[..], &proc_options].concat())?,
            false => of_host("/proc", &[])?,
        },
        new("tmpfs", "/dev", &[memory, "nosuid", "noexec", "mode=755", "size=65536k"])?,
        new("devpts", "/dev/pts", &pts)?,
        match namespaces.owns(&namespaces.ipc) {
            true => new("mqueue", "/dev/mqueue", &SAFE)?,
            false => of_host("/dev/mqueue", &["x-optional"])?,
        },
    ];
    mounts.extend(match (&namespaces.ipc, namespaces.shared_memory) {
        (Namespace::Private, SharedMemory::None) => None,
        (Namespace::Private, _) => Some(new("tmpfs", "/dev/shm", &[&SAFE[..], &[memory, "mode=1777", &shm]].concat())?),
        (Namespace::Container(_), _) => Some(new("tmpfs", "/dev/shm", &["x-joined"])?),
        (Namespace::Host | Namespace::Path(_), _) => Some(of_host("/dev/shm", &[])?),
    });
    let writable = if container.privileged { "rw" } else { "ro" };
    if container.network == Network::Host || !namespaces.owns(&namespaces.network) {
        mounts.push(of_host("/sys", &["ro"])?);
    } else {
        mounts.push(new("sysfs", "/sys", &[writable, "nosuid", "noexec", "nodev"])?);
        // On machines with the old hierarchy there may be no mount point for it.
        mounts.push(match namespaces.cgroup {
            Namespace::Private => {
                let writable = if container.systemd.is_some() { "rw" } else { writable };
                new("cgroup2", "/sys/fs/cgroup", &[writable, "nosuid", "noexec", "nodev", "x-optional"])?
            }
            _ => of_host("/sys/fs/cgroup", &["ro", "x-optional"])?,
        });
    }
    Ok(mounts)
}
