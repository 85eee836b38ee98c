//! What the program does for its users, from the outside: commands in, output and exit codes out.

mod boxes;
pub mod build;
pub mod faults;
pub mod flags;
pub mod image;
pub mod into;
pub mod isolation;
mod life;
mod look;
pub mod network;
mod one_id;
mod reports;
mod scripts;
mod service;
mod shell;
pub mod storage;
mod system;
