//! The first process of a container with `--init`: the program's parent, which reaps orphans and passes signals on.
//!
//! ```text
//!  monitor ── clone, execve of itself ─▶ init (pid 1) ── fork, execve ─▶ the program (pid 2)
//!                                         ▲ └── signals ───────────────▶
//!                                         └── orphans, the program's end: then it ends with the same code
//! ```
//!
//! It is executed through /proc/self/exe, which leads to this program on a read-only mount outside of the container, so that no
//! file of it lies in there. It runs as the program will: same user, capabilities, filters.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, wait};

use crate::sys::process::{self, Ended};
use crate::sys::signal;
use crate::sys::signalfd::{Sent, Signals};

/// What the keys of a terminal send goes to all of its foreground processes, the program among them.
const OF_TERMINAL: [i32; 4] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGWINCH];

pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(2);
    let program = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    // Taken first: one that comes while the program starts is for the program.
    let Ok(signals) = Signals::take_all() else { return ExitCode::from(125) };
    let child = match process::start_below(&program, &args) {
        // Not reaped before its end is heard of: its pid is its own.
        Ok(child) => Pid::from_child(&child),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "Error: `{}` can't be executed: {error}", program.display());
            return ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 });
        }
    };
    let Ok(pidfd) = pidfd_open(child, PidfdFlags::empty()) else { return ExitCode::from(125) };
    loop {
        let _ = poll(&mut [PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)], None);
        while let Some(sent) = signals.next() {
            match sent {
                Sent { number: libc::SIGCHLD, .. } => {
                    if let Some(ended) = reap(child) {
                        return ExitCode::from(ended.code() as u8);
                    }
                }
                Sent { number, by_kernel: true } if OF_TERMINAL.contains(&number) => {}
                Sent { number, .. } => drop(signal::send(pidfd.as_fd(), number)),
            }
        }
    }
}

/// Reaps whoever has ended; how the program did, if it is among them.
fn reap(program: Pid) -> Option<Ended> {
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == program {
            let signaled = || status.terminating_signal().map(Ended::Signaled);
            return status.exit_status().map(Ended::Exited).or_else(signaled);
        }
    }
    None
}
