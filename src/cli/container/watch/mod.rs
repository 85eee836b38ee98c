//! Looking at containers while they live.

pub mod port;
pub mod stats;
pub mod top;
