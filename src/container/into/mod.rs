//! Into a container.

pub mod attach;
pub mod copy;
pub mod exec;
pub mod health;
pub mod logs;
pub mod sessions;
