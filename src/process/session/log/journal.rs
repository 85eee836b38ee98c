//! The log in systemd's journal: a datagram a record, in its native protocol (systemd.io, JOURNAL_NATIVE_PROTOCOL), with the fields of
//! Podman's.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::container::log::{self, Source};
use crate::process::session::streams::Kind;
use crate::sys::{Call, Result};

/// How long a journal that takes nothing may hold the container up; as long as it still takes nothing then, records are lost.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

#[derive(Debug)]
pub struct Journal {
    socket: OwnedFd,
    /// What all records of the container have.
    fields: Vec<u8>,
    stuck: bool,
}

impl Journal {
    pub fn open(source: &Source) -> Result<Self> {
        let mut fields = Vec::new();
        for (name, value) in source.fields() {
            field(&mut fields, name, value.as_bytes());
        }
        Ok(Self { socket: connect()?, fields, stuck: false })
    }

    /// Sends a record. What the journal does not take is lost, not the container.
    pub fn record(&mut self, kind: Kind, whole: bool, line: &[u8]) {
        let mut datagram = self.fields.clone();
        field(&mut datagram, "PRIORITY", if kind == Kind::Error { b"3" } else { b"6" });
        if !whole {
            field(&mut datagram, log::PARTIAL, b"true");
        }
        field(&mut datagram, "MESSAGE", line);
        match self.send(&datagram) {
            Err(Errno::AGAIN) if !self.stuck => {
                let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::OUT)], Some(&PATIENCE));
                self.stuck = self.send(&datagram).is_err();
            }
            // It was started anew: its socket is another one.
            Err(Errno::CONNREFUSED | Errno::NOTCONN | Errno::PIPE) => {
                if let Ok(socket) = connect() {
                    self.socket = socket;
                    let _ = self.send(&datagram);
                }
            }
            sent => self.stuck &= sent.is_err(),
        }
    }

    fn send(&self, datagram: &[u8]) -> rustix::io::Result<usize> {
        rustix::net::send(&self.socket, datagram, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
    }
}

fn connect() -> Result<OwnedFd> {
    let name = || format!("connect({})", log::JOURNAL);
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .call("socket(AF_UNIX)")?;
    let address = SocketAddrUnix::new(log::JOURNAL).call_with(name)?;
    rustix::net::connect(&socket, &address).call_with(name)?;
    Ok(socket)
}

/// A field; one whose value has a newline says how long it is.
fn field(datagram: &mut Vec<u8>, name: &str, value: &[u8]) {
    datagram.extend_from_slice(name.as_bytes());
    if value.contains(&b'\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value);
    datagram.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_lines_unless_they_have_some() {
        let mut datagram = Vec::new();
        field(&mut datagram, "A", b"b=c");
        field(&mut datagram, "D", b"e\nf");
        assert_eq!(datagram, b"A=b=c\nD\n\x03\0\0\0\0\0\0\0e\nf\n");
    }
}
