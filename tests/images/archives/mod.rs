//! Archives of images: what `save` writes and `load` reads.

pub mod build;
mod exchange;
mod hostile;
mod import;
mod memory;
mod packed;
mod round;
mod transports;
