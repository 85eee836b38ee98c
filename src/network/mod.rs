//! The network of a container: a private namespace with a way out, and the files that names are looked up in.
//!
//! ```text
//!  container's network namespace      U: the user's rootless namespace, host's network
//!   program ─▶ kernel ─▶ tap device ─▶ pasta ─▶ ordinary sockets of this user ─▶ the world
//! ```
//!
//! [`named`] lets containers reach each other. [`pasta`] makes the way out, and in through [`ports`]; [`resolv`] and [`hosts`] make texts, the caller writes them. The loopback interface is switched
//! on by init itself ([`crate::sys::interface`]).

pub mod hosts;
pub mod named;
pub mod pasta;
pub mod ports;
pub mod resolv;

use std::net::Ipv4Addr;

/// Where this machine is reached inside, with a pasta that can make it so: link-local for the same reason.
pub const HOST: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 2);
/// Where pasta answers name queries inside: link-local, so that it can't hide an address of the real network.
pub const DNS_FORWARD: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);
