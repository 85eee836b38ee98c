//! The network of a container: a private namespace with a way out, and the files that names are looked up in.
//!
//! ```text
//!  container's network namespace      U: the user's rootless namespace, host's network
//!   program ─▶ kernel ─▶ tun or tap ─▶ stack or pasta ─▶ ordinary sockets of this user ─▶ the world
//! ```
//!
//! [`named`] lets containers reach each other. [`stack`] or [`pasta`] makes the way out ([`way`]), and in through [`ports`]; [`resolv`]
//! and [`hosts`] make texts, the caller writes them. The loopback interface is switched on by init itself
//! ([`crate::sys::interface`]).

pub mod hosts;
pub mod named;
pub mod pasta;
pub mod ports;
pub mod resolv;
pub mod stack;
pub mod way;

use std::net::{Ipv4Addr, Ipv6Addr};

/// Where this machine is reached inside, unless a pasta can't make it so: link-local for the same reason.
pub const HOST: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 2);
/// The same of IPv6, as the stack makes it so: of the addresses that anybody may use at home (RFC 4193), since a link-local one means
/// nothing without an interface.
pub const HOST6: Ipv6Addr = Ipv6Addr::new(0xfd63, 0x6f72, 0x6163, 0x6c65, 0, 0, 0, 2);
/// Where name queries are answered inside: link-local, so that it can't hide an address of the real network.
pub const DNS_FORWARD: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);
