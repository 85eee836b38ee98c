//! The forwarder: lets the command of a build's step speak to the agents for ssh that it was given.
//!
//! It accepts whoever reaches its sockets (their modes and owners say who may) and is for the agent the user who builds. It reads
//! nothing of what it carries. If the build dies, so does it.

use std::io::{Result, copy};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use crate::build::step::agents::Job;
use crate::host::role;

/// So many connections to one agent are carried at a time; others are closed at once.
const MOST: usize = 64;

pub fn main() -> ExitCode {
    let Ok(job) = role::job::<Job>() else { return ExitCode::FAILURE };
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // Whoever has died before this was asked for, is nobody's parent any more.
    if getppid() != Pid::from_raw(job.starter) {
        return ExitCode::SUCCESS;
    }
    let mut threads = Vec::new();
    for (place, agent) in job.agents.into_iter().enumerate() {
        let Ok(listener) = role::inherited(place) else { return ExitCode::FAILURE };
        match Builder::new().spawn(move || serve(&UnixListener::from(listener), agent)) {
            Ok(thread) => threads.push(thread),
            Err(_) => return ExitCode::FAILURE,
        }
    }
    threads.into_iter().for_each(|thread| drop(thread.join()));
    ExitCode::SUCCESS
}

fn serve(listener: &UnixListener, agent: PathBuf) {
    // Counted by who holds it.
    let agent = Arc::new(agent);
    while let Ok((client, _)) = listener.accept() {
        if Arc::strong_count(&agent) <= MOST {
            let agent = agent.clone();
            // Where that fails, both sides are closed, and the client hears that.
            let _ = Builder::new().spawn(move || carry(&client, &agent));
        }
    }
}

fn carry(client: &UnixStream, agent: &Path) -> Result<()> {
    // By a descriptor, since an address has room for 108 bytes.
    let file = rustix::fs::open(agent, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let agent = UnixStream::connect(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    let there = pass(client.try_clone()?, agent.try_clone()?)?;
    let back = pass(agent, client.try_clone()?)?;
    [there, back].into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// Carries one direction, to its end.
fn pass(mut from: UnixStream, mut to: UnixStream) -> Result<JoinHandle<()>> {
    Builder::new().spawn(move || {
        // What is broken is as good as ended: each side hears of it.
        let _ = copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
        let _ = from.shutdown(Shutdown::Read);
    })
}
