//! The joiner: the parent of one command in a container that runs (`exec`), and the holder of its session.
//!
//! ```text
//!  command line ── exec of self ─▶ joiner, in U ── clone ─▶ in the container's pid namespace ── setns, execve ─▶ the command
//!        ▲                           │ session: streams, signals, the exit code
//!        └────────── talk ───────────┘
//! ```
//!
//! It lives as long as the command, also of `exec -d`; the command ends with its container, by the kernel's hand, and with a
//! client that goes without a word. This program is executed from a read-only mount here, too: from inside it can't be changed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use nix::sched::{CloneFlags, setns};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::session::Session;
use super::session::clients::Clients;
use super::session::refusal::Refusal;
use super::session::streams::{self, Held};
use super::session::watch::Watch;
use super::session::{emulation, event_loop, prepare};
use super::supervisor::{Device, Supervisor};
use crate::container::control::ToClient;
use crate::container::into::exec::{self, Join};
use crate::container::into::sessions;
use crate::container::job::Streams;
use crate::container::watch::events;
use crate::host::subid::IdMaps;
use crate::host::{id_map, role};
use crate::runtime::cgroup;
use crate::runtime::handshake::{self, FromInit, Step};
use crate::runtime::identity::{Accounts, Identity};
use crate::runtime::inside::Filters;
use crate::runtime::inside::join::{self as inside, Joining};
use crate::runtime::outside::{init, launch::await_ids};
use crate::sys::process::{self, Child, Cloned, Handed};
use crate::sys::{self, Call, signal};

/// What cannot be told to the client ends here without a word: it sees the end of the talk.
pub fn main() -> ExitCode {
    let Ok(joiner) = Joiner::inherit() else { return ExitCode::FAILURE };
    joiner.live();
    ExitCode::SUCCESS
}

struct Joiner {
    job: Join,
    clients: Clients,
    /// The container's init.
    init: OwnedFd,
    given: Option<[OwnedFd; 3]>,
    handed_on: Vec<Handed>,
}

impl Joiner {
    fn inherit() -> Result<Self, role::Error> {
        let job: Join = role::job()?;
        let clients = Clients::of_launcher(role::inherited(exec::CLIENT)?);
        let init = role::inherited(exec::INIT)?;
        let mut next = exec::STDIO;
        let mut take = || {
            next += 1;
            role::inherited(next - 1)
        };
        let given = if job.streams == Streams::Given { Some([take()?, take()?, take()?]) } else { None };
        let handed_on = job.handed_on.iter().map(|number| Ok(Handed { number: *number, fd: take()? }));
        let handed_on = handed_on.collect::<Result<_, role::Error>>()?;
        await_ids(take()?)?;
        Ok(Self { job, clients, init, given, handed_on })
    }

    fn live(self) {
        // A session of its own: the keys of the user's terminal send signals to the client alone, which passes them on.
        let _ = rustix::process::setsid();
        let Self { job, mut clients, init, given, handed_on } = self;
        let container = init.try_clone().ok();
        match start(&job, init, given, handed_on) {
            Ok((program, mut held)) => {
                let begin = |(directory, id): (PathBuf, String)| sessions::Session::begin(&directory, &id).ok();
                let session = job.session.and_then(begin);
                clients.started(program.pidfd.as_fd(), "");
                let end = Session {
                    program: &program,
                    servers: Vec::new(),
                    container: container.as_ref().map(AsFd::as_fd),
                    way: None,
                    listener: None,
                    held: &mut held,
                    log: None,
                    clients: &mut clients,
                    leashed: true,
                    signals: event_loop::signals().as_ref(),
                    watch: &mut Watch::default(),
                    service: None,
                }
                .run();
                let code = end.code();
                if let Some(event) = job.end {
                    events::record(&job.data, &[event.ended(code)]);
                }
                // Whoever hears of the end finds no session any more.
                drop(session);
                clients.part(&end.words(code.unwrap_or(255)));
            }
            Err(refusal) => {
                // Then that is why, whatever has failed first.
                let ended = container.is_some_and(|init| ended(init.as_fd(), AT_ONCE));
                let Refusal { code, message } = if ended { improper() } else { refusal };
                clients.part(&[ToClient::Failed { code, message: &message }]);
            }
        }
    }
}

/// Clones the command into the container and waits for its exec.
fn start(
    job: &Join,
    init: OwnedFd,
    given: Option<[OwnedFd; 3]>,
    handed_on: Vec<Handed>,
) -> Result<(Child, Held), Refusal> {
    let Found { identity, maps, alone, device } = identity(job, init.as_fd())?;
    let (held, stdio) = match job.streams {
        Streams::Given => (Held::default(), given),
        Streams::Pipes { input } => {
            let owner = id_map::outward(&maps.uids, identity.uid).unwrap_or(0);
            let (held, inside) = streams::pipes(input, owner).map_err(Refusal::ours)?;
            (held, Some(inside))
        }
        Streams::Terminal => (Held::default(), None),
    };
    let emulation = emulation::filters(&job.process, &identity, job.one_id, device.is_some())?;
    // Before the pid namespace is entered: what is started afterwards lies inside.
    let supervisor = match device.filter(|_| !emulation.listened.is_empty()) {
        Some(device) => Some(Supervisor::start(device).map_err(Refusal::ours)?),
        None => None,
    };
    let filters = Filters { container: prepare::filter(&job.process)?, ..emulation };
    let program = init::program(&job.process, identity, filters).map_err(Refusal::ours)?;
    let (ours, theirs) = handshake::pair().map_err(Refusal::ours)?;
    let channel = process::above(&handed_on, theirs.as_fd()).map_err(Refusal::ours)?;
    drop(theirs);
    let joining = Joining { init, namespaces: job.namespaces, program, alone, stdio, handed_on, channel };
    cgroup::follow(job.pid);
    let child = enter(job, &joining).map_err(Refusal::ours)?;
    drop(joining);
    match hear(ours.as_fd(), held, supervisor) {
        Ok(held) => Ok((child, held)),
        Err(refusal) => {
            // What its parent leaves becomes a child of the container's init, which need not wait for anybody.
            let _ = signal::send(child.pidfd.as_fd(), libc::SIGKILL);
            let _ = child.wait();
            Err(refusal)
        }
    }
}

/// From the clone on, what runs in the container can see the command's process: from before, it can't be dumped.
fn enter(job: &Join, joining: &Joining) -> sys::Result<Child> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).call("prctl(PR_SET_DUMPABLE)")?;
    if job.namespaces & libc::CLONE_NEWPID as u64 != 0 {
        setns(&joining.init, CloneFlags::CLONE_NEWPID).call("setns(pid)")?;
    }
    match process::clone_single(0)? {
        Cloned::Child => inside::run(&job.process, joining),
        Cloned::Parent(child) => Ok(child),
    }
}

/// Waits until the command runs.
fn hear(channel: BorrowedFd<'_>, mut held: Held, mut supervisor: Option<Supervisor>) -> Result<Held, Refusal> {
    loop {
        match handshake::hear(channel).map_err(Refusal::ours)? {
            FromInit::Terminal(master) => held = streams::terminal(master).map_err(Refusal::ours)?,
            FromInit::Mounted | FromInit::Ready => {}
            FromInit::Listener(listener) => {
                if let Some(supervisor) = supervisor.take() {
                    supervisor.take_up(listener);
                }
            }
            // Podman's code for an `exec`, other than for a `run`.
            FromInit::Failed(failure) if failure.step == Step::WorkingDirectory => {
                return Err(Refusal { code: 127, ..Refusal::of_init(&failure) });
            }
            FromInit::Failed(failure) => return Err(Refusal::of_init(&failure)),
            FromInit::Executed => return Ok(held),
        }
    }
}

/// What was found out about the command's user.
struct Found {
    identity: Identity,
    /// As the command will see them.
    maps: IdMaps,
    /// See [`Joining::alone`].
    alone: Option<(u32, u32)>,
    /// Of the container's root file system, where owners are written down.
    device: Option<Device>,
}

/// Resolves the user in the container's own files and checks that the container has such ids, or can show its one id as that user's.
fn identity(job: &Join, init: BorrowedFd<'_>) -> Result<Found, Refusal> {
    let path = format!("/proc/{}/root", job.pid);
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(path.as_str(), flags, Mode::empty());
    let maps = IdMaps::of_process(job.pid);
    // A process on its way out, whose memory has gone, is shown to nobody, and then has no root any more; init may stay so while what
    // runs in it is ended.
    let is_dying = matches!(root, Err(Errno::ACCESS | Errno::NOENT | Errno::SRCH));
    let patience = if is_dying { DYING } else { AT_ONCE };
    // Looked at after both: while init lives, its pid is nobody else's.
    if ended(init, patience) {
        return Err(improper());
    }
    let root = root.call_with(|| format!("open({path})"));
    let (root, mut maps) = (root.map_err(Refusal::ours)?, maps.map_err(Refusal::ours)?);
    let accounts = Accounts::read(root.as_fd()).map_err(Refusal::ours)?;
    // Podman's code for an `exec`, other than for a `run`.
    let unknown = |error| Refusal { code: 255, message: format!("{error}") };
    let named = accounts.identity(&job.process.user, &[]).map_err(unknown)?;
    let mut alone = None;
    if let (true, [uid], [gid]) = (job.one_id, &mut maps.uids[..], &mut maps.gids[..]) {
        let ids = (uid.inside, gid.inside);
        (uid.inside, gid.inside) = (named.uid, named.gid);
        alone = Some(ids).filter(|ids| *ids != (named.uid, named.gid));
    }
    let device = if job.recorded { Some(emulation::device(root.as_fd()).map_err(Refusal::ours)?) } else { None };
    let identity = prepare::identity(&accounts, &job.process, &maps, job.one_id)?;
    Ok(Found { identity, maps, alone, device })
}

fn improper() -> Refusal {
    Refusal { code: 255, message: "the container has ended: container state improper".into() }
}

/// How long an init that ends may take.
const DYING: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

fn ended(pidfd: BorrowedFd<'_>, within: Timespec) -> bool {
    poll(&mut [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)], Some(&within)) != Ok(0)
}
