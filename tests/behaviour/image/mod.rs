//! Images: where they come from, what they are unpacked to, and what is made of containers.

pub mod commit;
pub mod diff;
mod images;
mod pull;
pub mod unpack;
