//! What each instruction does.

pub mod copy;
pub mod run;
pub mod settings;
