//! A hook: a program of this machine that is run for a container, as the user who started that.
//!
//! ```text
//!  monitor ── clone ──▶ a copy, in the monitor's namespaces or the container's: 0, 1, 2, nothing else ── execve ──▶ the hook
//!     ▲                                                                                                             │
//!     └── its last words, its end, or the end of its time ◀─────────────────────────────────────────────────────────┘
//! ```
//!
//! In the container's namespaces it runs before init has entered the container's root: paths lead through this machine's files, and
//! what it may do there as their root is nothing that the user may not. It has no filter and no limits, as with other runtimes.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Gid, Mode, Uid};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;

use super::join::{Join, clone_into};
use crate::oci::hook::Hook;
use crate::sys::process::{self, Child, Cloned};
use crate::sys::{self, Call, signal};

/// For a hook that names none.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of what it says is kept, in bytes: the last.
const MOST_WORDS: usize = 2048;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't be run: {0}")]
    System(#[from] sys::Error),
    #[error("can't be run: its path, an argument or a variable has a NUL byte")]
    Nul(#[from] std::ffi::NulError),
    #[error("failed with exit code {code}{}", Self::said(words))]
    Failed { code: i32, words: String },
    #[error("took longer than {} s{}", limit.as_secs(), Self::said(words))]
    Late { limit: Duration, words: String },
}

impl Error {
    fn said(words: &str) -> String {
        if words.is_empty() { String::new() } else { format!(": {words}") }
    }
}

/// Runs the hook in the namespaces that `joins` lead to, or in this process's, and waits for its end. `state`: what it reads.
pub fn run(hook: &Hook, joins: &[Join], state: BorrowedFd<'_>) -> Result<(), Error> {
    let path = CString::new(hook.path.as_os_str().as_bytes())?;
    let args = match hook.args.is_empty() {
        true => vec![path.clone()],
        false => strings(&hook.args)?,
    };
    let env = strings(&hook.env)?;
    let (mut listening, output) = Listening::begin(hook)?;
    let child = match clone_into(joins, 0, None)? {
        Cloned::Child => {
            let error = set_up(state, output.as_fd(), !joins.is_empty()).err();
            let error = error.unwrap_or_else(|| {
                sys::Error::new("execve", Errno::from_raw_os_error(process::exec_path(&path, &args, &env)))
            });
            let _ = rustix::io::write(&output, error.to_string().as_bytes());
            process::exit_now(127)
        }
        Cloned::Parent(child) => child,
    };
    drop(output);
    if !listening.until(child.pidfd.as_fd())? {
        end(&child);
        return Err(listening.late());
    }
    listening.ended(child.wait()?.code())
}

fn strings(texts: &[String]) -> Result<Vec<CString>, std::ffi::NulError> {
    texts.iter().map(|text| CString::new(text.as_str())).collect()
}

/// In the copy. `inside`: it is in a user namespace in which it has no user yet.
fn set_up(state: BorrowedFd<'_>, output: BorrowedFd<'_>, inside: bool) -> sys::Result<()> {
    process::set_standard([state, output, output])?;
    process::close_on_exec_from(process::FIRST_INHERITED)?;
    rustix::process::setsid().call("setsid")?;
    signal::reset()?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    if inside {
        // Where the namespace has no root, it stays who it is.
        let _ = rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)
            .and_then(|()| rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT));
    }
    let with_parent = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    with_parent.call("prctl(PR_SET_PDEATHSIG)")?;
    rustix::process::chdir(c"/").call("chdir(/)")
}

/// Ends it, with all that it has started in its session.
fn end(child: &Child) {
    let _ = rustix::process::kill_process_group(child.pid, Signal::KILL);
    let _ = signal::send(child.pidfd.as_fd(), libc::SIGKILL);
    let _ = child.wait();
}

/// Hears what a hook says, as long as it may run.
#[derive(Debug)]
pub struct Listening {
    /// `None`: nobody speaks there any more.
    pipe: Option<OwnedFd>,
    deadline: Instant,
    limit: Duration,
    last: Vec<u8>,
}

impl Listening {
    /// With where the hook is to speak.
    pub fn begin(hook: &Hook) -> sys::Result<(Self, OwnedFd)> {
        let (pipe, output) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
        let limit = hook.timeout.map_or(PATIENCE, |seconds| Duration::from_secs(seconds.into()));
        Ok((Self { pipe: Some(pipe), deadline: Instant::now() + limit, limit, last: Vec::new() }, output))
    }

    /// Waits until `fd` is ready, and has then read what was said before: whether that was in time.
    pub fn until(&mut self, fd: BorrowedFd<'_>) -> sys::Result<bool> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            let mut polled = vec![PollFd::from_borrowed_fd(fd, PollFlags::IN)];
            polled.extend(self.pipe.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            let count = match poll(&mut polled, Some(&timeout)) {
                Err(Errno::INTR) => continue,
                other => other.call("poll(hook)")?,
            };
            let ready: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
            drop(polled);
            match ready[..] {
                // What is there is read first, as long as there is something.
                [_, true] => self.read()?,
                [true, ..] => return Ok(true),
                _ if count == 0 => return Ok(false),
                _ => {}
            }
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    fn read(&mut self) -> sys::Result<()> {
        let Some(pipe) = &self.pipe else { return Ok(()) };
        let mut buffer = [0; MOST_WORDS];
        let count = match rustix::io::read(pipe, &mut buffer) {
            Err(Errno::INTR) => return Ok(()),
            other => other.call("read(hook)")?,
        };
        if count == 0 {
            self.pipe = None;
        }
        self.last.extend(buffer.iter().take(count));
        let old = self.last.len().saturating_sub(MOST_WORDS);
        self.last.drain(..old);
        Ok(())
    }

    fn words(&self) -> String {
        String::from_utf8_lossy(&self.last).trim().to_owned()
    }

    pub fn late(&self) -> Error {
        Error::Late { limit: self.limit, words: self.words() }
    }

    pub fn ended(&self, code: i32) -> Result<(), Error> {
        if code == 0 { Ok(()) } else { Err(Error::Failed { code, words: self.words() }) }
    }
}
