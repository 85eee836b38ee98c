//! This machine and this account: directories, identities, locks, files, and starting this program again in a role.

pub mod atomic_file;
pub mod change;
pub mod check;
pub mod config;
pub mod copy;
pub mod dirs;
pub mod fault;
pub mod id_map;
pub mod journal;
pub mod kernel;
pub mod link;
pub mod lock;
pub mod message;
pub mod remote;
pub mod role;
pub mod selinux;
pub mod subid;
pub mod system_file;
pub mod systemd;
