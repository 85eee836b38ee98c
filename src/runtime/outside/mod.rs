//! What happens around the container before and while it starts: the namespaces, and the two processes that are cloned and not
//! executed: the monitor by its launcher, init by the monitor. Both callers have one thread.

pub mod enter;
pub mod hook;
pub mod init;
pub mod join;
pub mod launch;
