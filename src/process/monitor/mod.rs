//! The monitor: a container's parent, and PID 1 of an outer pid namespace, so that nothing of a container outlives it.
//!
//! It holds the container's lock, its control socket and the session of its program (see [`super::session`]). In the order of its
//! life:
//!
//! ```text
//!  job ──▶ root ──▶ start ──────────▶ session ──────────────────────────▶ exit
//!          mount    init, network,    streams, log, clients, signals      record, answer, remove
//!          ▲        handshake, hooks                                        │
//!          └──────────────── restart: a pause, and all of it again ◀────────┘
//! ```
//!
//! What must stay true: no panic; a failure before the program runs goes to the launcher in words, a failure afterwards never
//! keeps the end from being recorded.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod exit;
mod hooks;
mod mounts;
mod networks;
mod ownership;
mod recording;
mod restart;
mod root;
mod start;
mod stragglers;

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::time::Instant;

use nix::sys::signalfd::SignalFd;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use self::networks::Namespace;
use self::start::Running;
use super::session::Session;
use super::session::clients::Clients;
use super::session::event_loop::{self, End};
use super::session::health::Patient;
use super::session::prepare;
use super::session::refusal::Refusal;
use super::session::service::Service;
use super::session::watch::Watch;
use crate::container::job::{self, Job, Networks, Purpose, Streams};
use crate::container::life::restart::{BackOff, RestartPolicy};
use crate::container::watch::events::{self, Action};
use crate::container::watch::service::Notify;
use crate::host::lock::Lock;
use crate::host::role;
use crate::host::systemd::notify::Notifier;
use crate::network::way::Way;
use crate::runtime::outside::init;
use crate::runtime::outside::join::Join;
use crate::runtime::outside::launch::await_ids;
use crate::sys::process::Handed;

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
    joins: Vec<Join>,
    handed_on: Vec<Handed>,
    /// What leads inside and somebody else listens on, for each life.
    passed: Vec<OwnedFd>,
    /// N, as long as the monitor lives.
    networks: Namespace,
    /// Until the container can be found.
    turn: Option<Lock>,
    /// The way to the service manager, until `service` has it.
    manager: Option<(Notifier, Notify)>,
    service: Option<Service>,
    /// That of the first life.
    filter: Option<Result<prepare::Filter, Refusal>>,
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
        let mut next = job::STDIO + if given.is_some() { 3 } else { 0 };
        let mut joins = Vec::new();
        for flags in &job.joins {
            joins.push(Join { flags: *flags, fd: role::inherited(next)? });
            next += 1;
        }
        let mut handed_on = Vec::new();
        for number in &job.handed_on {
            handed_on.push(Handed { number: *number, fd: role::inherited(next)? });
            next += 1;
        }
        let passed = (next..).take(job.network.passed()).map(role::inherited).collect::<Result<Vec<_>, _>>()?;
        next += passed.len();
        let (mut turn, mut networks) = (None, Namespace::default());
        if let Some(Networks { there }) = job.networks {
            turn = Some(Lock::from_fd(role::inherited(next)?));
            networks = Namespace::of(there.then(|| role::inherited(next + 1)).transpose()?);
            next += 1 + usize::from(there);
        }
        let mut manager = None;
        if let Some(notify) = job.notify {
            manager = Some((Notifier::from_fd(role::inherited(next)?), notify));
            next += 1;
        }
        // While the helpers map the ids.
        let filter = Some(prepare::filter(&job.plan.process));
        await_ids(role::inherited(next)?)?;
        Ok(Self { job, lock, clients, given, joins, handed_on, passed, networks, turn, manager, service: None, filter })
    }

    fn live(mut self) {
        // A session of its own: the keys of the user's terminal send signals to the launcher alone, which passes them on.
        let _ = rustix::process::setsid();
        if self.job.state.unbound {
            // What loses its parent comes here, so that the end finds it.
            let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        }
        // Whoever is in a namespace that the container joins sees init from its first moment, and may trace what is in there: init,
        // which has all of this machine's files in reach then, can't be dumped before it is the program, and belongs to U.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let signals = event_loop::signals();
        if self.job.purpose != Purpose::Run {
            return self.hold(signals.as_ref());
        }
        // Without it nobody can attach; the container can still be stopped.
        let _ = self.clients.listen(&self.job.directory);
        let mut pauses = BackOff::default();
        loop {
            let born = Instant::now();
            let count = self.job.state.restart_count;
            self.job.state = match self.start() {
                Ok(running) => match self.stay(running, signals.as_ref()) {
                    (running, end, false) => return exit::finish(&self.job, running, &end, self.lock, self.clients),
                    (running, end, true) => exit::pause(&self.job, running, &end, &mut self.clients),
                },
                Err(refusal) if count > 0 && self.job.care.restart.again(Some(refusal.code.into()), count) => {
                    exit::pause_unborn(&self.job, &refusal)
                }
                Err(refusal) => return exit::refuse(&self.job, refusal, self.lock, self.clients),
            };
            if !restart::wait(signals.as_ref(), pauses.next(born.elapsed())) {
                return exit::give_up(&self.job);
            }
            self.job.state.restart_count += 1;
            restart::take_ports(&mut self.job);
            // Its launcher went at the end of the first life.
            self.job.leashed = false;
        }
    }

    /// No program: all is mounted, for as long as the launcher likes or until the program was looked for.
    fn hold(mut self, signals: Option<&SignalFd>) {
        match self.start() {
            Ok(running) => exit::release(self.stay(running, signals).0, self.lock),
            Err(refusal) => exit::refuse(&self.job, refusal, self.lock, self.clients),
        }
    }

    fn start(&mut self) -> Result<Running, Refusal> {
        // The first filter was made while the helpers mapped the ids.
        let filter = self.filter.take().unwrap_or_else(|| prepare::filter(&self.job.plan.process))?;
        let streams = self.streams()?;
        if let Some((manager, notify)) = self.manager.take() {
            self.service = Some(
                Service::open(manager, notify, self.job.alone, self.job.watchdog, &self.job.directory)
                    .map_err(Refusal::ours)?,
            );
        }
        if self.job.networks.is_some() {
            self.networks.make().map_err(Refusal::ours)?;
        }
        let started = start::start(&self.job, streams, &self.joins, &mut self.networks, &self.passed, filter);
        self.turn = None;
        if started.is_err() {
            // Why it does not run is what the user must know.
            let _ = hooks::afterwards(&self.job);
        }
        started
    }

    /// The descriptors that were given, for a life that need not be the last: one that follows all the same has pipes.
    fn streams(&mut self) -> Result<init::Streams, Refusal> {
        let care = &self.job.care;
        if care.restart == RestartPolicy::No && care.health.is_none() {
            if self.given.is_none() && self.job.streams == Streams::Given {
                self.job.streams = Streams::Pipes { input: false };
            }
            return Ok(init::Streams { stdio: self.given.take(), handed_on: std::mem::take(&mut self.handed_on) });
        }
        let again = |fd: &OwnedFd| fd.try_clone().map_err(Refusal::ours);
        let stdio = match &self.given {
            Some([input, output, error]) => Some([again(input)?, again(output)?, again(error)?]),
            None => None,
        };
        let handed_on = self.handed_on.iter().map(|handed| handed.try_clone().map_err(Refusal::ours));
        Ok(init::Streams { stdio, handed_on: handed_on.collect::<Result<_, _>>()? })
    }

    fn patient(&self, running: &Running) -> Option<Patient> {
        let init = running.init.child.pidfd.try_clone().ok()?;
        let recorded = self.job.one_id && running.root.driver == "fuse";
        Some(Patient { directory: self.job.directory.clone(), init, pid: running.init.host_pid, recorded })
    }

    /// One life, from its first moment to its end; and whether another one follows.
    fn stay(&mut self, mut running: Running, signals: Option<&SignalFd>) -> (Running, End, bool) {
        // First of all the health, so that who is told of the start sees how it begins.
        let mut watch = Watch::begin(self.job.timeout, self.job.stop, &self.job.care, self.patient(&running));
        self.clients.started(running.init.child.pidfd.as_fd(), &running.about());
        if self.job.purpose == Purpose::Run {
            events::record_at(&self.job.data, &self.job.directory, &[Action::Init, Action::Start], None);
        }
        let end = Session {
            program: &running.init.child,
            servers: start::servers(
                &running.root,
                &running.volumes,
                running.companion.as_ref(),
                running.network.as_ref(),
            ),
            container: None,
            way: running.network.as_ref().and_then(Way::stack),
            listener: running.listener.take(),
            held: &mut running.held,
            log: running.log.as_mut(),
            clients: &mut self.clients,
            leashed: self.job.leashed,
            signals,
            watch: &mut watch,
            service: self.service.as_mut(),
        }
        .run();
        self.job.care = watch.updated.take().unwrap_or(std::mem::take(&mut self.job.care));
        let again = watch.again || self.job.care.restart.again(end.code(), self.job.state.restart_count);
        // One that removes itself has a file system for one life.
        let again = again && !watch.given_up && !self.job.remove;
        (running, end, again)
    }
}
