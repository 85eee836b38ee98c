//! The system call filters of this program's own servers (see [`own`](crate::runtime::seccomp::own)), made before they are confined.

use crate::oci::capability::CapabilitySet;
use crate::runtime::seccomp::{Facts, Profile, compile};

/// Ready to be loaded; empty where no filter is known for the architecture.
pub fn of_server(profile: &Profile) -> Vec<libc::sock_filter> {
    let program = Facts::here(CapabilitySet::EMPTY).and_then(|facts| compile(profile, &facts).ok());
    program.map(|program| program.instructions().to_vec()).unwrap_or_default()
}
