//! Into a container that runs.

pub mod attach;
