//! Pushes: to a real registry, and to one that breaks off, loses and lies.

mod honest;
mod list;
mod receiver;
mod spoiled;
