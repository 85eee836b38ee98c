//! The monitor: a container's parent, and PID 1 of an outer pid namespace, so that nothing of a container outlives it.
//!
//! It holds the container's lock, its streams and its log; it is single-threaded, waits in one poll(2), and uses no processor
//! time while nothing happens. In the order of its life:
//!
//! ```text
//!  job ──▶ root ──▶ start ──▶ event_loop ──────────────────────────────▶ exit
//!          mount    init, network,   streams, log, client, signals       record, answer, remove
//!                   handshake
//! ```
//!
//! What must stay true: no panic; a failure before the program runs goes to the launcher in words, a failure afterwards never
//! keeps the end from being recorded.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod event_loop;
mod exit;
mod log;
mod root;
mod start;
mod streams;

use std::os::fd::OwnedFd;
use std::process::ExitCode;

use crate::container::job::{self, Job, Streams};
use crate::host::lock::Lock;
use crate::host::role;
use crate::runtime::outside::launch::await_ids;
use client::Client;

/// What cannot be told to the launcher ends here without a word: the launcher sees the end of the talk.
pub fn main() -> ExitCode {
    let Ok(monitor) = Monitor::inherit() else { return ExitCode::FAILURE };
    monitor.live();
    ExitCode::SUCCESS
}

/// A failure on the way to the program: the exit code of the launcher's command, and the words.
#[derive(Debug)]
pub struct Refusal {
    pub code: u8,
    pub message: String,
}

impl Refusal {
    /// This program's own failure.
    fn ours(error: impl std::fmt::Display) -> Self {
        Self { code: 125, message: error.to_string() }
    }
}

struct Monitor {
    job: Job,
    lock: Lock,
    client: Client,
    given: Option<[OwnedFd; 3]>,
}

impl Monitor {
    fn inherit() -> Result<Self, role::Error> {
        let job: Job = role::job()?;
        let lock = Lock::from_fd(role::inherited(job::LOCK)?);
        let client = Client::new(role::inherited(job::CLIENT)?);
        let given = match job.streams {
            Streams::Given => {
                let stream = |number| role::inherited(job::STDIO + number);
                Some([stream(0)?, stream(1)?, stream(2)?])
            }
            Streams::Pipes { .. } | Streams::Terminal => None,
        };
        let launch = match job.streams {
            Streams::Given => job::STDIO + 3,
            Streams::Pipes { .. } | Streams::Terminal => job::STDIO,
        };
        await_ids(role::inherited(launch)?)?;
        Ok(Self { job, lock, client, given })
    }

    fn live(mut self) {
        // A session of its own: the keys of the user's terminal send signals to the launcher alone, which passes them on.
        let _ = rustix::process::setsid();
        match start::start(&self.job, self.given.take()) {
            Ok(mut running) => {
                self.client.started(&running.init);
                let end = event_loop::run(&self.job, &mut running, &mut self.client);
                exit::finish(&self.job, running, end, self.lock, self.client);
            }
            Err(refusal) => exit::refuse(&self.job, refusal, self.lock, self.client),
        }
    }
}
