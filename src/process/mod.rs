//! The cast: what each role of this program does from its first line to its last (see [`crate::host::role`]).
//!
//! No role but the command line prints or panics: a failure goes to whoever started the role, over the channel that the job names.
//! (The init of a container has none, and speaks as any program in there.)

pub mod fetcher;
mod filter;
pub mod forwarder;
pub mod init;
pub mod joiner;
pub mod monitor;
pub mod mounter;
pub mod net;
mod session;
pub mod stack;
pub mod supervisor;
pub mod worker;
