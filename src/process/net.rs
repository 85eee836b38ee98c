//! The companion of a container on networks (see [`crate::network::named::companion`]).
//!
//! Started by the monitor, as root of the user's namespace and in the host's network; once the connections are made it needs no
//! capability, and has none. It ends with the monitor, whose end of the socket tells.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::ExitCode;

use crate::host::role;
use crate::network::named::companion::{self, CONTAINER, Job, MONITOR, NETWORKS};
use crate::process::filter;
use crate::runtime::seccomp::own;
use crate::sys::signal;

pub fn main() -> ExitCode {
    // Without the socket there is nobody to tell.
    let (Ok(job), Ok(monitor)) = (role::job::<Job>(), role::inherited(MONITOR)) else { return ExitCode::FAILURE };
    let (Ok(container), Ok(networks)) = (role::inherited(CONTAINER), role::inherited(NETWORKS)) else {
        return ExitCode::FAILURE;
    };
    // A unit that is stopped tells all its processes, and the container's program is to end first, with its network.
    let passed_over = signal::pass_over();
    match passed_over
        .map_err(Into::into)
        .and_then(|()| companion::run(&job, &monitor, container, networks, &filter::of_server(&own::companion())))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
