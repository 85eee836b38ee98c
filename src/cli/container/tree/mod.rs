//! Commands about what a container has on its file system.

pub mod commit;
pub mod cp;
pub mod diff;
pub mod export;
