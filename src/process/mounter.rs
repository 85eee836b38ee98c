//! The mounter: serves one container's FUSE overlay from its mount to its end.
//!
//! Started by the monitor (see [`crate::overlay::start`] for job, descriptors and the packet that it answers with), as root of
//! the user's namespace. It ends when the mount is gone or when the socket to the monitor closes, whichever comes first.
//!
//! Landlock does not hold it, as it holds the workers: what it reads comes from the kernel, which has checked it, and each file is
//! reached beneath a descriptor. A second wall would have to leave it the directory around the upper one (the owners' journal),
//! /dev/fuse (a channel for each thread) and /proc (a file that is open for reading is opened again for writing), and each open of each
//! file would pay for it: 0.6 µs at a depth of six, beside 1.3 without.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;

use crate::host::role;
use crate::overlay::session::{self, Options};
use crate::overlay::start::{Job, send_mount, send_reason};
use crate::overlay::{Error, Stack, Upper};
use crate::sys::process::{exit_now, raise_descriptor_limit};
use crate::sys::{memory, signal};

/// At most so many directories are held open, and at most a quarter of what the process may open: as much again is for files,
/// the rest for those that lost their name while they were open, and for the moment.
const DIRECTORIES: u64 = 4096;

/// When a container has started, if it has started at all.
const SETTLED: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

pub fn main() -> ExitCode {
    // Without the socket there is nobody to tell.
    let (Ok(job), Ok(socket)) = (role::job::<Job>(), role::inherited(0)) else { return ExitCode::FAILURE };
    match serve(&job, &socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = send_reason(socket.as_fd(), &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn serve(job: &Job, socket: &OwnedFd) -> Result<(), Error> {
    let options = Options {
        threads: job.threads.unwrap_or_else(cores),
        directories: (raise_descriptor_limit() / 4).min(DIRECTORIES) as usize,
        features: job.features.clone(),
    };
    // A unit that is stopped tells all its processes, and the container's program is to end first, with its files.
    signal::pass_over()?;
    // What the container's programs mask, they mask themselves.
    rustix::process::umask(Mode::empty());
    let (mounted, mount) = session::mount(stack(job)?, options)?;
    send_mount(socket.as_fd(), mount.as_fd())?;
    drop(mount);
    end_with(socket)?;
    mounted.serve()
}

/// How many processors this process may use, without all that the standard library reads of control groups.
fn cores() -> usize {
    rustix::thread::sched_getaffinity(None).map_or(1, |set| set.count() as usize)
}

/// The descriptors that the job counts.
fn stack(job: &Job) -> Result<Stack, Error> {
    let mut next = 1;
    let mut take = || -> Result<OwnedFd, Error> {
        let fd = role::inherited(next)?;
        next += 1;
        Ok(fd)
    };
    let upper = if job.has_upper { Some(Upper { dir: take()?, work: take()? }) } else { None };
    let lowers = (0..job.lowers).map(|_| take()).collect::<Result<_, _>>()?;
    Ok(Stack { lowers, upper })
}

/// Ends this process when the other side of the socket is closed.
fn end_with(socket: &OwnedFd) -> Result<(), Error> {
    use crate::sys::Call;
    let socket = socket.try_clone().call("dup(socket)")?;
    let watch = move || {
        let mut first = Some(&SETTLED);
        loop {
            // Beside this only a hang-up is reported, which needs no asking for.
            let mut fds = [PollFd::new(&socket, PollFlags::RDHUP)];
            match poll(&mut fds, first.take()) {
                Err(rustix::io::Errno::INTR) => {}
                // The start is over; from here on a small part of the program serves, perhaps for months.
                Ok(0) => memory::release_program_pages(),
                _ => exit_now(0),
            }
        }
    };
    std::thread::Builder::new().name("watch".to_owned()).spawn(watch).call("clone(watch)")?;
    Ok(())
}
