//! Changes in the life of containers that consist of others.

pub mod cleanup;
pub mod healthcheck;
pub mod pause;
pub mod prune;
pub mod rename;
pub mod restart;
pub mod update;
