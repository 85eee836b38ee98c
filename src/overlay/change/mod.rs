//! Everything that alters the upper directory.
//!
//! Each change is one system call that the disk makes atomic, or is prepared in the work directory and moved into place by one
//! rename: at every instant the upper directory is a valid overlay. Nothing that lies below ever shows in between.

pub mod attr;
pub mod copy_up;
pub mod create;
pub mod links;
pub mod remove;
pub mod rename;
pub mod whiteout;
pub mod xattr;
