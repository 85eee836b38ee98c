//! Interfaces: bridges, and pairs of which each end is in a network namespace.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::net::netdevice;

use super::super::{Call, Result};
use super::{Message, Netlink};

/// Of linux/veth.h, which `libc` lacks.
const VETH_INFO_PEER: u16 = 1;

/// An end of a pair.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// `%d` in it becomes a number that is free.
    pub name: &'a str,
    pub mac: Option<[u8; 6]>,
}

/// ifinfomsg: no family, no type; switched on, or only named.
fn info(index: u32, up: bool) -> Vec<u8> {
    let flags = if up { libc::IFF_UP as u32 } else { 0 };
    [[0; 4], index.to_ne_bytes(), flags.to_ne_bytes(), flags.to_ne_bytes()].concat()
}

impl Netlink {
    /// The number of an interface of this socket's namespace.
    pub fn index(&self, name: &str) -> Result<u32> {
        netdevice::name_to_index(&self.socket, name).call_with(|| format!("ioctl(SIOCGIFINDEX, {name})"))
    }

    /// Makes a bridge, which is switched on. One that is there already is left as it is.
    pub fn add_bridge(&self, name: &str, mtu: u32) -> Result<()> {
        let message = Message::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &info(0, true))
            .with_text(libc::IFLA_IFNAME, name)
            .with_number(libc::IFLA_MTU, mtu)
            .with_inner(libc::IFLA_LINKINFO, |inner| inner.with(libc::IFLA_INFO_KIND, b"bridge"));
        match self.ask(message, || format!("RTM_NEWLINK(bridge {name})")) {
            Err(error) if error.errno() == libc::EEXIST => Ok(()),
            other => other,
        }
    }

    /// Makes a pair: `here` switched on, on the bridge with the number `master`, if one is named; `there` in another network namespace,
    /// to be switched on in it, since an end can't be before it has its other.
    pub fn add_pair(
        &self,
        here: End<'_>,
        master: Option<u32>,
        there: End<'_>,
        namespace: BorrowedFd<'_>,
        mtu: u32,
    ) -> Result<()> {
        let end = |message: Message, end: End<'_>| {
            let message = message.with_text(libc::IFLA_IFNAME, end.name).with_number(libc::IFLA_MTU, mtu);
            // As many as are in use by default. Unasked, the kernel makes one for each processor and takes all but one away again,
            // for which it waits until no processor is at them: three times as long.
            let message = message.with_number(libc::IFLA_NUM_TX_QUEUES, 1).with_number(libc::IFLA_NUM_RX_QUEUES, 1);
            if let Some(mac) = end.mac { message.with(libc::IFLA_ADDRESS, &mac) } else { message }
        };
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let mut message = end(Message::new(libc::RTM_NEWLINK, flags, &info(0, true)), here);
        if let Some(master) = master {
            message = message.with_number(libc::IFLA_MASTER, master);
        }
        let message = message.with_inner(libc::IFLA_LINKINFO, |inner| {
            inner.with(libc::IFLA_INFO_KIND, b"veth").with_inner(libc::IFLA_INFO_DATA, |inner| {
                inner.with_inner(VETH_INFO_PEER, |inner| {
                    end(inner.with_raw(&info(0, false)), there)
                        .with_number(libc::IFLA_NET_NS_FD, namespace.as_raw_fd() as u32)
                })
            })
        });
        self.ask(message, || format!("RTM_NEWLINK(veth {})", there.name))
    }

    pub fn switch_on(&self, index: u32) -> Result<()> {
        let message = Message::new(libc::RTM_NEWLINK, 0, &info(index, true));
        self.ask(message, || format!("RTM_NEWLINK({index}, up)"))
    }

    /// Lets it take packets of this size.
    pub fn set_mtu(&self, index: u32, mtu: u32) -> Result<()> {
        let message = Message::new(libc::RTM_NEWLINK, 0, &info(index, false)).with_number(libc::IFLA_MTU, mtu);
        self.ask(message, || format!("RTM_NEWLINK({index}, mtu {mtu})"))
    }

    /// Removes an interface, and the other end of its pair. `false`: it was gone.
    pub fn remove(&self, name: &str) -> Result<bool> {
        let message = Message::new(libc::RTM_DELLINK, 0, &info(0, false)).with_text(libc::IFLA_IFNAME, name);
        match self.ask(message, || format!("RTM_DELLINK({name})")) {
            Err(error) if error.errno() == libc::ENODEV => Ok(false),
            other => other.map(|()| true),
        }
    }
}
