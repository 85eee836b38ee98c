//! The monitor's end of the talk with its launcher (see [`crate::container::control`]).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::container::control::{CHUNK, ToClient};
use crate::runtime::handshake;
use crate::runtime::outside::init::Init;

/// The launcher, while it listens.
#[derive(Debug)]
pub struct Client {
    socket: Option<OwnedFd>,
    /// Output that the socket had no room for, as a packet.
    waiting: Option<Vec<u8>>,
}

/// What came from the client.
#[derive(Debug)]
pub enum Heard {
    Packet(Vec<u8>),
    Nothing,
    /// It is gone, and said nothing before.
    Gone,
}

impl Client {
    pub fn new(socket: OwnedFd) -> Self {
        Self { socket: Some(socket), waiting: None }
    }

    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    /// Whether output waits for room in the socket.
    pub fn is_full(&self) -> bool {
        self.waiting.is_some()
    }

    /// No more words in either direction.
    pub fn leave(&mut self) {
        self.socket = None;
        self.waiting = None;
    }

    /// The program runs: the launcher gets a descriptor of init, to which it sends signals itself.
    pub fn started(&mut self, init: &Init) {
        if let Some(socket) = &self.socket {
            let _ = handshake::send_with_fd(socket.as_fd(), &ToClient::Started.encode(), init.child.pidfd.as_fd());
        }
    }

    /// Sends without waiting; what finds no room is kept, and the client is full until [`Client::flush`] has sent it.
    pub fn offer(&mut self, message: &ToClient<'_>) {
        if self.waiting.is_some() {
            // Never reached while callers look at `is_full`; waiting is right all the same.
            return self.insist(message);
        }
        self.waiting = Some(message.encode());
        self.flush();
    }

    /// Tries again to send what waits.
    pub fn flush(&mut self) {
        let (Some(socket), Some(packet)) = (&self.socket, &self.waiting) else {
            self.waiting = None;
            return;
        };
        match rustix::net::send(socket, packet, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.leave(),
            Ok(_) => self.waiting = None,
        }
    }

    /// Sends, waiting for room as long as the client lives.
    pub fn insist(&mut self, message: &ToClient<'_>) {
        let waiting = self.waiting.take();
        for packet in waiting.into_iter().chain([message.encode()]) {
            let Some(socket) = &self.socket else { return };
            while let Err(error) = rustix::net::send(socket, &packet, SendFlags::NOSIGNAL) {
                if error != Errno::INTR {
                    self.leave();
                    return;
                }
            }
        }
    }

    /// The next packet, if one is there.
    pub fn hear(&mut self) -> Heard {
        let Some(socket) = &self.socket else { return Heard::Nothing };
        let mut buffer = vec![0; CHUNK + 16];
        match rustix::net::recv(socket, &mut buffer, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => Heard::Nothing,
            Err(_) | Ok((0, _)) => {
                self.leave();
                Heard::Gone
            }
            Ok((count, _)) => {
                buffer.truncate(count);
                Heard::Packet(buffer)
            }
        }
    }
}
