//! The fetcher: one file from another machine for a build, whose own process has neither threads nor a client of the network.
//!
//! It writes to a file that it was given, and says at the end what came. If the build dies, so does it.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::process::{Signal, set_parent_process_death_signal};

use crate::build::remote::download::{CHANNEL, FILE, Reply};
use crate::host::role;
use crate::layer::worker::send;
use crate::registry::{Error, Wanted, fetch};

pub fn main() -> ExitCode {
    // Without them there is nobody to tell.
    let (Ok(wanted), Ok(channel), Ok(file)) = (role::job::<Wanted>(), role::inherited(CHANNEL), role::inherited(FILE))
    else {
        return ExitCode::FAILURE;
    };
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let reply = match fetch(&wanted, &File::from(file)) {
        Ok(fetched) => Reply::Fetched(fetched),
        Err(error) => failed(&error),
    };
    match send(channel.as_fd(), &reply) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Whoever is asked for a file need not be a registry.
fn failed(error: &Error) -> Reply {
    let of_the_way = matches!(error, Error::Refused { .. } | Error::Unreachable { .. } | Error::Timeout { .. });
    let hint = error.hint().filter(|_| of_the_way);
    Reply::Failed { text: error.to_string().replace("the registry `", "the server `"), hint }
}
