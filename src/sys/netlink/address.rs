//! Addresses of interfaces, and routes.

use std::net::IpAddr;

use super::super::Result;
use super::{Message, Netlink};

/// `RTNH_F_ONLINK`.
const ON_LINK: u32 = 4;

/// An address and how many of its bits say which network it is of.
pub type Prefixed = (IpAddr, u8);

pub(super) fn family(address: IpAddr) -> u8 {
    (if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET }) as u8
}

pub(super) fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

impl Netlink {
    /// Gives an interface an address, at once and without asking around whether another machine has it. `peer`: what alone is at the
    /// other end. An address that it has already stays.
    pub fn add_address(&self, index: u32, (address, prefix): Prefixed, peer: Option<IpAddr>) -> Result<()> {
        let fixed = [&[family(address), prefix, 0, 0][..], &index.to_ne_bytes()].concat();
        let flags = if address.is_ipv6() { libc::IFA_F_NODAD } else { 0 };
        let message = Message::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &fixed)
            .with(libc::IFA_LOCAL, &bytes(address))
            .with(libc::IFA_ADDRESS, &bytes(peer.unwrap_or(address)))
            .with_number(libc::IFA_FLAGS, flags);
        match self.ask(message, || format!("RTM_NEWADDR({address}/{prefix})")) {
            Err(error) if error.errno() == libc::EEXIST => Ok(()),
            other => other,
        }
    }

    /// All that goes nowhere else goes to this interface; the gateway, if there is one, need not be in the network of an address.
    pub fn add_default_route(&self, index: u32, gateway: Option<IpAddr>, is_ipv4: bool) -> Result<()> {
        let family = if is_ipv4 { libc::AF_INET } else { libc::AF_INET6 } as u8;
        let kind = [libc::RT_TABLE_MAIN, libc::RTPROT_BOOT, libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST];
        let flags = if gateway.is_some() { ON_LINK } else { 0 };
        let fixed = [[family, 0, 0, 0], kind, flags.to_ne_bytes()].concat();
        let mut message =
            Message::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE, &fixed).with_number(libc::RTA_OIF, index);
        if let Some(gateway) = gateway {
            message = message.with(libc::RTA_GATEWAY, &bytes(gateway));
        }
        self.ask(message, || "RTM_NEWROUTE(default)".to_owned())
    }

    /// A way to a network through a machine that an interface leads to.
    pub fn add_route(&self, index: u32, to: Prefixed, gateway: IpAddr, metric: Option<u32>) -> Result<()> {
        let (destination, prefix) = to;
        let fixed = [
            family(destination),
            prefix,
            0,
            0,
            libc::RT_TABLE_MAIN,
            libc::RTPROT_STATIC,
            libc::RT_SCOPE_UNIVERSE,
            libc::RTN_UNICAST,
            0,
            0,
            0,
            0,
        ];
        let mut message = Message::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_EXCL, &fixed)
            .with(libc::RTA_DST, &bytes(destination))
            .with(libc::RTA_GATEWAY, &bytes(gateway))
            .with_number(libc::RTA_OIF, index);
        if let Some(metric) = metric {
            message = message.with_number(libc::RTA_PRIORITY, metric);
        }
        self.ask(message, || format!("RTM_NEWROUTE({destination}/{prefix} via {gateway})"))
    }
}
