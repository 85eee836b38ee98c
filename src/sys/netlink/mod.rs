//! rtnetlink(7), as far as networks of containers need it: a message is made, sent, and answered with an error number or 0.
//!
//! A message is a header, a fixed part that its type says, and attributes, each padded to four bytes; an attribute may hold others:
//!
//! ```text
//! length type flags sequence port │ ifinfomsg, ifaddrmsg or rtmsg │ length kind value … │ length kind (length kind value …) │ …
//! ```
//!
//! All numbers are in the machine's own order, but for addresses.
//!
//! The crate `rtnetlink` would do the same with 29 crates, tokio among them, in processes that must have one thread and start in a
//! millisecond.

pub mod address;
pub mod link;
pub mod question;

use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, sendto, socket_with};

use super::{Call, Error, Result};

const HEADER: usize = 16;

/// A socket to the kernel's networking, of the network namespace in which it was opened.
#[derive(Debug)]
pub struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    pub fn open() -> Result<Self> {
        // Protocol 0 is that of routes and interfaces.
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None);
        let socket = socket.call("socket(AF_NETLINK)")?;
        bind(&socket, &SocketAddrNetlink::new(0, 0)).call("bind(AF_NETLINK)")?;
        Ok(Self { socket })
    }

    /// Has the kernel do what the message says. `describe` names it in an error.
    pub fn ask(&self, message: Message, describe: impl Fn() -> String) -> Result<()> {
        let bytes = message.finish();
        sendto(&self.socket, &bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0)).call("sendto(AF_NETLINK)")?;
        let mut answer = [0; 4096];
        let (count, _) = recv(&self.socket, &mut answer, RecvFlags::empty()).call("recv(AF_NETLINK)")?;
        match errno(answer.get(..count).unwrap_or_default()) {
            Some(0) => Ok(()),
            Some(errno) => Err(Error::new(describe(), std::io::Error::from_raw_os_error(errno))),
            None => Err(Error::new(describe(), rustix::io::Errno::PROTO)),
        }
    }
}

/// The error number of an answer (`NLMSG_ERROR`, which is also the form of a success).
fn errno(answer: &[u8]) -> Option<i32> {
    let number = |at: usize| answer.get(at..at + 4)?.try_into().ok().map(i32::from_ne_bytes);
    let kind = answer.get(4..6)?.try_into().ok().map(u16::from_ne_bytes)?;
    if i32::from(kind) == libc::NLMSG_ERROR { number(HEADER).map(i32::wrapping_neg) } else { None }
}

/// A message in the making.
#[derive(Debug)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// `flags` beside those of every request; `fixed`: what follows the header.
    fn new(kind: u16, flags: i32, fixed: &[u8]) -> Self {
        let flags = (flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
        let mut bytes = Vec::with_capacity(256);
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(fixed);
        Self { bytes }
    }

    fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.bytes.extend(((4 + value.len()) as u16).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.pad();
        self
    }

    fn with_number(self, kind: u16, value: u32) -> Self {
        self.with(kind, &value.to_ne_bytes())
    }

    fn with_text(self, kind: u16, text: &str) -> Self {
        self.with(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// An attribute of what is added by `fill`.
    fn with_inner(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        let mut filled = fill(self);
        let length = (filled.bytes.len() - start) as u16;
        filled.put(start, &length.to_ne_bytes());
        filled
    }

    /// Bytes that are no attribute, as some attributes begin with.
    fn with_raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.put(0, &length.to_ne_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_know_their_length() {
        let message = Message::new(16, libc::NLM_F_CREATE, &[7; 4])
            .with_text(3, "br0")
            .with_inner(18, |inner| inner.with(1, b"veth").with_inner(2, |inner| inner.with_raw(&[9; 4])))
            .finish();
        let expected: Vec<u8> = [
            &64_u32.to_ne_bytes()[..],
            &16_u16.to_ne_bytes(),
            &0x405_u16.to_ne_bytes(),
            &[0; 8],
            &[7; 4],
            &[8_u16.to_ne_bytes(), 3_u16.to_ne_bytes()].concat(),
            b"br0\0",
            &[20_u16.to_ne_bytes(), 18_u16.to_ne_bytes(), 8_u16.to_ne_bytes(), 1_u16.to_ne_bytes()].concat(),
            b"veth",
            &[8_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat(),
            &[9; 4],
        ]
        .concat();
        let length = u32::from_ne_bytes(message[..4].try_into().unwrap());
        assert_eq!(length as usize, message.len());
        assert_eq!(message[4..], expected[4..]);
    }

    #[test]
    fn an_answer_is_an_error_number_or_nothing() {
        let answer = |kind: u16, number: i32| {
            [&36_u32.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], &number.to_ne_bytes()].concat()
        };
        assert_eq!(errno(&answer(2, 0)), Some(0));
        assert_eq!(errno(&answer(2, -17)), Some(17));
        assert_eq!((errno(&answer(3, 0)), errno(&[1, 2]), errno(&answer(2, 0)[..17])), (None, None, None));
    }
}
