//! The monitor: a container's parent, and PID 1 of an outer pid namespace, so that nothing of a container outlives it.
//!
//! It holds the container's lock, its control socket and the session of its program (see [`super::session`]). In the order of its
//! life:
//!
//! ```text
//!  job ──▶ root ──▶ start ──────────▶ session ──────────────────────────▶ exit
//!          mount    init, network,    streams, log, clients, signals      record, answer, remove
//!                   handshake
//! ```
//!
//! What must stay true: no panic; a failure before the program runs goes to the launcher in words, a failure afterwards never
//! keeps the end from being recorded.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod exit;
mod ownership;
mod recording;
mod root;
mod start;

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use super::session::Session;
use super::session::clients::Clients;
use super::session::prepare;
use super::session::refusal::Refusal;
use crate::container::job::{self, Job, Streams};
use crate::container::watch::events::{self, Action};
use crate::host::lock::Lock;
use crate::host::role;
use crate::runtime::outside::launch::await_ids;

/// What cannot be told to the launcher ends here without a word: the launcher sees the end of the talk.
pub fn main() -> ExitCode {
    let Ok(monitor) = Monitor::inherit() else { return ExitCode::FAILURE };
    monitor.live();
    ExitCode::SUCCESS
}

struct Monitor {
    job: Job,
    lock: Lock,
    clients: Clients,
    given: Option<[OwnedFd; 3]>,
    filter: Result<prepare::Filter, Refusal>,
}

impl Monitor {
    fn inherit() -> Result<Self, role::Error> {
        let job: Job = role::job()?;
        let lock = Lock::from_fd(role::inherited(job::LOCK)?);
        let clients = Clients::of_launcher(role::inherited(job::CLIENT)?);
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
        // While the helpers map the ids.
        let filter = prepare::filter(&job.plan.process);
        await_ids(role::inherited(launch)?)?;
        Ok(Self { job, lock, clients, given, filter })
    }

    fn live(mut self) {
        // A session of its own: the keys of the user's terminal send signals to the launcher alone, which passes them on.
        let _ = rustix::process::setsid();
        // Without it nobody can attach; the container can still be stopped.
        let _ = self.clients.listen(&self.job.directory);
        match self.filter.and_then(|filter| start::start(&self.job, self.given.take(), filter)) {
            Ok(mut running) => {
                self.clients.started(running.init.child.pidfd.as_fd());
                events::record_at(&self.job.data, &self.job.directory, &[Action::Init, Action::Start], None);
                let end = Session {
                    program: &running.init.child,
                    servers: running
                        .root
                        .mounter
                        .iter()
                        .chain(running.volumes.iter().map(|volume| &volume.child))
                        .collect(),
                    listener: running.listener.take(),
                    held: &mut running.held,
                    log: running.log.as_mut(),
                    clients: &mut self.clients,
                    leashed: self.job.leashed,
                }
                .run();
                exit::finish(&self.job, running, end, self.lock, self.clients);
            }
            Err(refusal) => exit::refuse(&self.job, refusal, self.lock, self.clients),
        }
    }
}
