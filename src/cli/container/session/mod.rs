//! The user's own terminal, pipes and signals, and the session of a program in a container.

pub mod attach;
pub mod detach_keys;
pub mod direct;
pub mod exec;
pub mod foreground;
pub mod handed_on;
pub mod service;
pub mod times;
