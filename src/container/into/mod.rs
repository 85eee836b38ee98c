//! Into a container that runs.

pub mod attach;
pub mod exec;
pub mod logs;
