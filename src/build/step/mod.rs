//! What each instruction does.

pub mod agents;
mod bound;
mod chmod;
pub mod copy;
pub mod run;
mod seed;
pub mod settings;
