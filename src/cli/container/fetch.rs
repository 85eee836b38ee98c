//! Pulling what `run` lacks, in a process of its own: the client of the network, its threads and its memory stay off the way to
//! a container's start, whose launcher must have one thread.

use std::ffi::CString;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::{stderr, stdin};

use crate::cli::image::pull::From;
use crate::cli::{Context, Report};
use crate::host::systemd::notify::Notifier;
use crate::host::{fault, role};
use crate::sys::Call;
use crate::sys::process::Spawn;

/// How often the service manager hears that a pull goes on, and how many microseconds more it is to be patient each time.
const PAUSE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
const MORE: u64 = 60_000_000;

/// When to pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    Missing,
    Always,
    Newer,
    Never,
}

/// Pulls an image, its progress on standard error; gives its id. `silent`: nothing is said, even if that fails.
pub fn pull(context: &Context, image: &str, quiet: bool, from: &From, silent: bool) -> Result<String, Report> {
    let mut args = vec!["coracle".to_owned()];
    if let Some(root) = &context.global.root {
        args.push(format!("--root={}", root.display()));
    }
    args.extend(["pull".to_owned(), "--no-artifacts".to_owned()]);
    if quiet {
        args.push("--quiet".into());
    }
    args.extend(from.arguments());
    args.extend(["--".to_owned(), image.to_owned()]);
    let args = args.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>().map_err(Report::new)?;
    fault::point("fetch: start the pull").call("start the pull")?;
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).call("pipe2")?;
    let credentials = from.credentials().map(CString::new).transpose().map_err(Report::new)?;
    let env = role::environment().into_iter().chain(credentials).collect();
    let nowhere = match silent {
        true => Some(std::fs::OpenOptions::new().write(true).open("/dev/null").call("open(/dev/null)")?),
        false => None,
    };
    let spawn = Spawn {
        program: c"/proc/self/exe".to_owned(),
        args,
        env,
        fds: vec![stdin(), write.as_fd(), nowhere.as_ref().map_or(stderr(), AsFd::as_fd)],
    };
    let child = spawn.start()?;
    drop(write);
    extend_start(&read);
    let mut said = String::new();
    let told = std::fs::File::from(read).read_to_string(&mut said);
    // It has said why.
    if !child.wait()?.success() {
        return Err(Report::silent(125));
    }
    told.call("read(pipe from the pull)")?;
    Ok(said.lines().last().unwrap_or_default().to_owned())
}

/// A service that starts has as long as the pull takes: until that says something.
fn extend_start(talk: &OwnedFd) {
    let Some(manager) = Notifier::of_environment() else { return };
    loop {
        manager.tell(&format!("EXTEND_TIMEOUT_USEC={MORE}"));
        if poll(&mut [PollFd::new(talk, PollFlags::IN)], Some(&PAUSE)) != Ok(0) {
            return;
        }
    }
}
