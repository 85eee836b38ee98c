//! The way into a container, and what comes out of it: streams, commands, files, logs.

mod attach;
pub mod copy;
mod exec;
mod logs;
mod stdio;
pub mod terminal;
