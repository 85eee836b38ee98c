//! The container's hooks, each at its moment (see [`Moment`]).
//!
//! ```text
//!   init: Mounted ──▶ createRuntime, createContainer ──▶ Go      init: Ready ──▶ startContainer ──▶ Start
//!   the program runs ──▶ poststart                               it has ended, or never ran ──▶ poststop
//! ```
//!
//! Those that belong outside, or beside what is mounted, are this machine's programs and run by this process; what is to run in
//! the container is one of its own programs and gets no more than any command there: a joiner runs it, as for `exec`.

use std::os::fd::{AsFd, OwnedFd};

use oci_spec::runtime::{ContainerState, StateBuilder};
use rustix::net::{RecvFlags, SendFlags};

use crate::container::control::{CHUNK, ToClient};
use crate::container::into::exec::Join as Command;
use crate::container::job::{Job, Streams};
use crate::host::role::{self, Role, Start};
use crate::oci::hook::{Hook, Moment};
use crate::process::session::refusal::Refusal;
use crate::runtime::handshake;
use crate::runtime::outside::hook::{self, Listening};
use crate::runtime::outside::init::Init;
use crate::runtime::outside::join::Join;
use crate::runtime::plan::Process;
use crate::sys::{self, Call};

#[derive(Debug, thiserror::Error)]
enum Error {
    /// In there it would be at the mercy of whoever may trace others.
    #[error("is not run in a user namespace of another container, whose programs could take it over")]
    Exposed,
    #[error(transparent)]
    Hook(#[from] hook::Error),
    #[error("can't be run: {0}")]
    Role(#[from] role::Error),
    #[error("can't be run: {0}")]
    System(#[from] sys::Error),
}

/// Runs those of this moment, in their order, up to the first that fails. `recorded`: owners are written down.
pub fn run(job: &Job, moment: Moment, init: &Init, recorded: bool) -> Result<(), Refusal> {
    let run = |hook| match moment {
        Moment::CreateContainer => beside(job, hook, init),
        Moment::StartContainer => inside(job, hook, init, recorded),
        Moment::CreateRuntime | Moment::Poststart | Moment::Poststop => outside(job, hook, Some(init)),
    };
    let mut hooks = of(job, moment);
    hooks.try_for_each(|hook| run(hook).map_err(|error| Refusal::ours(words(hook, &error))))
}

/// Those that come last; one that fails keeps no other from it. What was wrong.
pub fn afterwards(job: &Job) -> String {
    let failure = |hook| outside(job, hook, None).err().map(|error| words(hook, &error));
    of(job, Moment::Poststop).filter_map(failure).collect::<Vec<_>>().join("\n")
}

fn of(job: &Job, moment: Moment) -> impl Iterator<Item = &Hook> {
    job.plan.hooks.iter().filter(move |hook| hook.moment == moment)
}

fn words(hook: &Hook, error: &Error) -> String {
    let (path, moment) = (hook.path.display(), hook.moment.name());
    format!(
        "the hook `{path}` ({moment}) {error}\nhint: the file in /etc/cdi, /var/run/cdi or ~/.config/cdi that describes the device names it"
    )
}

/// What a hook reads: the container's state, as the runtime specification has it. The bundle is the container's directory.
fn state(job: &Job, hook: &Hook, init: Option<&Init>) -> Result<OwnedFd, role::Error> {
    let id = job.directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let status = match hook.moment {
        Moment::CreateRuntime | Moment::CreateContainer => ContainerState::Creating,
        Moment::StartContainer => ContainerState::Created,
        Moment::Poststart => ContainerState::Running,
        Moment::Poststop => ContainerState::Stopped,
    };
    let mut state = StateBuilder::default().version("1.2.0").id(id).status(status).bundle(&job.directory);
    if let Some(init) = init {
        state = state.pid(init.host_pid);
    }
    role::pack(&state.build().unwrap_or_default())
}

fn outside(job: &Job, hook: &Hook, init: Option<&Init>) -> Result<(), Error> {
    Ok(hook::run(hook, &[], state(job, hook, init)?.as_fd())?)
}

/// In the container's namespaces, before its root is entered.
fn beside(job: &Job, hook: &Hook, init: &Init) -> Result<(), Error> {
    if job.plan.joined & libc::CLONE_NEWUSER as u64 != 0 {
        return Err(Error::Exposed);
    }
    let fd = init.child.pidfd.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")?;
    let join = Join { flags: job.plan.namespaces | job.plan.joined, fd };
    Ok(hook::run(hook, &[join], state(job, hook, Some(init))?.as_fd())?)
}

/// A command in the container: as its program's user, with its capabilities, its filter and its limits.
fn inside(job: &Job, hook: &Hook, init: &Init, recorded: bool) -> Result<(), Error> {
    let path = hook.path.to_string_lossy().into_owned();
    let args = std::iter::once(path).chain(hook.args.iter().skip(1).cloned()).collect();
    let program = &job.plan.process;
    let command = Command {
        process: Process {
            args,
            env: hook.env.clone(),
            cwd: "/".to_owned(),
            terminal: None,
            init: false,
            ..program.clone()
        },
        namespaces: job.plan.namespaces | job.plan.joined,
        pid: init.host_pid,
        one_id: job.one_id,
        recorded,
        streams: Streams::Given,
        handed_on: Vec::new(),
        data: job.data.clone(),
        end: None,
        session: None,
    };
    let (mut listening, output) = Listening::begin(hook)?;
    let (ours, theirs) = handshake::pair()?;
    // The joiner waits for the word that its ids are mapped: they are this process's.
    let (word, heard) = handshake::pair()?;
    rustix::net::send(&word, b"G", SendFlags::NOSIGNAL).call("send(to the joiner)")?;
    let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let state = state(job, hook, Some(init))?;
    let given = [state.as_fd(), output.as_fd(), output.as_fd()];
    let fds = [theirs.as_fd(), init.child.pidfd.as_fd()].into_iter().chain(given).chain([heard.as_fd()]).collect();
    let joiner = Start { role: Role::Joiner, stdio, fds }.run(&command)?;
    drop((theirs, output));
    let ended = loop {
        if !listening.until(ours.as_fd())? {
            break Err(listening.late());
        }
        let mut buffer = [0; CHUNK + 16];
        let (count, _) = rustix::net::recv(&ours, &mut buffer[..], RecvFlags::empty()).call("recv(from the joiner)")?;
        match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
            Some(ToClient::Exited(code)) => break listening.ended(code),
            Some(ToClient::Failed { code, message }) => {
                break Err(hook::Error::Failed { code: code.into(), words: message.to_owned() });
            }
            Some(_) => {}
            None => break listening.ended(125),
        }
    };
    // It ends the command where that still runs.
    drop(ours);
    joiner.wait()?;
    Ok(ended?)
}
