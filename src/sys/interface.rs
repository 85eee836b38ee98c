//! Network interfaces: the one that every new network namespace has but does not switch on, and one whose packets a process reads.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::{Call, Error, Result};

/// Switches `lo` on in the network namespace of this process (netdevice(7)); 127.0.0.1 and ::1 come with it.
///
/// Needs CAP_NET_ADMIN in the user namespace that owns the network namespace. Nothing is allocated (but for an error), so it
/// may run between clone and exec.
pub fn bring_up_loopback() -> Result<()> {
    // Any socket will do as a door to the interfaces; a kernel without IPv4 has no need of this.
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).call("socket(AF_UNIX)")?;
    let mut request = named("lo");
    // SAFETY: SIOCGIFFLAGS reads the name (NUL-terminated: the rest is zero) and writes the flags of one ifreq, which outlives
    // the call; the socket is open.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &raw mut request) } != 0 {
        return Err(Error::new("ioctl(SIOCGIFFLAGS, lo)", io::Error::last_os_error()));
    }
    // SAFETY: after SIOCGIFFLAGS the union holds the flags; all its bytes were initialised above.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: SIOCSIFFLAGS reads the name and the flags of one ifreq, which outlives the call.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) } != 0 {
        return Err(Error::new("ioctl(SIOCSIFFLAGS, lo)", io::Error::last_os_error()));
    }
    Ok(())
}

/// Makes a tun device of this name, for packets of IP without anything before them, in the network namespace of this thread. It is
/// there for as long as the descriptor, which does not block, is open.
///
/// Needs CAP_NET_ADMIN in the user namespace that owns the network namespace.
pub fn make_tun(name: &str) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let tun = rustix::fs::open("/dev/net/tun", flags, Mode::empty()).call("open(/dev/net/tun)")?;
    let mut request = named(name);
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads the name (NUL-terminated, see `named`) and the flags of one ifreq and writes the name that was given,
    // and the ifreq outlives the call; the descriptor is open.
    if unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) } != 0 {
        return Err(Error::new(format!("ioctl(TUNSETIFF, {name})"), io::Error::last_os_error()));
    }
    Ok(tun)
}

/// A request about the interface of this name, of which the kernel takes 15 bytes.
fn named(name: &str) -> libc::ifreq {
    // SAFETY: an all-zero ifreq is valid: an empty name and no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let [places @ .., _] = &mut request.ifr_name;
    for (place, byte) in places.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request
}
