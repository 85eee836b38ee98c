//! What the kernel is asked of addresses and routes: a message that is answered with others.

use std::io;
use std::net::IpAddr;

use rustix::net::{RecvFlags, SendFlags, netdevice, netlink::SocketAddrNetlink, recv, sendto};

use super::super::{Call, Error, Result};
use super::address::{bytes, family};
use super::{HEADER, Message, Netlink};

/// A network that an address is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub address: IpAddr,
    /// In bits.
    pub prefix: u8,
    /// The number of the interface that has it.
    pub interface: u32,
    /// Not of this machine or this link alone.
    pub is_global: bool,
}

/// How packets to some address leave this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub interface: u32,
    pub gateway: Option<IpAddr>,
    pub source: IpAddr,
}

/// More than any answer has at once, in bytes.
const LARGEST: usize = 64 << 10;
/// A dump of more is not read, in bytes.
const MOST: usize = 4 << 20;

const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;

impl Netlink {
    /// How a packet to this address would go; nothing is sent.
    pub fn route_to(&self, address: IpAddr) -> Result<Route> {
        let to = bytes(address);
        let fixed = [family(address), 8 * to.len() as u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let message = Message::new(libc::RTM_GETROUTE, 0, &fixed).with(libc::RTA_DST, &to);
        let describe = || format!("RTM_GETROUTE({address})");
        let answers = self.question(message, describe)?;
        let route = answers.iter().find_map(|answer| {
            let body = answer.get(12..)?;
            let number = find(body, libc::RTA_OIF)?.try_into().ok()?;
            let gateway = find(body, libc::RTA_GATEWAY).and_then(to_address);
            let source = find(body, libc::RTA_PREFSRC).and_then(to_address)?;
            Some(Route { interface: u32::from_ne_bytes(number), gateway, source })
        });
        route.ok_or_else(|| Error::new(describe(), io::Error::from_raw_os_error(libc::ENETUNREACH)))
    }

    /// All addresses of this network namespace.
    pub fn addresses(&self) -> Result<Vec<Address>> {
        let message = Message::new(libc::RTM_GETADDR, libc::NLM_F_DUMP, &[0; 8]);
        let answers = self.question(message, || "RTM_GETADDR".to_owned())?;
        let address = |answer: &Vec<u8>| {
            let (&[_, prefix, _, scope, number @ ..], body) = answer.split_first_chunk::<8>()?;
            // Of a point-to-point link the other one is that of the peer.
            let own = find(body, libc::IFA_LOCAL).or_else(|| find(body, libc::IFA_ADDRESS))?;
            let is_global = scope == libc::RT_SCOPE_UNIVERSE;
            Some(Address { address: to_address(own)?, prefix, interface: u32::from_ne_bytes(number), is_global })
        };
        Ok(answers.iter().filter_map(address).collect())
    }

    /// The name of an interface of this socket's namespace.
    pub fn name(&self, index: u32) -> Result<String> {
        netdevice::index_to_name(&self.socket, index).call_with(|| format!("ioctl(SIOCGIFNAME, {index})"))
    }

    /// The bodies of all answers.
    fn question(&self, message: Message, describe: impl Fn() -> String) -> Result<Vec<Vec<u8>>> {
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&self.socket, &message.finish(), SendFlags::empty(), &kernel).call("sendto(AF_NETLINK)")?;
        let (mut answers, mut total) = (Vec::new(), 0);
        let mut buffer = vec![0; LARGEST];
        loop {
            let (count, _) = recv(&self.socket, buffer.as_mut_slice(), RecvFlags::empty()).call("recv(AF_NETLINK)")?;
            total += count;
            let mut rest = buffer.get(..count).unwrap_or_default();
            if rest.is_empty() || total > MOST {
                return Err(Error::new(describe(), io::Error::from(io::ErrorKind::InvalidData)));
            }
            while let Some((kind, body, next)) = first_message(rest) {
                match (kind, body.first_chunk().map_or(0, |number| i32::from_ne_bytes(*number))) {
                    (DONE, _) | (ERROR, 0) => return Ok(answers),
                    (ERROR, number) => {
                        return Err(Error::new(describe(), io::Error::from_raw_os_error(number.wrapping_neg())));
                    }
                    _ => answers.push(body.to_vec()),
                }
                rest = next;
            }
        }
    }
}

/// Its kind, its body, and what follows it.
fn first_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let body = bytes.get(HEADER..length)?;
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// The value of the first attribute of this kind.
fn find(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = u16::from_ne_bytes(*bytes.first_chunk()?) as usize;
        let kind = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
        let value = bytes.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

fn to_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::from(*bytes.first_chunk::<4>()?)),
        16 => Some(IpAddr::from(*bytes.first_chunk::<16>()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_its_loopback() {
        let netlink = Netlink::open().unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let all = netlink.addresses().unwrap();
        let own = all.iter().find(|one| one.address == loopback).unwrap();
        assert!(own.prefix == 8 && !own.is_global, "{own:?}");
        let route = netlink.route_to(loopback).unwrap();
        assert_eq!((route.interface, route.gateway, route.source), (own.interface, None, loopback));
    }

    #[test]
    fn what_is_cut_is_no_message() {
        let fixed = [2, 32, 0, 0];
        let whole = Message::new(26, 0, &fixed).with(1, &[192, 0, 2, 7]).with(4, &[9]).finish();
        let (kind, body, rest) = first_message(&whole).unwrap();
        assert_eq!((kind, rest.len(), find(&body[4..], 4)), (26, 0, Some(&[9][..])));
        assert_eq!(find(&body[4..], 1).and_then(to_address), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(find(&body[4..], 5), None);
        for length in 0..whole.len() - 3 {
            assert!(first_message(&whole[..length]).is_none(), "{length}");
        }
    }
}
