//! The monitor's health checks: a timetable, and at most one check at a time, run by a joiner as any command in the container is.
//!
//! ```text
//!   due ──▶ joiner started ──▶ its word: output, exit code ──▶ verdict ──▶ due again after `interval`
//!                         └──▶ `timeout` over: the talk is closed, the joiner kills the command and ends ──▶ …
//! ```
//!
//! It sleeps in the session's one poll(2), whose time limit is the next thing that is due.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::container::control::{CHUNK, ToClient};
use crate::container::into::exec::Join;
use crate::container::job::HealthJob;
use crate::container::record::Container;
use crate::container::state;
use crate::container::watch::events::{self, Action, Event};
use crate::container::watch::health::{self, Check, Entry, HealthConfig, MOST_OUTPUT, OnFailure, Status};
use crate::host::role::{self, Role, Start};
use crate::runtime::cgroup::Group;
use crate::runtime::handshake;
use crate::store::records;
use crate::sys::process::Child;
use crate::sys::{Call, memory};

/// Who is checked: one life of a container.
#[derive(Debug)]
pub struct Patient {
    /// The container's directory.
    pub directory: PathBuf,
    pub init: OwnedFd,
    /// That of the program, which `init` stands for.
    pub pid: i32,
    /// Owners are written down.
    pub recorded: bool,
}

/// Checks of one life of a container.
#[derive(Debug)]
pub struct Health {
    config: HealthConfig,
    path: PathBuf,
    /// The container's directory.
    directory: PathBuf,
    join: Join,
    init: OwnedFd,
    found: health::Health,
    /// Successes and failures in a row of the startup check, until it has succeeded.
    startup: Option<(u32, u32)>,
    born: Instant,
    /// When the next check starts. `None`: when somebody asks for it, or after the one that runs.
    due: Option<Instant>,
    running: Option<Running>,
}

/// A check that runs.
#[derive(Debug)]
struct Running {
    joiner: Child,
    /// `None`: its time was over, and the joiner is about to end.
    talk: Option<OwnedFd>,
    start: String,
    deadline: Instant,
    output: Vec<u8>,
}

/// What a check has led to.
#[derive(Debug)]
pub struct Verdict {
    code: i32,
    /// What those are told who asked for the check, where the code does not say it.
    message: Option<String>,
    /// What is to be done about the container.
    pub act: OnFailure,
}

impl Verdict {
    /// For those who asked.
    pub fn words(&self) -> ToClient<'_> {
        match &self.message {
            Some(message) => ToClient::Failed { code: 125, message },
            None => ToClient::Exited(self.code),
        }
    }
}

impl Health {
    /// From now on. `None`: there is no descriptor left for it.
    pub fn begin(job: &HealthJob, patient: &Patient) -> Option<Self> {
        let found: health::Health = records::read(&job.path).ok().flatten().unwrap_or_default();
        let mut health = Self {
            config: job.config.clone(),
            path: job.path.clone(),
            directory: patient.directory.clone(),
            join: Join { pid: patient.pid, recorded: patient.recorded, ..job.join.clone() },
            init: patient.init.try_clone().ok()?,
            found: health::Health { status: Status::Starting, failing_streak: 0, ..found },
            startup: job.config.startup.as_ref().map(|_| (0, 0)),
            born: Instant::now(),
            due: None,
            running: None,
        };
        health.schedule(Duration::ZERO);
        health.write();
        Some(health)
    }

    /// The startup check, until it has succeeded.
    fn check(&self) -> &Check {
        self.config.startup.as_ref().filter(|_| self.startup.is_some()).unwrap_or(&self.config.check)
    }

    fn schedule(&mut self, pause: Duration) {
        self.due = (self.check().interval > 0).then(|| Instant::now() + pause);
    }

    /// A file that can't be written is as old as it is: the checks go on.
    fn write(&self) {
        let _ = records::write(&self.path, &self.found, false);
    }

    /// What is to be waited for beside time.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        let running = self.running.as_ref()?;
        Some(running.talk.as_ref().unwrap_or(&running.joiner.pidfd).as_fd())
    }

    /// How long there is nothing to do. `None`: until something is heard.
    pub fn patience(&self) -> Option<Duration> {
        let next = match &self.running {
            Some(running) => running.talk.as_ref().map(|_| running.deadline),
            None => self.due,
        };
        Some(next?.saturating_duration_since(Instant::now()))
    }

    /// Somebody asks: the check that runs will tell, or one that starts now.
    pub fn demand(&mut self) {
        if self.running.as_ref().is_none_or(|running| running.talk.is_none()) {
            self.due = Some(Instant::now());
        }
    }

    fn is_paused(&self) -> bool {
        Group::of_process(&self.join.pid.to_string()).is_some_and(|group| group.is_frozen())
    }

    /// Does what is due.
    pub fn keep_time(&mut self) -> Option<Verdict> {
        let now = Instant::now();
        let due = self.due.is_some_and(|due| due <= now);
        let paused = due && self.is_paused();
        match &mut self.running {
            Some(running) if running.talk.is_some() && running.deadline <= now => {
                running.talk = None;
                let start = std::mem::take(&mut running.start);
                let timeout = Duration::from_nanos(self.check().timeout);
                let message = format!("healthcheck command exceeded timeout of {timeout:?}");
                Some(Verdict { message: Some(message), ..self.conclude(start, -1, String::new()) })
            }
            // Nobody in there could answer.
            None if paused => {
                self.schedule(Duration::from_nanos(self.check().interval));
                None
            }
            None if due => match self.start() {
                Ok(running) => {
                    self.due = None;
                    self.running = Some(running);
                    None
                }
                Err(error) => {
                    self.schedule(Duration::from_nanos(self.check().interval));
                    Some(self.conclude(state::now(), 125, error.to_string()))
                }
            },
            Some(_) | None => None,
        }
    }

    /// So many checks have failed that it is known to be.
    pub fn is_unwell(&self) -> bool {
        self.found.status == Status::Unhealthy
    }

    /// The last check was passed, and all that had to be before.
    pub fn is_well(&self) -> bool {
        self.startup.is_none() && self.found.status == Status::Healthy
    }

    fn start(&self) -> Result<Running, role::Error> {
        let (ours, theirs) = handshake::pair()?;
        // The joiner waits for the word that its ids are mapped: they are this process's.
        let (word, heard) = handshake::pair()?;
        rustix::net::send(&word, b"G", SendFlags::NOSIGNAL).call("send(to the joiner)")?;
        let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
        let mut join = self.join.clone();
        join.process.args = self.check().args();
        let fds = vec![theirs.as_fd(), self.init.as_fd(), heard.as_fd()];
        let joiner = Start { role: Role::Joiner, stdio, fds }.run(&join)?;
        let deadline = Instant::now() + Duration::from_nanos(self.check().timeout);
        Ok(Running { joiner, talk: Some(ours), start: state::now(), deadline, output: Vec::new() })
    }

    /// Takes one word of the joiner's, or notes that it has ended.
    pub fn hear(&mut self) -> Option<Verdict> {
        let most = if self.config.max_log_size == 0 { MOST_OUTPUT } else { self.config.max_log_size.min(MOST_OUTPUT) };
        let running = self.running.as_mut()?;
        let Some(talk) = &running.talk else {
            self.running = None;
            self.next();
            return None;
        };
        let mut buffer = [0; CHUNK + 16];
        let count = match rustix::net::recv(talk, &mut buffer[..], RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNRESET) => return None,
            Err(_) => 0,
            Ok((count, _)) => count,
        };
        let code = match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
            Some(ToClient::Output(bytes) | ToClient::ErrorOutput(bytes)) => {
                let room = most.saturating_sub(running.output.len());
                running.output.extend(bytes.iter().take(room));
                return None;
            }
            Some(ToClient::Exited(code)) => code,
            Some(ToClient::Failed { code, message }) => {
                running.output.extend(message.bytes().take(most));
                code.into()
            }
            Some(ToClient::Started(_) | ToClient::Notice(_)) => return None,
            // It ended without a word.
            None => 125,
        };
        let Running { start, output, .. } = self.running.take()?;
        let verdict = self.conclude(start, code, String::from_utf8_lossy(&output).into_owned());
        self.next();
        Some(verdict)
    }

    fn next(&mut self) {
        // Asked for meanwhile, or due after a startup check: at once.
        if self.due.is_none() {
            self.schedule(Duration::from_nanos(self.check().interval));
        }
    }

    /// Writes down how a check ended, and what follows.
    fn conclude(&mut self, start: String, exit_code: i32, output: String) -> Verdict {
        let entry = Entry { start, end: state::now(), exit_code, output };
        let act = match (&mut self.startup, &self.config.startup) {
            (Some((successes, failures)), Some(check)) => {
                (*successes, *failures) = if exit_code == 0 { (*successes + 1, 0) } else { (0, *failures + 1) };
                let gives_up = check.retries > 0 && *failures >= check.retries;
                if *successes >= check.successes.max(1) {
                    self.startup = None;
                    self.schedule(Duration::ZERO);
                }
                self.found.remember(&self.config, entry);
                if gives_up { OnFailure::Restart } else { OnFailure::None }
            }
            _ => {
                let counts = self.born.elapsed() >= Duration::from_nanos(self.config.check.start_period);
                self.found.add(&self.config, entry, counts);
                let unhealthy = self.found.status == Status::Unhealthy;
                if unhealthy { self.config.on_failure } else { OnFailure::None }
            }
        };
        self.write();
        if let Ok(Some(container)) = records::read::<Container>(&self.directory.join("container.json")) {
            let mut event = Event::of(&container, Action::HealthStatus);
            event.health = self.found.status.name().to_owned();
            events::record(&self.join.data, &[event]);
        }
        // Until the next check nothing of all this is needed.
        memory::release_freed();
        memory::release_program_pages();
        Verdict { code: exit_code, message: None, act }
    }
}
