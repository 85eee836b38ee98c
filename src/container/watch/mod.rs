//! Looking at containers from outside, while they live and afterwards.

pub mod events;
pub mod health;
pub mod processes;
