//! Pushes: to a real registry, and to one that breaks off, loses and lies.

mod artifact;
mod chunked;
mod honest;
mod list;
pub mod receiver;
mod spoiled;
mod variants;
