//! Registries that lie, break off or fail: nothing of theirs becomes visible, and the error names the cause.

mod hostile;
mod server;
