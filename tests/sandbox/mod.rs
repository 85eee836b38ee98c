//! The sandbox, tried from inside.

mod seccomp;
