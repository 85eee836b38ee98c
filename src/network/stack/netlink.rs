//! What the kernel is asked and told of addresses and routes (rtnetlink(7)), a message at a time.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netdevice, recv, send, socket_with};

use crate::sys::{self, Call};

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

/// A socket in the network namespace of the thread that opened it.
#[derive(Debug)]
pub struct Netlink(OwnedFd);

const HEADER: usize = 16;
/// More than any answer has at once, in bytes.
const LARGEST: usize = 64 << 10;
/// A dump of more is not read, in bytes.
const MOST: usize = 4 << 20;

const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;
/// `RTNH_F_ONLINK`: the gateway need not be in the network of an address.
const ON_LINK: u32 = 4;
/// `IFA_F_NODAD`: nobody else can have it.
const NOT_CHECKED: u8 = 2;

impl Netlink {
    pub fn open() -> sys::Result<Self> {
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None);
        socket.call("socket(AF_NETLINK)").map(Self)
    }

    /// How a packet to this address would go; nothing is sent.
    pub fn route_to(&self, address: IpAddr) -> sys::Result<Route> {
        let mut message = Message::new(&[family(address), bits(address), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        message.add_address(libc::RTA_DST, address);
        let answers = self.ask(libc::RTM_GETROUTE, 0, message, "netlink(RTM_GETROUTE)")?;
        let route = answers.iter().find_map(|answer| {
            let body = answer.get(12..)?;
            let number = find(body, libc::RTA_OIF)?.try_into().ok()?;
            let gateway = find(body, libc::RTA_GATEWAY).and_then(to_address);
            let source = find(body, libc::RTA_PREFSRC).and_then(to_address)?;
            Some(Route { interface: u32::from_ne_bytes(number), gateway, source })
        });
        route.ok_or_else(|| sys::Error::new("netlink(RTM_GETROUTE)", io::Error::from_raw_os_error(libc::ENETUNREACH)))
    }

    /// All addresses of this network namespace.
    pub fn addresses(&self) -> sys::Result<Vec<Address>> {
        let answers = self.ask(libc::RTM_GETADDR, libc::NLM_F_DUMP, Message::new(&[0; 8]), "netlink(RTM_GETADDR)")?;
        let address = |answer: &Vec<u8>| {
            let (&[_, prefix, _, scope, number @ ..], body) = answer.split_first_chunk::<8>()?;
            // Of a point-to-point link the other one is that of the peer.
            let own = find(body, libc::IFA_LOCAL).or_else(|| find(body, libc::IFA_ADDRESS))?;
            let is_global = scope == libc::RT_SCOPE_UNIVERSE;
            Some(Address { address: to_address(own)?, prefix, interface: u32::from_ne_bytes(number), is_global })
        };
        Ok(answers.iter().filter_map(address).collect())
    }

    pub fn name_of(&self, interface: u32) -> sys::Result<String> {
        netdevice::index_to_name(&self.0, interface).call_with(|| format!("ioctl(SIOCGIFNAME, {interface})"))
    }

    pub fn number_of(&self, interface: &str) -> sys::Result<u32> {
        netdevice::name_to_index(&self.0, interface).call_with(|| format!("ioctl(SIOCGIFINDEX, {interface})"))
    }

    /// Switches an interface on, for packets of this size.
    pub fn bring_up(&self, interface: u32, mtu: u32) -> sys::Result<()> {
        let up = (libc::IFF_UP as u32).to_ne_bytes();
        let mut message = Message::new(&[[0; 4], interface.to_ne_bytes(), up, up].concat());
        message.add(libc::IFLA_MTU, &mtu.to_ne_bytes());
        self.ask(libc::RTM_NEWLINK, 0, message, "netlink(RTM_NEWLINK)").map(drop)
    }

    pub fn add_address(&self, interface: u32, address: IpAddr, prefix: u8) -> sys::Result<()> {
        let head = [family(address), prefix, NOT_CHECKED, libc::RT_SCOPE_UNIVERSE];
        let mut message = Message::new(&[head, interface.to_ne_bytes()].concat());
        message.add_address(libc::IFA_LOCAL, address);
        message.add_address(libc::IFA_ADDRESS, address);
        self.ask(libc::RTM_NEWADDR, libc::NLM_F_CREATE, message, "netlink(RTM_NEWADDR)").map(drop)
    }

    /// All that goes nowhere else goes to this interface.
    pub fn add_default_route(&self, interface: u32, source: IpAddr, gateway: Option<IpAddr>) -> sys::Result<()> {
        let kind = [libc::RT_TABLE_MAIN, libc::RTPROT_BOOT, libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST];
        let flags = if gateway.is_some() { ON_LINK } else { 0 };
        let mut message = Message::new(&[[family(source), 0, 0, 0], kind, flags.to_ne_bytes()].concat());
        message.add(libc::RTA_OIF, &interface.to_ne_bytes());
        if let Some(gateway) = gateway {
            message.add_address(libc::RTA_GATEWAY, gateway);
        }
        self.ask(libc::RTM_NEWROUTE, libc::NLM_F_CREATE, message, "netlink(RTM_NEWROUTE)").map(drop)
    }

    /// The bodies of all answers.
    fn ask(&self, kind: u16, flags: i32, message: Message, name: &'static str) -> sys::Result<Vec<Vec<u8>>> {
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags;
        send(&self.0, &message.finish(kind, flags as u16), SendFlags::empty()).call(name)?;
        let (mut answers, mut total) = (Vec::new(), 0);
        let mut buffer = vec![0; LARGEST];
        loop {
            let (count, _) = recv(&self.0, buffer.as_mut_slice(), RecvFlags::empty()).call(name)?;
            total += count;
            let mut rest = buffer.get(..count).unwrap_or_default();
            if rest.is_empty() || total > MOST {
                return Err(sys::Error::new(name, io::Error::from(io::ErrorKind::InvalidData)));
            }
            while let Some((kind, body, next)) = first_message(rest) {
                match (kind, body.first_chunk().map_or(0, |number| i32::from_ne_bytes(*number))) {
                    (DONE, _) | (ERROR, 0) => return Ok(answers),
                    (ERROR, number) => return Err(sys::Error::new(name, io::Error::from_raw_os_error(-number))),
                    _ => answers.push(body.to_vec()),
                }
                rest = next;
            }
        }
    }
}

/// A message in the making: its header is put before it in the end.
struct Message(Vec<u8>);

impl Message {
    fn new(body: &[u8]) -> Self {
        Self([&[0; HEADER], body].concat())
    }

    fn add(&mut self, kind: u16, value: &[u8]) {
        self.0.extend((value.len() as u16 + 4).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn add_address(&mut self, kind: u16, address: IpAddr) {
        match address {
            IpAddr::V4(four) => self.add(kind, &four.octets()),
            IpAddr::V6(six) => self.add(kind, &six.octets()),
        }
    }

    fn finish(mut self, kind: u16, flags: u16) -> Vec<u8> {
        let length = (self.0.len() as u32).to_ne_bytes();
        let header = length.into_iter().chain(kind.to_ne_bytes()).chain(flags.to_ne_bytes());
        self.0.iter_mut().zip(header).for_each(|(place, byte)| *place = byte);
        self.0
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

fn family(address: IpAddr) -> u8 {
    (if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }) as u8
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
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
        let mut message = Message::new(&[2, 32, 0, 0]);
        message.add_address(1, "192.0.2.7".parse().unwrap());
        message.add(4, &[9]);
        let whole = message.finish(26, 1);
        let (kind, body, rest) = first_message(&whole).unwrap();
        assert_eq!((kind, rest.len(), find(&body[4..], 4)), (26, 0, Some(&[9][..])));
        assert_eq!(find(&body[4..], 1).and_then(to_address), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(find(&body[4..], 5), None);
        for length in 0..whole.len() {
            assert!(first_message(&whole[..length]).is_none() || length >= whole.len() - 3);
        }
    }
}
