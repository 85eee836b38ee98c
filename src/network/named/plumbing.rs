//! What is made of interfaces and addresses, in N and in a container.
//!
//! All of it happens in threads that end afterwards: each enters namespaces of the network, from which it could not come back to that
//! of the host. The process must be root of U.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{Mode, OFlags};

use super::{Link, NAMES};
use crate::host::fault;
use crate::network::DNS_FORWARD;
use crate::sys::netlink::Netlink;
use crate::sys::netlink::link::End;
use crate::sys::process::{Cloned, clone_single, exit_now};
use crate::sys::{Call, Error, Result};

/// The container's end of the pair to its companion.
const ASKING: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 3);
/// Where a packet that is for another machine would be sent on.
const FORWARDING: [&str; 2] = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];
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
    for setting in FORWARDING {
        match std::fs::read_to_string(setting) {
            Ok(value) if value.trim() == "0" => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Ok(_) => write(setting, b"0")?,
            Err(error) => return Err(Error::new(format!("read({setting})"), error)),
        }
    }
    open(Path::new("/proc/thread-self/ns/net"))
}

/// A setting of the namespace that this thread is in. One that this kernel does not have need not be changed.
fn write(path: &str, value: &[u8]) -> Result<()> {
    match rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => Ok(()),
        file => file.and_then(|file| rustix::io::write(file, value)).map(drop).call_with(|| format!("write({path})")),
    }
}

/// Whether this kernel has all that networks are made of, tried in namespaces that end at once. This process has one thread.
pub fn probe() -> Result<()> {
    let child = match clone_single((libc::CLONE_NEWUSER | libc::CLONE_NEWNET) as u64)? {
        Cloned::Child => {
            let tried = Netlink::open().and_then(|netlink| {
                netlink.add_bridge("trial", super::MTU)?;
                let (here, there) = (End { name: "here", mac: None }, End { name: "there", mac: None });
                let own = open(Path::new("/proc/thread-self/ns/net"))?;
                netlink.add_pair(here, Some(netlink.index("trial")?), there, own.as_fd(), super::MTU)
            });
            exit_now(tried.err().map_or(0, |error| error.errno().clamp(1, 255)))
        }
        Cloned::Parent(child) => child,
    };
    match child.wait()?.code() {
        0 => Ok(()),
        errno => Err(Error::new("RTM_NEWLINK(bridge, veth)", rustix::io::Errno::from_raw_os_error(errno))),
    }
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
            fault::point("plumbing: add a bridge").call("RTM_NEWLINK(bridge)")?;
            netlink.add_bridge(&link.bridge, link.mtu)?;
            let bridge = netlink.index(&link.bridge)?;
            for gateway in &link.gateways {
                netlink.add_address(bridge, *gateway, None)?;
            }
            let here = End { name: "veth%d", mac: None };
            let there = End { name: &link.interface, mac: Some(link.mac) };
            fault::point("plumbing: add a pair").call("RTM_NEWLINK(veth)")?;
            netlink.add_pair(here, Some(bridge), there, container, link.mtu)?;
        }
        Ok(())
    })?;
    within(container, || {
        let netlink = Netlink::open()?;
        for link in links {
            let interface = netlink.index(&link.interface)?;
            // Others on the network are no routers, whatever they announce.
            write(&format!("/proc/sys/net/ipv6/conf/{}/accept_ra", link.interface), b"0")?;
            fault::point("plumbing: switch on").call("RTM_SETLINK")?;
            netlink.switch_on(interface)?;
            for address in &link.addresses {
                netlink.add_address(interface, *address, None)?;
            }
            for route in &link.routes {
                let to = route.destination.nth(0).map(|first| (first, route.destination.prefix()));
                to.map_or(Ok(()), |to| netlink.add_route(interface, to, route.gateway, route.metric))?;
            }
        }
        Ok(())
    })
}

/// Ends a container's connection to a network. `false`: it had none.
pub fn disconnect(namespace: BorrowedFd<'_>, interface: &str) -> Result<bool> {
    fault::point("plumbing: remove an interface").call("RTM_DELLINK")?;
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
fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))
}
