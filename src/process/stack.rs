//! The stack: a container's way out, and the way in through published ports, where that is this program's own (see
//! [`crate::network::stack`]).
//!
//! Started by the monitor as root of the user's namespace. It ends when the socket to the monitor closes.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal};

use crate::host::role;
use crate::network::stack::{self, Wanted};
use crate::process::filter;
use crate::runtime::seccomp::own;

/// A unit that is stopped tells all its processes, and the container's program is to end first, with its network.
const PASSED_OVER: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];

/// What can't be told to the monitor ends here without a word: it sees the end of the talk.
pub fn main() -> ExitCode {
    let (Ok(wanted), Ok(namespace), Ok(socket)) = (role::job::<Wanted>(), role::inherited(0), role::inherited(1))
    else {
        return ExitCode::FAILURE;
    };
    if PASSED_OVER.into_iter().collect::<SigSet>().thread_block().is_err() {
        return ExitCode::FAILURE;
    }
    let passed = (2..).take(wanted.passed.len()).map(role::inherited).collect();
    let Ok(passed) = passed else { return ExitCode::FAILURE };
    match stack::serve(&wanted, namespace, &socket, passed, &filter::of_server(&own::stack())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
