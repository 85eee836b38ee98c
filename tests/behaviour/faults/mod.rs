//! Processes that are killed or stand still, disks that are full, stores that were changed by hand.

pub mod adversity;
pub mod build;
pub mod cut;
pub mod death;
pub mod dice;
mod frozen;
mod image_points;
mod links;
mod points;
mod room;
