//! Names on networks: what a container's companion answers, and what it passes on.
//!
//! ```text
//!  program ─▶ 169.254.1.1:53 ─▶ [server] ─▶ a name, or an address, of who shares a network?  [zone] ─▶ answered from the store's files
//!                                   └─────▶ anything else                                    [asking] ─▶ servers of its networks, or the host's
//! ```
//!
//! Each container has a companion of its own, so who floods it with questions harms nobody else. What must stay true: no packet, of
//! the container or of a server, makes it fail, wait without limit, or keep more than a little.
//!
//! The crates of `hickory` (80 for a server, with an async runtime) know of DNS far more than names on a network need, and each
//! container would pay for it with memory and time to start.

pub mod asking;
pub mod server;
pub mod upstream;
pub mod wire;
pub mod zone;
