//! The one integration binary.
//!
//! `harness` is what the tests stand on, `behaviour` what the program does for its users, and the rest hold the building
//! itself to its rules. Run it through `tests/run`, which gives it an account, a registry and images; names of tests of
//! behaviour end in the overlay driver that they ran on.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod harness;

mod architecture;
mod behaviour;
mod documents;
mod fuzz;
mod images;
mod network;
mod overlay;
mod sandbox;
mod security;
mod supply;
