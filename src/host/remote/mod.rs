//! Other machines, by way of the user's own programs: `ssh`, `git`.

pub mod git;
pub mod ssh;
