//! The tun device in the container's network namespace, with the addresses and the way out that this machine has.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns};

use super::places::Places;
use super::tun::MTU;
use crate::sys::netlink::Netlink;
use crate::sys::{self, Call, interface};

/// Where this machine has no interface that leads away, whose name it could have.
const NAME: &str = "tun0";

/// Makes it from a thread that enters the namespace for that. An address of IPv6 that the namespace does not take is left out.
pub fn make(namespace: BorrowedFd<'_>, places: &mut Places) -> sys::Result<OwnedFd> {
    std::thread::scope(|scope| {
        let work = || {
            setns(namespace, CloneFlags::CLONE_NEWNET).call("setns(net)")?;
            make_here(places)
        };
        let thread = std::thread::Builder::new().spawn_scoped(scope, work).call("clone")?;
        thread.join().unwrap_or_else(|_| Err(sys::Error::new("make a tun device", std::io::Error::other("a panic"))))
    })
}

fn make_here(places: &mut Places) -> sys::Result<OwnedFd> {
    let name = places.interface.as_deref().unwrap_or(NAME);
    let tun = interface::make_tun(name)?;
    let netlink = Netlink::open()?;
    let index = netlink.index(name)?;
    netlink.set_mtu(index, MTU as u32)?;
    netlink.switch_on(index)?;
    let mut kept = Vec::new();
    for own in &places.own {
        let added = netlink
            .add_address(index, (own.address, own.prefix), None)
            .and_then(|()| netlink.add_default_route(index, own.gateway, own.address.is_ipv4()));
        match added {
            Ok(()) => kept.push(*own),
            Err(_) if own.address.is_ipv6() => {}
            Err(error) => return Err(error),
        }
    }
    places.own = kept;
    Ok(tun)
}
