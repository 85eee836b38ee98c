//! Which role am I? Nothing else is decided here: no thread has started, nothing was read or written.

use std::process::ExitCode;

use coracle::host::role::{self, Role};
use coracle::{cli, process};

fn main() -> ExitCode {
    match role::current() {
        None => cli::main(),
        Some(Role::Completer) => cli::complete::main(),
        Some(Role::Worker) => process::worker::main(),
        Some(Role::Monitor) => process::monitor::main(),
        Some(Role::Mounter) => process::mounter::main(),
        Some(Role::Net) => process::net::main(),
        Some(Role::Joiner) => process::joiner::main(),
        Some(Role::Supervisor) => process::supervisor::main(),
        Some(Role::Init) => process::init::main(),
        Some(Role::Stack) => process::stack::main(),
        Some(Role::Fetcher) => process::fetcher::main(),
        Some(Role::Forwarder) => process::forwarder::main(),
    }
}
