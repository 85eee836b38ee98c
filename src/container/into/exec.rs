//! `exec`: one more command in a container that runs, with what the container's own program got: user, capabilities, filter, limits,
//! umask; the joiner carries it out.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use serde::{Deserialize, Serialize};

use crate::container::find::Found;
use crate::container::job::Streams;
use crate::container::mount::secret;
use crate::container::state::{State, Status};
use crate::container::watch::events::{self, Action, Event};
use crate::container::{Error, Result, apt, spec};
use crate::host::subid::IdMaps;
use crate::host::{lock, role};
use crate::oci::capability::CapabilitySet;
use crate::runtime::cgroup::Group;
use crate::runtime::cgroup::placement::Entry;
use crate::runtime::outside::launch::Launch;
use crate::runtime::plan::{Beyond, Plan, Process};
use crate::store::Store;
use crate::sys::Call;
use crate::sys::process::Handed;

/// The joiner's job. Descriptors: [`CLIENT`] our end of the talk; [`INIT`] the container's init; from [`STDIO`] on, with
/// [`Streams::Given`], the command's standard descriptors, and behind them those that are handed on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Join {
    pub process: Process,
    /// The namespaces that the container does not share with the host, as clone(2) flags.
    pub namespaces: u64,
    /// init's pid.
    pub pid: i32,
    /// The account has no other id than its own.
    pub one_id: bool,
    /// Owners are written down.
    pub recorded: bool,
    pub streams: Streams,
    /// The numbers of the descriptors that are handed on.
    pub handed_on: Vec<i32>,
    /// The root of the store.
    pub data: PathBuf,
    /// The event of its end, but for time and exit code; a health check has none.
    pub end: Option<Event>,
    /// The directory of the container whose session it is, and the session's id; a health check is none.
    pub session: Option<(PathBuf, String)>,
}

pub const CLIENT: usize = 0;
pub const INIT: usize = 1;
pub const STDIO: usize = 2;

/// What is asked for; what is not said is as the container's own program has it.
#[derive(Debug, Clone, Default)]
pub struct Command {
    pub args: Vec<String>,
    /// `NAME=value`: all of the environment but `HOME`.
    pub env: Vec<String>,
    pub working_dir: Option<String>,
    pub user: Option<String>,
    /// All capabilities.
    pub privileged: bool,
    /// Rows and columns of the terminal, where the command gets one.
    pub terminal: Option<(u16, u16)>,
}

/// Where the command's streams lead, and what it is handed.
#[derive(Debug)]
pub struct How<'a> {
    pub streams: Streams,
    /// With [`Streams::Given`]: standard input, output and error.
    pub stdio: Option<[BorrowedFd<'a>; 3]>,
    pub handed_on: &'a [Handed],
    /// The id of the session.
    pub session: &'a str,
}

/// Starts the command: our end of the talk with its joiner (see [`crate::container::control`]). The caller has one thread.
pub fn exec(store: &Store, found: &Found, command: Command, how: &How<'_>) -> Result<OwnedFd> {
    let container = &found.container;
    let state = found.state()?;
    if state.status == Status::Running && !state.is_here() {
        return Err(Error::Elsewhere { id: container.short_id().to_owned(), host: state.host });
    }
    let not_running = || Error::NotExecutable(container.short_id().to_owned());
    let init = state.pidfd().filter(|_| state.status == Status::Running && !state.paused).ok_or_else(not_running)?;
    let namespace = namespace_of_monitor(&state, &found.directory)?.ok_or_else(not_running)?;
    let maps = IdMaps::of_account()?;
    let plan = plan(store, found, command, &maps)?;
    let job = Join {
        process: plan.process,
        namespaces: plan.namespaces | plan.joined,
        pid: state.pid,
        one_id: maps.is_single(),
        recorded: maps.is_single() && state.driver == "fuse",
        streams: how.streams,
        handed_on: how.handed_on.iter().map(|handed| handed.number).collect(),
        data: found.root().to_owned(),
        end: Some(Event::of(container, Action::ExecDied)),
        session: Some((found.directory.clone(), how.session.to_owned())),
    };
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .call("socketpair")?;
    let null =
        rustix::fs::openat(CWD, c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).call("open(/dev/null)")?;
    let mut fds = vec![theirs.as_fd(), init.as_fd()];
    fds.extend(how.stdio.into_iter().flatten());
    fds.extend(how.handed_on.iter().map(|handed| handed.fd.as_fd()));
    let must = container.cgroup.limits.settings()?.iter().any(|setting| !setting.flag.is_empty());
    let entry = (!state.cgroup.is_empty()).then(|| Entry { group: Group::named(&state.cgroup), must });
    let launch = Launch { stdio: [null.as_fd(); 3], job: role::pack(&job)?, fds, own_pids: false, placement: None };
    launch.joiner(namespace.as_fd(), entry.as_ref())?;
    events::record_of(found.root(), container, &[Action::Exec], None);
    Ok(ours)
}

/// A command of the container's own, to be run by its monitor: without the container's pid, and whether owners are written down.
pub fn prepare(store: &Store, found: &Found, args: Vec<String>, maps: &IdMaps) -> Result<Join> {
    let container = &found.container;
    let command = Command { args, env: container.env.clone(), ..Command::default() };
    let plan = plan(store, found, command, maps)?;
    Ok(Join {
        process: plan.process,
        namespaces: plan.namespaces,
        pid: 0,
        one_id: maps.is_single(),
        recorded: false,
        streams: Streams::Pipes { input: false },
        handed_on: Vec::new(),
        data: found.root().to_owned(),
        end: None,
        session: None,
    })
}

/// The container's plan, with the command in its program's place.
fn plan(store: &Store, found: &Found, command: Command, maps: &IdMaps) -> Result<Plan> {
    let container = &found.container;
    let nested = container.user_namespace.as_ref().map_or_else(|| Ok(maps.nested()), |own| own.nested(maps))?;
    let spec = spec::spec(found, store, &nested)?;
    let beyond = Beyond {
        maps: nested,
        root: String::new(),
        keep_groups: container.keep_groups && command.user.is_none(),
        // Groups that were added are the container's own user's.
        additional_groups: if command.user.is_some() { Vec::new() } else { container.additional_groups.clone() },
        user: command.user.unwrap_or_else(|| container.user.clone()),
        umask: container.umask,
        terminal_size: (0, 0),
        seccomp: container.filter(),
        init: false,
    };
    let mut plan = Plan::from_spec(&spec, beyond)?;
    plan.process.args = command.args;
    plan.process.env = apt::environment(container, command.env);
    plan.process.env.extend(secret::variables(container, secret::Contents::Copies(&found.directory))?);
    plan.process.cwd = command.working_dir.unwrap_or_else(|| container.working_dir.clone());
    plan.process.terminal = command.terminal;
    if command.privileged {
        plan.process.capabilities = CapabilitySet::ALL;
    }
    Ok(plan)
}

/// The user namespace U of the container's monitor. `None`: it has ended.
fn namespace_of_monitor(state: &State, directory: &Path) -> Result<Option<OwnedFd>> {
    let path = format!("/proc/{}/ns/user", state.monitor_pid);
    let namespace = rustix::fs::open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    // Looked at after the descriptor was opened: a lock still held means that the pid was still the monitor's.
    if !lock::is_held(&directory.join("lock"))? {
        return Ok(None);
    }
    Ok(Some(namespace.call_with(|| format!("open({path})"))?))
}
