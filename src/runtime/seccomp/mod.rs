//! The system call filter of a container: what it allows (data), and its translation into what the kernel runs.
//!
//! ```text
//! Profile::default()  ──┐
//! json::parse(a file) ──┴─▶ Profile ── compile(facts) ──▶ Program ── sys::seccomp::load ──▶ the kernel
//! ```
//!
//! A [`Profile`] is a list of rules, of which the **first** that fits a call decides; [`Profile::decide`] says so in the
//! plainest way. [`compile`] makes classic BPF of it that halves the numbers (a linear list of 1200 comparisons takes the
//! kernel 2.5 ms to load, this 0.1), and the tests hold the two against each other for every number.
//!
//! What must stay true: a call that comes by way of another architecture is judged by that architecture's numbers, x32 calls
//! do not exist, and calls of an architecture that is not known kill the process. Where the kernel reads 32 bits of an
//! argument, a rule that forbids a value must compare 32 bits (`MaskedEqual`), or bits above them smuggle the value through.
//!
//! The ioctls TIOCSTI and TIOCLINUX need no rule: a container never holds a terminal but its own.

mod compile;
mod default;
mod emulation;
pub mod json;
pub mod own;
mod profile;
mod syscalls;
#[cfg(test)]
mod tests;

pub use compile::{Error, Program, compile};
pub use emulation::{CHOWN, emulation};
pub use profile::{Action, Architecture, Choice, Comparison, Condition, Facts, Profile, Rule, Scope};
