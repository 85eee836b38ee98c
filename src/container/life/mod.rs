//! From nothing to running to nothing: one file a transition.

pub mod create;
pub mod dependents;
pub mod files;
mod orphan;
pub mod pause;
pub mod remove;
pub mod rename;
pub mod replace;
pub mod restart;
pub mod start;
pub mod stop;
pub mod sweep;
pub mod update;
pub mod wait;
