//! From the job to the running program.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, Mode, OFlags};

use super::exit;
use super::hooks;
use super::mounts::{self, Volumes};
use super::networks::{self, Namespace};
use super::ownership;
use super::recording::Recording;
use super::root::{self, Root};
use crate::container::job::{Job, Network, Purpose, Streams};
use crate::container::log::Target;
use crate::container::state::State;
use crate::host::atomic_file::{self, Staged};
use crate::host::subid::IdMaps;
use crate::network::named::companion::{self, Companion};
use crate::network::way::{self, Wanted, Way};
use crate::oci::hook::Moment;
use crate::process::session::log::Log;
use crate::process::session::refusal::Refusal;
use crate::process::session::streams::{self, Held};
use crate::process::session::{emulation, prepare};
use crate::process::supervisor::Listener;
use crate::runtime::cgroup::{Group, Place, Usage};
use crate::runtime::handshake::{self, FromInit, ToInit};
use crate::runtime::identity::{Accounts, Identity};
use crate::runtime::inside::Filters;
use crate::runtime::outside::init::{self, Init};
use crate::runtime::outside::join::{self, Join};
use crate::runtime::plan::{Plan, Source, Step};
use crate::sys::process::Child;
use crate::sys::{self, Call, signal};

/// A container whose program runs.
pub struct Running {
    pub init: Init,
    pub root: Root,
    /// What its mounts need.
    pub volumes: Volumes,
    pub held: Held,
    pub log: Option<Log>,
    /// The way out; it ends with the outer pid namespace.
    pub network: Option<Way>,
    /// Who connects it to networks, and answers for names there.
    pub companion: Option<Companion>,
    /// Until it is handed over.
    pub listener: Option<Listener>,
    /// What of the machine it may use.
    pub group: Option<Counted>,
    /// As it is on disk.
    pub state: State,
}

/// The container's control group, and what had been counted in it before this life.
pub struct Counted {
    pub group: Group,
    pub used: Usage,
    /// For want of memory.
    killed: u64,
}

impl Counted {
    fn of(group: Group) -> Self {
        Self { used: group.usage().unwrap_or_default(), killed: group.killed_for_memory(), group }
    }

    /// Whether somebody has been since.
    pub fn has_killed(&self) -> bool {
        self.group.killed_for_memory() > self.killed
    }
}

impl Running {
    /// How it came to run, a line a fact, for who asks its launcher.
    pub fn about(&self) -> String {
        let Root { driver, reason, mounter, .. } = &self.root;
        let mut lines = vec![format!("the root file system has the driver `{driver}`: {reason}")];
        lines.extend(mounter.as_ref().map(|_| "started the mounter of the root file system".to_owned()));
        lines.extend(self.volumes.servers.iter().map(|_| "started the mounter of a volume".to_owned()));
        lines.extend(self.network.as_ref().map(|way| format!("started {}", way.maker())));
        lines.extend(self.companion.as_ref().map(|_| "started the companion on networks".to_owned()));
        lines.push(format!("the program runs, pid {}", self.init.host_pid));
        lines.extend(self.root.times.lines());
        lines.join("\n")
    }
}

/// Without whom a container can't go on, each with what to call it.
pub fn servers<'a>(
    root: &'a Root,
    volumes: &'a Volumes,
    companion: Option<&'a Companion>,
    network: Option<&'a Way>,
) -> Vec<(&'static str, &'a Child)> {
    let mut servers: Vec<_> = root.mounter.iter().map(|child| ("the mounter of its root file system", child)).collect();
    servers.extend(volumes.servers.iter().map(|server| ("the mounter of a volume", &server.child)));
    servers.extend(companion.map(|companion| ("its companion on networks", &companion.child)));
    servers.extend(network.map(|way| (way.maker().in_words(), way.child())));
    servers
}

/// Mounts, clones, waits for the exec.
pub fn start(
    job: &Job,
    given: init::Streams,
    joins: &[Join],
    networks: &mut Namespace,
    passed: &[OwnedFd],
    filter: prepare::Filter,
) -> Result<Running, Refusal> {
    let mut root = root::mount(job)?;
    let mount = root.mount.take().ok_or_else(|| Refusal::ours("no root file system"))?;
    let mut plan = job.plan.clone();
    plan.process.env.extend(job.secrets.iter().cloned());
    if let Some(join) = entering(joins, libc::CLONE_NEWUSER) {
        plan.maps = IdMaps::of_process(init::host_pid(&join.fd).map_err(Refusal::ours)?).map_err(Refusal::ours)?;
    }
    let identity = identity(job, &mut plan, mount.as_fd())?;
    plan.tell_user(identity.uid, identity.gid);
    let user = ownership::outside(&plan.maps, (identity.uid, identity.gid)).unwrap_or((0, 0));
    check_secrets(job, &plan)?;
    let (mut served, volumes) = mounts::prepare(job, &mut plan, mount.as_fd(), user)?;
    ownership::give(job, &plan, user).map_err(Refusal::ours)?;
    served.extend(shared_memory(&plan, joins)?);
    served.extend(secrets(job, &plan).map_err(Refusal::ours)?);
    let init::Streams { stdio, handed_on } = given;
    let (held, stdio) = match job.streams {
        Streams::Given => (Held::default(), stdio),
        Streams::Pipes { input } => {
            let (held, inside) = streams::pipes(input, user.0).map_err(Refusal::ours)?;
            (held, Some(inside))
        }
        Streams::Terminal => (Held::default(), None),
    };
    let log = job.log.clone().map(log).transpose()?;
    let recording = Recording::of(job, &root, mount.as_fd(), &identity).map_err(Refusal::ours)?;
    let emulation = emulation::filters(&plan.process, &identity, job.one_id, recording.is_some())?;
    let filters = Filters { container: filter, ..emulation };
    let (prepared, channel) =
        init::prepare(&plan, mount, served, identity, init::Streams { stdio, handed_on }, filters)
            .map_err(Refusal::ours)?;
    let group = job.cgroup.as_ref().map_or(Ok(None), Place::group).map_err(Refusal::ours)?;
    let place = group.as_ref().map(Group::open).transpose().map_err(Refusal::ours)?;
    let place = place.as_ref().map(AsFd::as_fd);
    let group = group.map(Counted::of);
    let init = init::start(&plan, joins, prepared, channel, place).map_err(Refusal::ours)?;
    let networks = networks.get().map_err(Refusal::ours)?;
    let ways = Ways::begin(job, init.host_pid, networks, passed)?;
    let state =
        State { networks: networks.map(networks::held).transpose().map_err(Refusal::ours)?, ..State::default() };
    let (network, companion, listener) = (None, None, None);
    let mut running = Running { init, root, volumes, held, log, network, companion, listener, group, state };
    // While init makes the inside of the container.
    let mut started = None;
    if job.purpose == Purpose::Run {
        let (state, staged) = exit::stage_start(job, &running).map_err(Refusal::ours)?;
        (running.state, started) = (state, Some(staged));
        write_pids(job, &running.state).map_err(Refusal::ours)?;
    }
    shake_hands(job, &mut running, ways, started, recording.as_ref())?;
    Ok(running)
}

fn log(target: Target) -> Result<Log, Refusal> {
    let in_journal = matches!(target, Target::Journal(_));
    Log::open(target).map_err(|error| match in_journal {
        true => Refusal::ours(format!(
            "{error}\nhint: no journal of systemd's runs here; `--log-driver=k8s-file` needs none"
        )),
        false => Refusal::ours(error),
    })
}

fn write_pids(job: &Job, state: &State) -> sys::Result<()> {
    for (file, pid) in [(&job.pid_file, state.pid), (&job.monitor_pid_file, state.monitor_pid)] {
        if let Some(file) = file {
            atomic_file::write(file, pid.to_string().as_bytes(), false)?;
        }
    }
    Ok(())
}

fn entering(joins: &[Join], namespace: i32) -> Option<&Join> {
    joins.iter().find(|join| join.flags & namespace as u64 != 0)
}

/// The /dev/shm of the container whose IPC namespace is joined, by the number of the step that mounts it.
fn shared_memory(plan: &Plan, joins: &[Join]) -> Result<Option<(usize, OwnedFd)>, Refusal> {
    let is_joined = |step: &Step| matches!(step, Step::Mount(mount) if mount.source == Source::Joined);
    match plan.steps.iter().position(is_joined).zip(entering(joins, libc::CLONE_NEWIPC)) {
        Some((step, join)) => Ok(Some((step, join::tree_of(&join.fd, c"/dev/shm").map_err(Refusal::ours)?))),
        None => Ok(None),
    }
}

/// What the files of secrets hold that are on no disk, by the numbers of the steps that make them.
fn secrets(job: &Job, plan: &Plan) -> sys::Result<Vec<(usize, OwnedFd)>> {
    let steps = plan.steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Secret { .. }));
    let content = |((number, _), bytes): ((usize, &Step), &Vec<u8>)| {
        let file = rustix::fs::memfd_create(c"secret", MemfdFlags::CLOEXEC).call("memfd_create")?;
        let file = std::fs::File::from(file);
        // The offset stays where who copies it begins.
        file.write_all_at(bytes, 0).call("write(secret)")?;
        Ok((number, OwnedFd::from(file)))
    };
    steps.zip(&job.secret_files).map(content).collect()
}

/// Resolves the user in the mounted root. With one id, the container's one id is the user's: a program that refuses root runs.
fn identity(job: &Job, plan: &mut Plan, root: BorrowedFd<'_>) -> Result<Identity, Refusal> {
    let mut accounts = Accounts::read(root).map_err(Refusal::ours)?;
    let introduced = job.introductions.carry_out(&mut accounts, root, &plan.process.user, &plan.process.cwd);
    introduced.map_err(Refusal::ours)?;
    if job.one_id && plan.joined & libc::CLONE_NEWUSER as u64 == 0 {
        let named = accounts.identity(&plan.process.user, &plan.process.additional_groups);
        let named = named.map_err(|error| Refusal { code: 126, message: error.to_string() })?;
        for (extents, id) in [(&mut plan.maps.uids, named.uid), (&mut plan.maps.gids, named.gid)] {
            extents.iter_mut().for_each(|extent| extent.inside = id);
        }
    }
    prepare::identity(&accounts, &plan.process, &plan.maps, job.one_id)
}

/// A secret of an owner that the container has no id for would be somebody else's.
fn check_secrets(job: &Job, plan: &Plan) -> Result<(), Refusal> {
    for step in plan.steps.iter().filter(|_| !job.one_id) {
        if let Step::Secret { owner, .. } = step
            && ownership::outside(&plan.maps, *owner).is_none()
        {
            let message = format!("the secret's owner {}:{} is not mapped in this container", owner.0, owner.1);
            return Err(Refusal { code: 126, message });
        }
    }
    Ok(())
}

/// Out of the container's network namespace, in the making.
struct Ways {
    out: Option<way::Starting>,
    networks: Option<companion::Starting>,
}

impl Ways {
    fn begin(job: &Job, init: i32, networks: Option<BorrowedFd<'_>>, passed: &[OwnedFd]) -> Result<Self, Refusal> {
        let networks = networks.map(|n| networks::connect(job, init, n)).transpose()?;
        let out = match &job.network {
            Network::Way(wanted) => Some(way_out(init, wanted, passed)?),
            Network::Nothing => None,
        };
        Ok(Self { out, networks })
    }

    /// Waits until they are there.
    fn finish(&mut self) -> Result<(Option<Way>, Option<Companion>), Refusal> {
        let out = self.out.take().map(way::Starting::finish).transpose().map_err(hinted)?;
        let companion = self.networks.take().map(companion::Starting::finish).transpose();
        Ok((out, companion.map_err(networks::hinted)?))
    }
}

fn way_out(init: i32, wanted: &Wanted, passed: &[OwnedFd]) -> Result<way::Starting, Refusal> {
    let path = format!("/proc/{init}/ns/net");
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let namespace = rustix::fs::open(path.as_str(), flags, Mode::empty())
        .call_with(|| format!("open({path})"))
        .map_err(Refusal::ours)?;
    way::start(namespace.as_fd(), wanted, passed).map_err(hinted)
}

fn hinted(error: way::Error) -> Refusal {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    Refusal::ours(format!("{error}{hint}"))
}

/// Until the program runs; with nothing to be written down of a start, until all is mounted.
fn shake_hands(
    job: &Job,
    running: &mut Running,
    mut ways: Ways,
    mut started: Option<Staged>,
    recording: Option<&Recording>,
) -> Result<(), Refusal> {
    running.root.times.mark("mounts and users were prepared, and init was cloned");
    let init = &running.init;
    let channel = init.channel.as_fd();
    let run_hooks = |moment| hooks::run(job, moment, init, recording.is_some());
    loop {
        match handshake::hear(channel).map_err(Refusal::ours)? {
            FromInit::Terminal(master) => running.held = streams::terminal(master).map_err(Refusal::ours)?,
            FromInit::Mounted => {
                running.root.times.mark("init mounted what the container sees");
                run_hooks(Moment::CreateRuntime)?;
                run_hooks(Moment::CreateContainer)?;
                handshake::tell(channel, ToInit::Go).map_err(Refusal::ours)?;
            }
            FromInit::Ready => {
                running.root.times.mark("init gave up its rights");
                (running.network, running.companion) = ways.finish()?;
                running.root.times.mark("the network was waited for");
                recording.map_or(Ok(()), |recording| recording.begin(init.host_pid)).map_err(Refusal::ours)?;
                let word = match job.purpose {
                    Purpose::Run => ToInit::Start,
                    Purpose::Rehearse => ToInit::Look,
                    Purpose::Hold => return Ok(()),
                };
                run_hooks(Moment::StartContainer)?;
                // A container that nobody could find and stop must not run.
                started.take().map_or(Ok(()), Staged::publish).map_err(Refusal::ours)?;
                match handshake::tell(channel, word) {
                    // Killed by somebody who saw the state: a program that has ended, though it never ran.
                    Err(error) if error.errno() == libc::EPIPE => return Ok(()),
                    other => other.map_err(Refusal::ours)?,
                }
            }
            FromInit::Listener(fd) => running.listener = recording.map(|recording| recording.listener(fd)),
            FromInit::Failed(failure) => return Err(Refusal::of_init(&failure)),
            FromInit::Executed => {
                running.root.times.mark("the program was executed");
                return run_hooks(Moment::Poststart).inspect_err(|_| {
                    let _ = signal::send(init.child.pidfd.as_fd(), libc::SIGKILL);
                    let _ = init.child.wait();
                });
            }
        }
    }
}
