//! Commands about this program and this machine.

pub mod doctor;
pub mod generate;
pub mod info;
mod trial;
pub mod version;
