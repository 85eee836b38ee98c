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
use crate::oci::Platform;
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
    pull_for(context, image, quiet, (from, None), silent)
}

/// The same for this platform, where one is named, whatever the flags say.
pub fn pull_for(
    context: &Context,
    image: &str,
    quiet: bool,
    (from, platform): (&From, Option<&Platform>),
    silent: bool,
) -> Result<String, Report> {
    let args = words(context, &["pull", "--no-artifacts"], quiet, from.arguments(platform), image)?;
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

/// Pushes an image under its name, in the same way; its progress on standard error.
pub fn push(context: &Context, image: &str, quiet: bool, from: &From) -> Result<(), Report> {
    let args = words(context, &["push"], quiet, from.reach_arguments(), image)?;
    let credentials = from.credentials().map(CString::new).transpose().map_err(Report::new)?;
    let env = role::environment().into_iter().chain(credentials).collect();
    let spawn = Spawn { program: c"/proc/self/exe".to_owned(), args, env, fds: vec![stdin(), stderr(), stderr()] };
    // It has said why.
    if spawn.start()?.wait()?.success() { Ok(()) } else { Err(Report::silent(125)) }
}

/// The command line of such a process.
fn words(
    context: &Context,
    command: &[&str],
    quiet: bool,
    flags: Vec<String>,
    image: &str,
) -> Result<Vec<CString>, Report> {
    let root = context.global.root.as_ref().map(|root| format!("--root={}", root.display()));
    let quiet = quiet.then(|| "--quiet".to_owned());
    let command = command.iter().map(|word| (*word).to_owned());
    let all = ["coracle".to_owned()].into_iter().chain(root).chain(command).chain(quiet).chain(flags);
    all.chain(["--".to_owned(), image.to_owned()]).map(|word| CString::new(word).map_err(Report::new)).collect()
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
