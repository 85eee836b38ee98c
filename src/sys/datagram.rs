//! Datagrams of a socket that is bound to all addresses of this machine: to which of them one came, so that the answer goes from there
//! (ip(7), ipv6(7): IP_PKTINFO, IPV6_PKTINFO).

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use rustix::io::Errno;

/// Room for one message of the kernel's beside a datagram, aligned as its header must be.
type Beside = [u64; 8];

/// An address of this machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Local {
    pub address: IpAddr,
    /// The interface by number, where an address of IPv6 says nothing without one; else 0.
    pub interface: u32,
}

/// A datagram that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// How many bytes.
    pub count: usize,
    pub peer: SocketAddr,
    /// Where it came; `None`: the kernel was not asked ([`tell_places`]), or the address is one of many machines.
    pub to: Option<Local>,
}

/// Has the kernel tell of each datagram where it came.
pub fn tell_places(socket: BorrowedFd<'_>, is_ipv6: bool) -> Result<(), Errno> {
    let (level, option) =
        if is_ipv6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) } else { (libc::IPPROTO_IP, libc::IP_PKTINFO) };
    let yes: libc::c_int = 1;
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the option's value is an int that outlives the call, whose size is told; the descriptor is open.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const yes).cast(), size) };
    if result == 0 { Ok(()) } else { Err(errno()) }
}

/// The next datagram, or EAGAIN.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Received, Errno> {
    // SAFETY: all-zero is a valid value of these plain structures of C: an address of no family, and a message without parts.
    let (mut name, mut message): (libc::sockaddr_storage, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
    let mut beside: Beside = [0; 8];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = beside.as_mut_ptr().cast();
    message.msg_controllen = size_of::<Beside>() as _;
    // SAFETY: the message names memory of the told sizes, which is writable and outlives the call; the descriptor is open.
    let count = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let count = usize::try_from(count).map_err(|_| errno())?;
    let peer = address(&name).ok_or(Errno::AFNOSUPPORT)?;
    Ok(Received { count, peer, to: place(&message) })
}

/// Sends one to this peer, from this address of this machine's, or from whichever suits.
pub fn send(socket: BorrowedFd<'_>, data: &[u8], to: SocketAddr, from: Option<Local>) -> Result<(), Errno> {
    // SAFETY: as in `receive`.
    let (mut name, mut message): (libc::sockaddr_storage, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
    let mut beside: Beside = [0; 8];
    let mut part = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    message.msg_name = (&raw mut name).cast();
    message.msg_namelen = write_address(&mut name, to);
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if let Some(from) = from {
        message.msg_control = beside.as_mut_ptr().cast();
        message.msg_controllen = size_of::<Beside>() as _;
        message.msg_controllen = write_place(&message, from);
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the message names memory of the told sizes that outlives the call and that sendmsg(2) only reads; the descriptor is
    // open.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) };
    if sent >= 0 { Ok(()) } else { Err(errno()) }
}

fn errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let name = ptr::from_ref(name);
    // SAFETY: a sockaddr_storage has the size and the alignment of every address; the kernel has filled in one of this family.
    match i32::from(unsafe { (*name).ss_family }) {
        libc::AF_INET => {
            // SAFETY: as above, and the family is this structure's.
            let four = unsafe { *name.cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from_bits(u32::from_be(four.sin_addr.s_addr));
            Some(SocketAddrV4::new(address, u16::from_be(four.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above, and the family is this structure's.
            let six = unsafe { *name.cast::<libc::sockaddr_in6>() };
            let (address, port) = (Ipv6Addr::from(six.sin6_addr.s6_addr), u16::from_be(six.sin6_port));
            Some(SocketAddrV6::new(address, port, six.sin6_flowinfo, six.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// How long it is.
fn write_address(name: &mut libc::sockaddr_storage, address: SocketAddr) -> libc::socklen_t {
    let name = ptr::from_mut(name);
    match address {
        SocketAddr::V4(four) => {
            let address = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: four.port().to_be(),
                sin_addr: libc::in_addr { s_addr: four.ip().to_bits().to_be() },
                sin_zero: [0; 8],
            };
            // SAFETY: a sockaddr_storage has the size and the alignment of every address.
            unsafe { name.cast::<libc::sockaddr_in>().write(address) };
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(six) => {
            let address = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: six.port().to_be(),
                sin6_flowinfo: six.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: six.ip().octets() },
                sin6_scope_id: six.scope_id(),
            };
            // SAFETY: as above.
            unsafe { name.cast::<libc::sockaddr_in6>().write(address) };
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

/// What the kernel says beside a datagram.
fn place(message: &libc::msghdr) -> Option<Local> {
    // SAFETY: the message and what it names have been filled in by recvmsg(2), with the length of what is beside it.
    let header = unsafe { libc::CMSG_FIRSTHDR(message).as_ref() }?;
    // SAFETY: the header is one of that message.
    let data = unsafe { libc::CMSG_DATA(header) };
    match (header.cmsg_level, header.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            // SAFETY: a message of this type has this structure, wherever it lies.
            let found = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
            // For what was sent to many, the one of this machine's that stands for it.
            let address = Ipv4Addr::from_bits(u32::from_be(found.ipi_spec_dst.s_addr));
            Some(Local { address: address.into(), interface: 0 }).filter(|_| !address.is_unspecified())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            // SAFETY: as above.
            let found = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
            let address = Ipv6Addr::from(found.ipi6_addr.s6_addr);
            let interface = if address.is_unicast_link_local() { found.ipi6_ifindex as u32 } else { 0 };
            Some(Local { address: address.into(), interface }).filter(|_| !address.is_multicast())
        }
        _ => None,
    }
}

/// Writes into the room that the message names; how much of it is used.
fn write_place(message: &libc::msghdr, from: Local) -> usize {
    let (level, kind, size) = match from.address {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO, size_of::<libc::in_pktinfo>()),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, size_of::<libc::in6_pktinfo>()),
    };
    // SAFETY: the message names a room of 64 aligned bytes, in which a header and either structure have place.
    let header = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: the header is in that room, which nothing else refers to; what follows it has place for the structure.
    unsafe {
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = libc::CMSG_LEN(size as u32) as _;
        let data = libc::CMSG_DATA(header);
        match from.address {
            IpAddr::V4(address) => {
                let zero = libc::in_addr { s_addr: 0 };
                let source = libc::in_addr { s_addr: address.to_bits().to_be() };
                let place = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: zero };
                data.cast::<libc::in_pktinfo>().write_unaligned(place);
            }
            IpAddr::V6(address) => {
                let source = libc::in6_addr { s6_addr: address.octets() };
                let place = libc::in6_pktinfo { ipi6_addr: source, ipi6_ifindex: from.interface as _ };
                data.cast::<libc::in6_pktinfo>().write_unaligned(place);
            }
        }
        libc::CMSG_SPACE(size as u32) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    use super::*;

    /// To every address of the loopback, on one socket: the answer comes from there.
    #[test]
    fn an_answer_goes_from_where_it_was_asked() {
        for (all, places) in [("0.0.0.0:0", &["127.0.0.1", "127.0.0.2"][..]), ("[::]:0", &["::1"])] {
            let Ok(socket) = UdpSocket::bind(all) else { continue };
            tell_places(socket.as_fd(), all.starts_with('[')).unwrap();
            let port = socket.local_addr().unwrap().port();
            for place in places {
                let address: IpAddr = place.parse().unwrap();
                let asking = UdpSocket::bind(all).unwrap();
                if asking.connect((address, port)).is_err() {
                    continue;
                }
                asking.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
                asking.send(b"ask").unwrap();
                rustix::event::poll(
                    &mut [rustix::event::PollFd::new(&socket, rustix::event::PollFlags::IN)],
                    Some(&rustix::event::Timespec { tv_sec: 20, tv_nsec: 0 }),
                )
                .unwrap();
                let mut buffer = [0; 16];
                let received = receive(socket.as_fd(), &mut buffer).unwrap();
                assert_eq!((received.count, received.peer), (3, asking.local_addr().unwrap()));
                assert_eq!(received.to, Some(Local { address, interface: 0 }));
                send(socket.as_fd(), b"answer", received.peer, received.to).unwrap();
                assert_eq!(asking.recv(&mut buffer).unwrap(), 6);
            }
            assert_eq!(receive(socket.as_fd(), &mut [0; 4]), Err(Errno::AGAIN));
        }
    }
}
