//! From a description of a container to its first process.
//!
//! The description is an OCI runtime-spec `Spec`. [`plan`] turns it into a list of steps, which is data: it can be printed and
//! tested without privileges. [`outside`] makes the namespaces and the process that goes in; [`inside`] is all the code that
//! runs there between clone and exec; [`handshake`] is what the two say to each other;
//! [`seccomp`] is the filter of its system calls; [`cgroup`] is what of the machine it may use.
//!
//! ```text
//!  host user namespace       U: the user's rootless namespace         the container's own, nested in U
//!  launcher ── clone ──────▶ monitor (PID 1 of an outer pid ns) ─ clone ─▶ init ─ execve ▶ the program
//!           outside::launch                           outside::init         inside
//! ```

pub mod cgroup;
pub mod handshake;
pub mod identity;
pub mod inside;
pub mod outside;
pub mod plan;
pub mod seccomp;
pub mod times;
