//! Network interfaces, as far as init needs them: the one that every new network namespace has but does not switch on.

use std::io;
use std::os::fd::AsRawFd;

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
    // SAFETY: an all-zero ifreq is valid: an empty name and no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(*b"lo") {
        *place = byte as libc::c_char;
    }
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
