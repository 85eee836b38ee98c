//! What containers read and write: their own file system, volumes, mounts, secrets.

mod disks;
mod drivers;
mod files;
mod layers;
mod mounts;
mod ownership;
mod quota;
pub mod rootfs;
pub mod secrets;
pub mod volumes;
