//! The only code that runs between clone and exec: it carries out a plan and becomes the program.
//!
//! What must stay true: this process is a copy of the single-threaded monitor, so no lock is held by a thread that does not
//! exist here; it makes raw system calls, starts nothing, logs nothing, and never returns: it becomes the program or sends a
//! failure and ends at once. Paths of the container are resolved beneath its root by descriptor and nothing else.
//!
//! The order of [`enter`], which is forced: what is in reach shrinks from step to step, and rights go last.
//!
//! ```text
//!  as whom              in reach                what is done, and where
//!  ───────              ────────                ──────────────────────
//!  the user, with all   the host                a session, signals and a keyring of its own
//!  rights in the new                            what the steps bind is taken: mounts::sources
//!  namespaces                                   the root file system is attached: root
//!  their root                                   settings are written to /proc/sys: settings
//!                       the container's root,   the steps: mounts, devices, secret
//!                       by its descriptor       the terminal: terminal
//!    ── Mounted; the monitor runs hooks; Go ──
//!                       the container           pivot_root: root; limits: privileges; standard streams
//!    ── Ready; the monitor records it and connects it to the network; Start ──
//!                       and no descriptor       all but the standard ones are closed
//!  the program's user                           capabilities and ids are given up: privileges
//!                                               the working directory is entered: exec
//!                                               filters are loaded: privileges; execve: exec
//! ```
//!
//! [`join`] is the same for `exec`: what has been made already is entered.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod devices;
mod exec;
pub mod join;
mod mounts;
mod privileges;
mod root;
mod secret;
mod settings;
mod terminal;

use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

use nix::sched::{CloneFlags, unshare};

pub use root::normal;

use super::handshake::{self, Failure, ToInit};
use super::plan::Plan;
use crate::host::id_map;
use crate::runtime::identity::Identity;
use crate::sys::process::{self, Handed};
use crate::sys::{self, Call, signal};

/// Everything that init needs beside the plan, made ready before the clone.
#[derive(Debug)]
pub struct Prepared {
    /// The root file system as a detached mount.
    pub root: OwnedFd,
    /// Detached mounts for steps, by their number.
    pub served: Vec<(usize, OwnedFd)>,
    pub program: Program,
    /// Standard input, output and error of the program, where it gets no terminal.
    pub stdio: Option<[OwnedFd; 3]>,
    /// Descriptors that are handed on.
    pub handed_on: Vec<Handed>,
    /// init's end of the handshake, its number above all that the program gets.
    pub channel: OwnedFd,
}

/// What is executed, and who it is.
#[derive(Debug)]
pub struct Program {
    pub identity: Identity,
    /// Where the program may be, in the order of PATH.
    pub candidates: Vec<CString>,
    pub args: Vec<CString>,
    pub env: Vec<CString>,
    pub filters: Filters,
}

/// The filters of system calls; each may be absent.
#[derive(Debug, Default)]
pub struct Filters {
    /// What the container may do.
    pub container: Vec<libc::sock_filter>,
    /// Root emulation in which a listener is asked about owners, and what is loaded where the kernel grants no listener.
    pub listened: Vec<libc::sock_filter>,
    pub emulation: Vec<libc::sock_filter>,
}

/// Becomes the program, or tells why not and ends.
pub fn run(plan: &Plan, prepared: &Prepared) -> ! {
    let Err(failure) = enter(plan, prepared);
    handshake::send_failure(prepared.channel.as_fd(), &failure);
    process::exit_now(1)
}

fn enter(plan: &Plan, prepared: &Prepared) -> Result<Infallible, Failure> {
    let word = set_up(plan, prepared).map_err(|error| Failure::setup(&error))?;
    exec::enter_directory(&plan.process.cwd)?;
    let restricted = privileges::restrict(&plan.process, &prepared.program.filters, prepared.channel.as_fd());
    restricted.map_err(|error| Failure::setup(&error))?;
    if word == ToInit::Look {
        exec::look(&prepared.program)?;
        process::exit_now(0)
    }
    Err(exec::become_program(&prepared.program))
}

/// The word on which it went on.
fn set_up(plan: &Plan, prepared: &Prepared) -> sys::Result<ToInit> {
    let channel = prepared.channel.as_fd();
    handshake::await_word(channel, &[ToInit::Go])?;
    if plan.namespaces & libc::CLONE_NEWCGROUP as u64 != 0 {
        unshare(CloneFlags::CLONE_NEWCGROUP).call("unshare(cgroup)")?;
    }
    rustix::process::setsid().call("setsid")?;
    signal::reset()?;
    process::leave_session_keyring()?;
    rustix::process::umask(rustix::fs::Mode::empty());
    if plan.loopback {
        sys::interface::bring_up_loopback()?;
    }
    settings::oom_score(plan.process.oom_score_adj)?;
    settings::profile(plan.process.apparmor.as_deref())?;
    settings::label(plan.process.selinux.as_deref())?;
    let sources = mounts::sources(&plan.steps, &prepared.served)?;
    let root = root::attach(prepared.root.as_fd(), &plan.root)?;
    if id_map::outward(&plan.maps.uids, 0).is_some() {
        // What is made from here on is the container's root's, whoever the user is in there.
        privileges::become_root()?;
    }
    settings::write_all(&plan.sysctls)?;
    mounts::carry_out(root.as_fd(), &plan.steps, &sources)?;
    drop(sources);
    let slave = match plan.process.terminal {
        Some(size) => Some(terminal::open_console(root.as_fd(), size, prepared.program.identity.uid, channel)?),
        None => None,
    };
    if plan.has_hooks_before_root() {
        handshake::send_mounted(channel)?;
        handshake::await_word(channel, &[ToInit::Go])?;
    }
    root::enter(root.as_fd(), plan.root_read_only)?;
    if let Some(name) = &plan.hostname {
        rustix::system::sethostname(name.as_bytes()).call("sethostname")?;
    }
    privileges::limits(&plan.process.rlimits)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(plan.process.umask));
    match (&slave, &prepared.stdio) {
        (Some(slave), _) => process::set_standard([slave.as_fd(); 3])?,
        (None, Some([input, output, error])) => process::set_standard([input.as_fd(), output.as_fd(), error.as_fd()])?,
        (None, None) => {}
    }
    handshake::send_ready(channel)?;
    let word = handshake::await_word(channel, &[ToInit::Start, ToInit::Look])?;
    drop((root, slave));
    // Before the working directory is entered: `/proc/self/fd/N` as one must not lead to a directory of the host.
    process::leave_only(&prepared.handed_on, channel)?;
    privileges::take_identity(&prepared.program.identity, plan.process.capabilities)?;
    if plan.namespaces & libc::CLONE_NEWPID as u64 == 0 {
        privileges::end_with_parent()?;
    }
    Ok(word)
}
