//! What Podman and Docker have and this program has not: commands and flags, each with the reason and what serves instead.
//!
//! Nothing of it is in the definition, for which every start would pay: whoever meets a word that is not known looks here. That none
//! is forgotten the tests see to, with the flags of both programs in the files `podman` and `docker`.

mod commands;
mod flags;
mod of_build;
mod of_run;
#[cfg(test)]
mod tests;

pub use commands::{why, why_below};
pub use flags::{before_command, of as why_flag};

/// Why it is not there, and what to do.
pub type Words = (&'static str, &'static str);
