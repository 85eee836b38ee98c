//! What is made of interfaces and addresses, in N and in a container.
//!
//! All of it happens in threads that end afterwards: each enters namespaces of the network, from which it could not come back to that
//! of the host. The process must be root of U.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{Mode, OFlags};

use super::{Link, NAMES};
use crate::network::DNS_FORWARD;
use crate::sys::netlink::Netlink;
use crate::sys::netlink::link::End;
use crate::sys::{Call, Error, Result};

/// The container's end of the pair to its companion.
const ASKING: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 3);
/// Where a packet that is for another machine would be sent on.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
/// The companion's end of that pair.
const COMPANION: &str = "companion";

/// Where a companion is asked.
#[derive(Debug)]
pub struct Doors {
    pub udp: UdpSocket,
    pub tcp: TcpListener,
}

/// A new N, in which this thread is then. A machine that forwards packets lets its new namespaces do so, too.
pub fn make() -> Result<OwnedFd> {
    unshare(CloneFlags::CLONE_NEWNET).call("unshare(net)")?;
    if std::fs::read_to_string(FORWARDING).call_with(|| format!("read({FORWARDING})"))?.trim() != "0" {
        let file = rustix::fs::open(FORWARDING, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        file.and_then(|file| rustix::io::write(file, b"0")).call_with(|| format!("write({FORWARDING})"))?;
    }
    open(Path::new("/proc/thread-self/ns/net"))
}

/// Does something in a network namespace.
fn within<T: Send>(namespace: BorrowedFd<'_>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    apart(|| setns(namespace, CloneFlags::CLONE_NEWNET).call("setns(net)").and_then(|()| work()))
}

/// In a thread of its own.
fn apart<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let ended = std::thread::Builder::new().spawn_scoped(scope, work).call("clone(thread)")?.join();
        ended.unwrap_or_else(|_| Err(Error::new("clone(thread)", rustix::io::Errno::CANCELED)))
    })
}

/// Connects a container to networks, whose bridges are made if they are missing.
pub fn connect(n: BorrowedFd<'_>, container: BorrowedFd<'_>, links: &[Link]) -> Result<()> {
    within(n, || {
        let netlink = Netlink::open()?;
        for link in links {
            netlink.add_bridge(&link.bridge, link.mtu)?;
            let bridge = netlink.index(&link.bridge)?;
            for gateway in &link.gateways {
                netlink.add_address(bridge, *gateway, None)?;
            }
            let here = End { name: "veth%d", mac: None };
            let there = End { name: &link.interface, mac: Some(link.mac) };
            netlink.add_pair(here, Some(bridge), there, container, link.mtu)?;
        }
        Ok(())
    })?;
    within(container, || {
        let netlink = Netlink::open()?;
        for link in links {
            let interface = netlink.index(&link.interface)?;
            netlink.switch_on(interface)?;
            for address in &link.addresses {
                netlink.add_address(interface, *address, None)?;
            }
            // Several subnets may want the same.
            for route in &link.routes {
                let to = route.to.nth(0).map(|first| (first, route.to.prefix()));
                to.map_or(Ok(()), |to| netlink.add_route(interface, to, route.gateway, route.metric))?;
            }
        }
        Ok(())
    })
}

/// Ends a container's connection to a network. `false`: it had none.
pub fn disconnect(namespace: BorrowedFd<'_>, interface: &str) -> Result<bool> {
    within(namespace, || Netlink::open()?.remove(interface))
}

/// Makes the place at which a container asks its companion, and listens there.
pub fn doors(container: BorrowedFd<'_>) -> Result<Doors> {
    let doors = apart(|| {
        unshare(CloneFlags::CLONE_NEWNET).call("unshare(net)")?;
        let netlink = Netlink::open()?;
        let end = |name| End { name, mac: None };
        netlink.add_pair(end(COMPANION), None, end(NAMES), container, super::MTU)?;
        let place = IpAddr::V4(DNS_FORWARD);
        netlink.add_address(netlink.index(COMPANION)?, (place, 32), Some(ASKING.into()))?;
        let place = SocketAddr::new(place, 53);
        let udp = UdpSocket::bind(place).call_with(|| format!("bind({place}/udp)"))?;
        let tcp = TcpListener::bind(place).call_with(|| format!("bind({place}/tcp)"))?;
        Ok(Doors { udp, tcp })
    })?;
    within(container, || {
        let netlink = Netlink::open()?;
        let interface = netlink.index(NAMES)?;
        netlink.switch_on(interface)?;
        netlink.add_address(interface, (ASKING.into(), 32), Some(DNS_FORWARD.into()))
    })?;
    Ok(doors)
}

/// The network namespace of a process.
pub fn of_process(pid: i32) -> Result<OwnedFd> {
    open(Path::new(&format!("/proc/{pid}/ns/net")))
}

/// A network namespace by a path that stands for it.
pub fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))
}
