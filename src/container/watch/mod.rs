//! Looking at containers from outside, while they live and afterwards; and telling others of them.

pub mod events;
pub mod health;
pub mod processes;
pub mod service;
