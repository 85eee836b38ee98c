//! The tun device, at which the packets of a container are read and written, as the TCP of smoltcp sees it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// The largest packet, in bytes: large ones cost hardly more than small ones, since none ever meets a cable. Some less than what
/// a length of sixteen bits can say, so that what programs write is cut at addresses that suit them.
pub const MTU: usize = 65520;

/// A device; what can't be written is lost, as packets may be.
#[derive(Debug)]
pub struct Tun {
    fd: OwnedFd,
    /// A packet in the making.
    outgoing: Vec<u8>,
}

impl Tun {
    pub fn new(fd: OwnedFd) -> Self {
        Self { fd, outgoing: vec![0; MTU] }
    }

    /// The next packet from inside.
    pub fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        rustix::io::read(&self.fd, buffer).ok().filter(|count| *count > 0)
    }

    /// Writes the packet that `make` makes, of which it says the length.
    pub fn write(&mut self, make: impl FnOnce(&mut [u8]) -> Option<usize>) {
        if let Some(length) = make(&mut self.outgoing) {
            self.send(length);
        }
    }

    fn send(&self, length: usize) {
        let _ = rustix::io::write(&self.fd, self.outgoing.get(..length).unwrap_or_default());
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The device for as long as one packet, or none, is taken in.
#[derive(Debug)]
pub struct Line<'a> {
    pub tun: &'a mut Tun,
    pub incoming: Option<&'a [u8]>,
}

/// A packet from inside.
#[derive(Debug)]
pub struct Incoming<'a>(&'a [u8]);

/// Leave to send one inside.
#[derive(Debug)]
pub struct Outgoing<'a>(&'a mut Tun);

impl Device for Line<'_> {
    type RxToken<'b>
        = Incoming<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = Outgoing<'b>
    where
        Self: 'b;

    fn receive(&mut self, _: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let packet = self.incoming.take()?;
        Some((Incoming(packet), Outgoing(self.tun)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        Some(Outgoing(self.tun))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        // Never more than the MTU, of which the TCP above knows.
        self.0.outgoing.resize(length.max(MTU), 0);
        let result = f(self.0.outgoing.get_mut(..length).unwrap_or_default());
        self.0.send(length);
        result
    }
}
