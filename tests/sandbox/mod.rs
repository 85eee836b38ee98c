//! The sandbox, tried from inside.

mod profile;
mod seccomp;
