//! What each instruction does.

mod bound;
pub mod copy;
pub mod run;
pub mod settings;
