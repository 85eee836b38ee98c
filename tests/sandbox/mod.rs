//! The sandbox, tried from inside.

mod privileged;
mod profile;
mod seccomp;
mod view;
