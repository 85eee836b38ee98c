//! What all conversations share: the device, the addresses, the clock, and the kernel's list of what is waited for.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use smoltcp::iface::{Config, Interface};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr};

use super::places::Places;
use super::tun::{Line, Tun};
use crate::network::DNS_FORWARD;
use crate::sys::{self, Call};

pub struct Net {
    pub tun: Tun,
    /// It takes every address outside for its own.
    pub interface: Interface,
    pub places: Places,
    pub clock: Clock,
    pub epoll: OwnedFd,
    /// How many things have a name: no two ever have the same.
    named: u64,
}

/// Of what kind a thing is that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Tun,
    Monitor,
    Control,
    Connection,
    Conversation,
    Listener,
}

const KINDS: [Kind; 6] =
    [Kind::Tun, Kind::Monitor, Kind::Control, Kind::Connection, Kind::Conversation, Kind::Listener];

/// From the start of this process on, whatever is done to the machine's clock.
#[derive(Debug)]
pub struct Clock(std::time::Instant);

impl Clock {
    pub fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.0.elapsed().as_micros()).unwrap_or(i64::MAX))
    }
}

impl Net {
    pub fn new(tun: OwnedFd, places: Places) -> sys::Result<Self> {
        let mut tun = Tun::new(tun);
        let clock = Clock(std::time::Instant::now());
        let mut config = Config::new(HardwareAddress::Ip);
        let mut seed = [0; 8];
        rustix::rand::getrandom(&mut seed, rustix::rand::GetRandomFlags::empty()).call("getrandom")?;
        config.random_seed = u64::from_ne_bytes(seed);
        let mut interface = Interface::new(config, &mut Line { tun: &mut tun, incoming: None }, clock.now());
        interface.set_any_ip(true);
        interface.update_ip_addrs(|own| own.extend([IpCidr::new(DNS_FORWARD.into(), 32)]));
        let epoll = epoll::create(CreateFlags::CLOEXEC).call("epoll_create1")?;
        Ok(Self { tun, interface, places, clock, epoll, named: 0 })
    }

    /// Waits for something of this descriptor's until it is closed; the name under which it comes back.
    pub fn watch(&mut self, fd: impl AsFd, kind: Kind, flags: EventFlags) -> Result<u64, Errno> {
        let id = self.name();
        let place = KINDS.iter().position(|one| *one == kind).unwrap_or_default() as u64;
        epoll::add(&self.epoll, fd, EventData::new_u64(id << 3 | place), flags)?;
        Ok(id)
    }

    /// One that nothing has had.
    pub fn name(&mut self) -> u64 {
        self.named += 1;
        self.named
    }

    /// What kind of thing an event is about, and its name.
    pub fn of_event(data: EventData) -> Option<(Kind, u64)> {
        let kind = KINDS.get((data.u64() & 7) as usize)?;
        Some((*kind, data.u64() >> 3))
    }
}
