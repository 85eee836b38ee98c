//! Into a container that runs: what `exec` does between clone and execve, in a process that is in the container's pid namespace
//! already.
//!
//! What runs there may be hostile and sees this process from its first moment. It can neither trace it nor read its memory, its
//! descriptors or its program: the process can't be dumped, and its memory belongs to a user namespace further out.

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};

use nix::sched::{CloneFlags, setns};
use rustix::fs::{Mode, OFlags};

use super::{Program, exec, privileges, settings, terminal};
use crate::runtime::handshake::{self, Failure};
use crate::runtime::plan::Process;
use crate::sys::process::{self, Handed};
use crate::sys::{Call, Result, signal};

/// Everything that is needed beside the process of the plan, made ready before the clone.
#[derive(Debug)]
pub struct Joining {
    /// The container's init, whose namespaces are entered.
    pub init: OwnedFd,
    /// Which of them, as clone(2) flags: all that are not the host's.
    pub namespaces: u64,
    pub program: Program,
    /// User and group that the container has, where it has one of each and the program is to have others: it gets a user namespace
    /// of its own, within the container's, in which these two are shown as those.
    pub alone: Option<(u32, u32)>,
    /// Standard input, output and error of the program, where it gets no terminal.
    pub stdio: Option<[OwnedFd; 3]>,
    /// Descriptors that are handed on.
    pub handed_on: Vec<Handed>,
    /// Our end of the handshake, its number above all that the program gets.
    pub channel: OwnedFd,
}

/// Becomes the program, or tells why not and ends.
pub fn run(plan: &Process, joining: &Joining) -> ! {
    let Err(failure) = enter(plan, joining);
    handshake::send_failure(joining.channel.as_fd(), &failure);
    process::exit_now(1)
}

fn enter(plan: &Process, joining: &Joining) -> std::result::Result<Infallible, Failure> {
    set_up(plan, joining).map_err(|error| Failure::setup(&error))?;
    exec::enter_directory(&plan.cwd)?;
    let restricted = privileges::restrict(plan, &joining.program.filters, joining.channel.as_fd());
    restricted.map_err(|error| Failure::setup(&error))?;
    Err(exec::become_program(&joining.program))
}

fn set_up(plan: &Process, joining: &Joining) -> Result<()> {
    let channel = joining.channel.as_fd();
    let identity = &joining.program.identity;
    settings::oom_score(plan.oom_score_adj)?;
    settings::profile(plan.apparmor.as_deref())?;
    settings::label(plan.selinux.as_deref())?;
    // Of the host's /proc: the container's may be anything.
    let own = joining.alone.map(|ids| settings::own_directory().map(|own| (own, ids))).transpose()?;
    setns(&joining.init, CloneFlags::from_bits_retain(joining.namespaces as i32)).call("setns")?;
    rustix::process::setsid().call("setsid")?;
    signal::reset()?;
    process::leave_session_keyring()?;
    let slave = match plan.terminal {
        Some(size) => {
            let owner = joining.alone.map_or(identity.uid, |(uid, _)| uid);
            Some(terminal::open(root()?.as_fd(), size, owner, channel)?)
        }
        None => None,
    };
    privileges::limits(&plan.rlimits)?;
    rustix::process::umask(Mode::from_raw_mode(plan.umask));
    let standard = match (&slave, &joining.stdio) {
        (Some(slave), _) => [slave.as_fd(); 3],
        (None, Some([input, output, error])) => [input.as_fd(), output.as_fd(), error.as_fd()],
        (None, None) => [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()],
    };
    process::set_standard(standard)?;
    drop(slave);
    if let Some((own, ids)) = own {
        settings::enter_as(&own, ids, (identity.uid, identity.gid))?;
    }
    // Before the working directory is entered: `/proc/self/fd/N` as one must not lead to a directory of the host.
    process::leave_only(&joining.handed_on, channel)?;
    privileges::take_identity(identity, plan.capabilities)?;
    if joining.namespaces & libc::CLONE_NEWPID as u64 == 0 {
        privileges::end_with_parent()?;
    }
    Ok(())
}

/// The root of the mount namespace that was entered: the container's.
fn root() -> Result<OwnedFd> {
    rustix::fs::open(c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).call("open(/)")
}
