//! The files that this program writes for a container, which finds them in /etc and /run.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

use crate::container::record::{Container, HOSTS_NONE, HOSTS_OF_IMAGE, HostAddress, Network};
use crate::container::spec::time_zone;
use crate::container::{Error, Result, apt, networks};
use crate::host::{atomic_file, system_file};
use crate::layer::merged::{Merged, Owners};
use crate::network::HOST;
use crate::network::hosts::{self, Hosts};
use crate::network::resolv::{self, Reach};
use crate::store::Store;
use crate::sys::{self, Call};

/// More of an image's /etc/hosts is not read, in bytes.
const LIMIT: u64 = 256 << 10;

/// Writes them into the container's directory.
pub fn write(store: &Store, container: &Container, directory: &Path) -> Result<()> {
    let [hosts, resolver] = names(store, container, &[])?;
    let files = [
        hosts,
        resolver,
        ("hostname", format!("{}\n", container.hostname)),
        ("containerenv", String::new()),
        (apt::FILE.0, apt::TEXT.to_owned()),
    ];
    for (file, text) in files {
        // Read inside by users that are not root there.
        atomic_file::create(&directory.join(file), text.as_bytes(), 0o644, false)?;
    }
    if let Some(zone) = &container.time_zone {
        atomic_file::create(&directory.join(time_zone::FILE.0), &time_zone::read(zone)?, 0o644, false)?;
    }
    Ok(())
}

/// Writes those anew in which it finds names: it has addresses of its own now, or the machine may have others.
pub fn write_names(store: &Store, container: &Container) -> Result<()> {
    let directory = store.layout().container(&container.id);
    for (file, text) in names(store, container, &networks::addresses(store, container)?)? {
        atomic_file::write_in_place(&directory.join(file), text.as_bytes())?;
    }
    Ok(())
}

/// What names mean inside, and who is asked.
fn names(store: &Store, container: &Container, own_addresses: &[IpAddr]) -> Result<[(&'static str, String); 2]> {
    let is_cut_off = container.network == Network::Named && networks::is_internal(store, container)?;
    let reach = match container.network {
        Network::None => Reach::None,
        Network::Named => Reach::Companion { names: networks::has_names(store, container)? },
        // Whose network is shared has files that are, too.
        Network::Host | Network::Joined => Reach::Host,
        Network::Private => Reach::Private { forward: Some(container.network_options.dns_forward()) },
    };
    let of_machine = match container.network {
        Network::Private if container.network_options.name_an_address() => None,
        Network::Private | Network::Host => hosts::of_machine(),
        Network::Named | Network::None | Network::Joined => None,
    };
    let hosts = Hosts {
        base: &hosts_base(store, container)?,
        added: &container.add_hosts,
        own_names: &[&container.hostname, &container.name],
        own_addresses: match (&of_machine, container.network) {
            (Some(address), Network::Private) => std::slice::from_ref(address),
            _ => own_addresses,
        },
        host_address: match (container.host_address, container.network) {
            (Some(HostAddress::Is(address)), _) => Some(address),
            (Some(HostAddress::Untold), _) => None,
            (None, Network::Named) if is_cut_off => None,
            (None, Network::Private | Network::Named) => {
                container.way_maker().maps_host(&container.helper_folders).then_some(HOST.into())
            }
            (None, Network::Host) => of_machine.or(Some(Ipv4Addr::LOCALHOST.into())),
            (None, Network::None | Network::Joined) => None,
        },
    };
    Ok([
        ("hosts", hosts.text().map_err(|error| Error::Spec(error.to_string()))?),
        ("resolv.conf", resolv::text(&resolv::of_host(reach), reach, &container.resolver)),
    ])
}

/// The lines that /etc/hosts begins with.
fn hosts_base(store: &Store, container: &Container) -> Result<String> {
    let unreadable = |path: &Path| Error::Spec(format!("the hosts file `{}` can't be read", path.display()));
    match container.hosts_base.as_deref() {
        None => Ok(hosts::of_host()),
        Some(path) if path == Path::new(HOSTS_NONE) => Ok(String::new()),
        Some(path) if path == Path::new(HOSTS_OF_IMAGE) => Ok(hosts_of_image(store, container)?),
        Some(path) => system_file::read(path).ok_or_else(|| unreadable(path)),
    }
}

/// What the container's own file system has in /etc/hosts; empty where there is no such file.
fn hosts_of_image(store: &Store, container: &Container) -> sys::Result<String> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = |path: &Path| -> sys::Result<OwnedFd> {
        rustix::fs::openat(CWD, path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))
    };
    let layers = match &container.rootfs {
        Some(rootfs) => vec![(open(&rootfs.path)?, Owners::Foreign)],
        None => {
            let fs = container.layers.iter().rev().map(|diff_id| open(&store.layer_fs(container.mode, diff_id)));
            fs.map(|fs| Ok((fs?, Owners::Disk))).collect::<sys::Result<_>>()?
        }
    };
    let Some(etc) = Merged::root(layers).enter(b"etc")? else { return Ok(String::new()) };
    let entries = etc.entries()?;
    let Some(entry) = entries.iter().find(|entry| entry.name == b"hosts") else { return Ok(String::new()) };
    let Some(file) = etc.open(entry)? else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    std::fs::File::from(file).take(LIMIT).read_to_end(&mut bytes).call("read(etc/hosts)")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
