//! `stop` and `kill`: a signal by pidfd, and waiting for the end without taking a lock.
//!
//! What a container does, two things tell together:
//!
//! | lock | `state.json` | it |
//! |---|---|---|
//! | free | whatever | does not run |
//! | held | running, and that process lives | runs |
//! | held | restarting | waits for its next life: the monitor stands for the program |
//! | held | anything else | starts, or ends: a moment later it is one of the others |
//!
//! What a user stops or kills is not restarted: the monitor is told so ([`GIVE_UP`]) before the program is ended.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::container::control::GIVE_UP;
use crate::container::find::Found;
use crate::container::job::WRITE_BACK;
use crate::container::state::{State, Status};
use crate::container::watch::events::{self, Action};
use crate::container::{Error, Result};
use crate::host::lock;
use crate::sys;

/// How long a killed program may take to end: the kernel tears down namespaces.
const AFTER_KILL: Duration = Duration::from_secs(10);
/// How long a start is waited for before a signal is given up.
const IN_BETWEEN: Duration = Duration::from_secs(10);
/// How long a container may take to end once its program has: a monitor sees what it wrote written back, and writes a record.
const LAST_OF_ALL: Duration = WRITE_BACK.saturating_add(AFTER_KILL);
const PAUSE: Duration = Duration::from_millis(5);

/// A program that runs, or the monitor that will start it again.
struct Program {
    pidfd: OwnedFd,
    state: State,
}

/// Sends a signal to the program.
pub fn signal(found: &Found, number: i32) -> Result<()> {
    let short = found.container.short_id();
    let program = program(&found.directory, short)?.ok_or_else(|| Error::NotRunning(short.to_owned()))?;
    give_up(&found.directory, &program);
    send(&program, number)?;
    events::record_of(found.root(), &found.container, &[Action::Kill], None);
    Ok(())
}

/// Stops the program: its stop signal, `patience`, the kill. A container that does not run is left as it is.
pub fn stop(found: &Found, patience: Duration) -> Result<()> {
    let short = found.container.short_id();
    let mut stopped = false;
    // Again, if its monitor had decided on a restart before it heard of this.
    while let Some(program) = program(&found.directory, short)? {
        give_up(&found.directory, &program);
        // A signal that can't be sent is no reason to leave the program running.
        let obeys = !patience.is_zero()
            && send(&program, found.container.stop_signal).is_ok()
            && ended(&found.directory, &program, patience)?;
        if !obeys {
            end(&found.directory, short, &program)?;
        }
        stopped = true;
    }
    if stopped {
        events::record_of(found.root(), &found.container, &[Action::Stop], None);
    }
    Ok(())
}

/// Kills the program of a container of which nothing but its state is known.
pub fn kill(directory: &Path, id: &str) -> Result<()> {
    let short = id.get(..12).unwrap_or(id);
    while let Some(program) = program(directory, short)? {
        give_up(directory, &program);
        end(directory, short, &program)?;
    }
    Ok(())
}

/// Whether the container runs, once a start or an end that is under way is over.
pub fn runs(directory: &Path, id: &str) -> Result<bool> {
    Ok(program(directory, id.get(..12).unwrap_or(id))?.is_some())
}

fn end(directory: &Path, short: &str, program: &Program) -> Result<()> {
    send(program, libc::SIGKILL)?;
    if ended(directory, program, AFTER_KILL)? { Ok(()) } else { Err(Error::Unkillable(short.to_owned())) }
}

/// Tells the monitor that the user wants an end, and wakes one that somebody has stopped: it has to see to that end. One that
/// can't be told has ended, or is about to.
fn give_up(directory: &Path, program: &Program) {
    if let Some(monitor) = monitor(directory, &program.state) {
        for number in [GIVE_UP, libc::SIGCONT] {
            let _ = sys::signal::send(monitor.as_fd(), number);
        }
    }
}

/// The monitor that wrote the state.
fn monitor(directory: &Path, state: &State) -> Option<OwnedFd> {
    let pid = Pid::from_raw(state.monitor_pid)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Looked at after the descriptor was opened: a lock still held means that the pid was still the monitor's.
    let lives = state.is_here() && lock::is_held(&directory.join("lock")).is_ok_and(|held| held);
    lives.then_some(pidfd)
}

fn send(program: &Program, number: i32) -> Result<()> {
    // There is no program between two lives, and the monitor has been told.
    let number = if program.state.restarting { GIVE_UP } else { number };
    match sys::signal::send(program.pidfd.as_fd(), number) {
        // It is gone, and its monitor about to be.
        Err(error) if error.errno() == libc::ESRCH => Ok(()),
        other => Ok(other?),
    }
}

/// The program, once a start that is under way has come so far. `None`: it does not run.
fn program(directory: &Path, short: &str) -> Result<Option<Program>> {
    let begun = Instant::now();
    loop {
        let state = State::read(directory)?;
        if state.restarting
            && let Some(pidfd) = monitor(directory, &state)
        {
            return Ok(Some(Program { pidfd, state }));
        }
        if state.status == Status::Running {
            if !state.is_of_this_machine() {
                return Err(Error::Elsewhere { id: short.to_owned(), host: state.host });
            }
            // None: the record of an earlier life, or of one that is just over.
            if let Some(pidfd) = state.pidfd() {
                return Ok(Some(Program { pidfd, state }));
            }
        }
        if !lock::is_held(&directory.join("lock"))? {
            return Ok(None);
        }
        // Its program was there, and is gone.
        let is_ending = state.status == Status::Running && !state.restarting;
        if begun.elapsed() >= if is_ending { LAST_OF_ALL } else { IN_BETWEEN } {
            return Err(Error::InBetween(short.to_owned()));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits for the end of the program, by pidfd, then of its monitor: until the lock is free, or another life has begun.
fn ended(directory: &Path, program: &Program, limit: Duration) -> Result<bool> {
    let deadline = Instant::now() + limit;
    let between = program.state.restarting;
    if !between && !gone(&program.pidfd, Some(deadline))? {
        return Ok(false);
    }
    let deadline = deadline.max(Instant::now() + if between { AFTER_KILL } else { LAST_OF_ALL });
    while lock::is_held(&directory.join("lock"))? {
        let state = State::read(directory)?;
        if (between && !state.restarting)
            || (state.status == Status::Running && state.started_at != program.state.started_at)
        {
            break;
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(true)
}

/// Waits until the process has ended; `false`: it has not by then.
pub(super) fn gone(pidfd: &OwnedFd, deadline: Option<Instant>) -> Result<bool> {
    loop {
        let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let rest = rest.map(|rest| Timespec { tv_sec: rest.as_secs() as i64, tv_nsec: i64::from(rest.subsec_nanos()) });
        let mut polled = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        match poll(&mut polled, rest.as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(sys::Error::new("poll", error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::life::wait::Watched;
    use crate::host::lock::Lock;
    use crate::store::records;
    use crate::store::testing::Scratch;
    use crate::sys::process::start_time;

    fn end_at(directory: &Path) -> Result<Option<i32>> {
        Watched::open(directory)?.map_or(Ok(None), |watched| watched.end())
    }

    /// A container that starts, runs a program that never ends by itself, records its end and goes away: what a monitor does.
    fn live(scratch: &Scratch, directory: &Path, lock: Lock) {
        let pause = Duration::from_millis(100);
        std::thread::sleep(pause);
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let running = State {
            status: Status::Running,
            pid,
            start_time: start_time(pid).unwrap(),
            started_at: "now".into(),
            ..State::on_this_machine()
        };
        records::write(&directory.join("state.json"), &running, false).unwrap();
        child.wait().unwrap();
        std::thread::sleep(pause);
        let ended = State { status: Status::Exited, exit_code: Some(7), pid: 0, ..running };
        records::write(&directory.join("state.json"), &ended, false).unwrap();
        drop(scratch.store.retire(directory, lock).unwrap());
    }

    /// The record says the end a moment before the lock is free.
    #[test]
    fn one_that_has_just_ended_does_not_run() {
        let scratch = Scratch::new("ends");
        let directory = scratch.store.layout().container(&"cd".repeat(32));
        std::fs::create_dir(&directory).unwrap();
        let ended = State { status: Status::Exited, exit_code: Some(0), ..State::on_this_machine() };
        records::write(&directory.join("state.json"), &ended, false).unwrap();
        let lock = Lock::try_exclusive(&directory.join("lock")).unwrap().unwrap();
        std::thread::scope(|scope| {
            let id = "cd".repeat(32);
            let store = &scratch.store;
            let removing = scope.spawn(move || crate::container::life::remove::remove_broken(store, &id, false));
            std::thread::sleep(Duration::from_millis(100));
            drop(lock);
            removing.join().unwrap().unwrap();
        });
        assert!(!directory.exists());
    }

    #[test]
    fn one_that_starts_is_killed_and_its_code_outlives_its_directory() {
        let scratch = Scratch::new("stop");
        let id = "ab".repeat(32);
        let directory = scratch.store.layout().container(&id);
        std::fs::create_dir(&directory).unwrap();
        // The end of an earlier life, as a start finds it.
        let earlier = State { status: Status::Exited, exit_code: Some(1), ..State::on_this_machine() };
        records::write(&directory.join("state.json"), &earlier, false).unwrap();
        drop(Lock::try_exclusive(&directory.join("lock")).unwrap());
        assert!(program(&directory, "x").unwrap().is_none());
        assert_eq!(end_at(&directory).unwrap(), Some(1));
        let lock = Lock::try_exclusive(&directory.join("lock")).unwrap().unwrap();
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| end_at(&directory).unwrap())).collect();
            let killing = scope.spawn(|| kill(&directory, &id).unwrap());
            live(&scratch, &directory, lock);
            killing.join().unwrap();
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap(), Some(7));
            }
        });
        assert!(!directory.exists());
        assert_eq!(end_at(&directory).unwrap(), None);
    }
}
