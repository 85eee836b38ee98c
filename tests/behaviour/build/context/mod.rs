//! Contexts that are no directory of the user's.

mod elsewhere;
pub mod stdin;
