//! Archives of images: what `save` writes and `load` reads.

mod build;
mod hostile;
mod import;
mod round;
mod transports;
