//! What each instruction does.

mod bound;
mod chmod;
pub mod copy;
pub mod run;
mod seed;
pub mod settings;
