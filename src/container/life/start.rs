//! `start`: from files to a monitor, which holds the lock from here to the end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::container::control::{CHUNK, ToClient};
use crate::container::find::{self, Found};
use crate::container::into::exec;
use crate::container::job::{Care, HealthJob, Job, Network as NetworkJob, Networks, Overlay, Purpose, Streams};
use crate::container::mount::secret::{self, Contents};
use crate::container::mount::volumes;
use crate::container::namespace::Namespace;
use crate::container::networks::begin::{Begun, begin};
use crate::container::record::{Container, Driver, Init, Network};
use crate::container::spec::selinux;
use crate::container::state::State;
use crate::container::watch::service::{self, Notify};
use crate::container::{Error, Result, networks, spec};
use crate::host::lock::Lock;
use crate::host::subid::IdMaps;
use crate::host::systemd::notify::{self, Notifier};
use crate::host::{atomic_file, message, role};
use crate::network::named::WAY_OUT;
use crate::network::ports::{Listening, SocketFile};
use crate::network::way::{Maker, Wanted};
use crate::network::{pasta, ports, stack};
use crate::overlay::Features;
use crate::overlay::living::Living;
use crate::overlay::view::View;
use crate::runtime::handshake::receive_with_fd;
use crate::runtime::identity::Introductions;
use crate::runtime::outside::launch::Launch;
use crate::runtime::plan::{Beyond, Plan, Step};
use crate::runtime::times;
use crate::store::Store;
use crate::sys::Call;
use crate::sys::process::{Child, Handed};

/// How a container is started.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    pub streams: Streams,
    /// With [`Streams::Given`]: the program's standard input, output and error.
    pub stdio: Option<[BorrowedFd<'a>; 3]>,
    pub log: bool,
    pub handed_on: &'a [Handed],
    /// What its secrets hold, if there are no copies of them in its directory.
    pub secrets: Option<&'a [Vec<u8>]>,
    /// What somebody else listens on, and where it leads.
    pub published: &'a [Listening<'a>],
    /// `NAME=value`: what the program is told of this start.
    pub variables: &'a [String],
    /// Who is to be told when it is ready.
    pub manager: Option<&'a Notifier>,
    /// The launcher goes once the program runs.
    pub alone: bool,
    pub terminal_size: (u16, u16),
    /// The overlay driver that was asked for at this start, whatever the container was made with.
    pub driver: Option<Driver>,
}

/// A monitor on its way, and our end of the talk with it (see [`crate::container::control`]).
#[derive(Debug)]
pub struct Launched {
    pub monitor: Child,
    pub talk: OwnedFd,
    /// When all was planned, and the monitor about to be cloned (see [`times::now`]).
    pub planned: u64,
}

/// Starts the container. The launcher has one thread: it is cloned.
///
/// `made`: the lock of one that was just made, which is handed on. A container that was to go when it ends goes when it can't start, too.
pub fn start(store: &Store, found: &Found, made: Option<Lock>, how: How<'_>) -> Result<Launched> {
    let launched = launch(store, found, made, how, Purpose::Run);
    if launched.is_err() && found.container.remove {
        // The first failure is what the user must know.
        let _ = super::remove::remove(store, found, false, std::time::Duration::ZERO);
    }
    launched
}

/// How one is started in which nothing is to run.
pub const IDLE: How<'static> = How {
    streams: Streams::Pipes { input: false },
    stdio: None,
    log: false,
    handed_on: &[],
    secrets: None,
    published: &[],
    variables: &[],
    manager: None,
    alone: false,
    terminal_size: (0, 0),
    driver: None,
};

/// Mounts what the container would see, for as long as the talk lasts, and runs nothing. The launcher has one thread. `made`: the
/// lock of one that was just made.
pub fn hold(store: &Store, found: &Found, made: Option<Lock>) -> Result<Launched> {
    launch(store, found, made, IDLE, Purpose::Hold)
}

/// Does all of a start but to execute the program and to put it on the network: what refuses it now would refuse it later. `lock`: of
/// a container that was just made. The launcher has one thread.
pub fn rehearse(store: &Store, found: &Found, lock: &Lock) -> Result<()> {
    let Launched { monitor, talk, .. } = launch(store, found, Some(lock.share()?), IDLE, Purpose::Rehearse)?;
    let mut buffer = vec![0; CHUNK + 16];
    let (count, _pidfd) = receive_with_fd(talk.as_fd(), &mut buffer)?;
    drop(talk);
    monitor.wait()?;
    match ToClient::decode(buffer.get(..count).unwrap_or_default()) {
        Some(ToClient::Failed { code, message }) => Err(Error::Refused { code, message: message.to_owned() }),
        Some(_) => Ok(()),
        None => Err(Error::Refused { code: 125, message: "its monitor died".to_owned() }),
    }
}

fn launch(store: &Store, found: &Found, made: Option<Lock>, how: How<'_>, purpose: Purpose) -> Result<Launched> {
    let container = &found.container;
    super::orphan::end(&found.directory);
    let again = made.is_none();
    let lock = made.map_or_else(|| lock(found), Ok)?;
    if purpose == Purpose::Run {
        check_ports(store, container)?;
        renew_names(store, container, again)?;
    }
    let maps = IdMaps::of_account()?;
    let mut job = job(store, found, how, &maps)?;
    // Of what is only mounted, nothing is another's.
    let joins = if purpose == Purpose::Run { container.namespaces.joins(store)? } else { Vec::new() };
    job.joins = joins.iter().map(|join| join.flags).collect();
    if purpose != Purpose::Run {
        job.plan.namespaces |= std::mem::take(&mut job.plan.joined);
        job.plan.hooks.clear();
        // It would find the program itself, and only once it runs.
        job.plan.process.init = false;
        let (network, care) = (NetworkJob::Nothing, Care::default());
        job = Job { purpose, network, remove: false, care, timeout: 0, ..job };
    }
    if !job.plan.hooks.is_empty() {
        write_bundle(store, found, &maps)?;
    }
    let begun = match container.network {
        Network::Named if purpose == Purpose::Run => Some(begin(store, container, &maps)?),
        _ => None,
    };
    job.networks = begun.as_ref().map(|begun| Networks { there: begun.living.is_some() });
    let mut placement = None;
    if purpose == Purpose::Run
        && let Some((placed, place)) = container.cgroup.placement(&container.id)?
    {
        (placement, job.cgroup) = (Some(placed), Some(place));
    }
    message::debug(|| format!("plan: {}", serde_json::to_string(&job.plan).unwrap_or_default()));
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
            .call("socketpair")?;
    let null = open_null()?;
    let mut fds = vec![lock.fd(), theirs.as_fd()];
    fds.extend(how.stdio.into_iter().flatten());
    fds.extend(joins.iter().map(|join| join.fd.as_fd()));
    fds.extend(how.handed_on.iter().map(|handed| handed.fd.as_fd()));
    fds.extend(how.published.iter().map(|one| one.socket).take(job.network.passed()));
    if let Some(begun) = &begun {
        fds.push(begun.turn.fd());
        fds.extend(begun.living.as_ref().map(|living| living.network.as_fd()));
    }
    fds.extend(how.manager.map(Notifier::fd));
    let own_pids = !job.state.unbound;
    let launch = Launch { stdio: [null.as_fd(); 3], job: role::pack(&job)?, fds, own_pids, placement };
    let planned = times::now();
    let monitor = match user_namespace(store, &maps, begun.as_ref())? {
        Some(namespace) => launch.in_namespace(namespace)?,
        None => launch.in_new_namespace(&maps)?,
    };
    Ok(Launched { monitor, talk: ours, planned })
}

fn open_null() -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, c"/dev/null", flags, Mode::empty()).call("open(/dev/null)")?)
}

/// The container's runtime spec, where its hooks look for it: in its directory, which is their bundle.
fn write_bundle(store: &Store, found: &Found, maps: &IdMaps) -> Result<()> {
    let spec = spec::spec(found, store, &nested(&found.container, maps)?)?;
    let text = serde_json::to_vec(&spec).map_err(|error| Error::Spec(error.to_string()))?;
    Ok(atomic_file::write(&found.directory.join("config.json"), &text, false)?)
}

/// The U to be in, if it need not be made. All that are on networks are in one.
fn user_namespace(store: &Store, maps: &IdMaps, begun: Option<&Begun>) -> Result<Option<OwnedFd>> {
    match begun {
        Some(Begun { living: Some(living), .. }) => Ok(Some(living.user.try_clone().call("fcntl(F_DUPFD_CLOEXEC)")?)),
        _ => living_namespace(store, maps),
    }
}

/// What names mean where it has this machine's address, which may be another since it was made; on networks it is told its own.
fn renew_names(store: &Store, container: &Container, again: bool) -> Result<()> {
    if again && container.network == Network::Private { super::files::write_names(store, container) } else { Ok(()) }
}

/// Whether the ports that it publishes are free; of those that are not, a container that has one is named.
fn check_ports(store: &Store, container: &Container) -> Result<()> {
    container.socket_files.iter().try_for_each(SocketFile::check)?;
    match ports::check(&container.published) {
        Err(ports::Error::Taken { protocol, port, holder }) => {
            let has = |other: &Found| other.container.published.iter().any(|one| one.has(protocol, port));
            let other = find::living(store)?.found.into_iter().find(has);
            let named = other.map(|other| format!("the container `{}`", other.container.name));
            Err(ports::Error::Taken { protocol, port, holder: named.or(holder) }.into())
        }
        other => Ok(other?),
    }
}

/// The lock of a container that does not run. One that has just ended is waited for: its monitor is about to let go.
fn lock(found: &Found) -> Result<Lock> {
    loop {
        if let Some(lock) = Lock::try_exclusive(&found.directory.join("lock"))? {
            return Ok(lock);
        }
        if super::stop::runs(&found.directory, &found.container.id)? {
            return Err(Error::Running(found.container.short_id().to_owned()));
        }
    }
}

/// The monitor's job for a container.
pub fn job(store: &Store, found: &Found, how: How<'_>, maps: &IdMaps) -> Result<Job> {
    let container = &found.container;
    let own = container.user_namespace.as_ref();
    // With one id the layers hold nothing but that.
    let view = own.filter(|_| !maps.is_single()).and_then(|own| View::of(&own.maps));
    let features = Features { view, recorded: maps.is_single(), ..Features::default() };
    let secrets = how.secrets.map_or(Contents::Copies(&found.directory), Contents::Given);
    let mut plan = plan(store, found, how.terminal_size, maps, secrets)?;
    plan.process.env.extend_from_slice(how.variables);
    let notify = how.manager.map(|_| container.notify);
    let mut watchdog = notify.and_then(|_| notify::watchdog()).unwrap_or_default();
    if notify == Some(Notify::Container) {
        service::lend(&mut plan, &found.directory, std::mem::take(&mut watchdog))?;
    }
    Ok(Job {
        directory: found.directory.clone(),
        data: store.layout().root().to_owned(),
        tmp: store.layout().tmp(),
        probe: store.layout().probe(),
        plan,
        one_id: maps.is_single(),
        introductions: introductions(container),
        rootfs: container.rootfs.as_ref().filter(|rootfs| !rootfs.overlay).map(|rootfs| rootfs.path.clone()),
        overlay: overlay(store, found, how.driver, features)?,
        volumes: volumes::job(store, container),
        secrets: secret::variables(container, secrets)?,
        secret_files: secret::files(container, secrets),
        streams: how.streams,
        joins: Vec::new(),
        handed_on: how.handed_on.iter().map(|handed| handed.number).collect(),
        log: container.log.target(&found.directory, &container.id, &container.name).filter(|_| how.log),
        network: network(store, found, how)?,
        networks: None,
        notify,
        watchdog,
        alone: how.alone,
        cgroup: None,
        remove: container.remove,
        care: care(store, found, maps)?,
        timeout: container.timeout,
        pid_file: container.pid_file.clone(),
        monitor_pid_file: container.monitor_pid_file.clone(),
        stop: (container.stop_signal, container.stop_timeout),
        leashed: true,
        purpose: Purpose::Run,
        durable: container.is_durable(),
        state: State {
            remove: container.remove,
            unbound: container.namespaces.pid != Namespace::Private,
            ..State::on_this_machine()
        },
    })
}

/// The maps of the container's own namespace.
fn nested(container: &Container, maps: &IdMaps) -> Result<IdMaps> {
    container.user_namespace.as_ref().map_or_else(|| Ok(maps.nested()), |own| own.nested(maps))
}

fn plan(store: &Store, found: &Found, terminal_size: (u16, u16), maps: &IdMaps, secrets: Contents<'_>) -> Result<Plan> {
    let container = &found.container;
    let merged = found.directory.join("merged");
    let root = merged.to_str().ok_or_else(|| Error::Spec(format!("`{}` is not valid UTF-8", merged.display())))?;
    let maps = nested(container, maps)?;
    let spec = spec::spec(found, store, &maps)?;
    let beyond = Beyond {
        maps,
        root: root.to_owned(),
        user: container.user.clone(),
        additional_groups: container.additional_groups.clone(),
        keep_groups: container.keep_groups,
        umask: container.umask,
        terminal_size,
        seccomp: container.filter(),
        init: container.init == Some(Init::Own),
    };
    let mut plan = Plan::from_spec(&spec, beyond)?;
    plan.steps.extend(secret::steps(container, secrets)?);
    if container.working_dir_of_image {
        plan.steps.push(Step::Directory(container.working_dir.clone()));
    }
    Ok(plan)
}

fn network(store: &Store, found: &Found, how: How<'_>) -> Result<NetworkJob> {
    let container = &found.container;
    let interface = match container.network {
        Network::Private => None,
        Network::Named if !networks::is_internal(store, container)? => Some(WAY_OUT.to_owned()),
        Network::Named | Network::None | Network::Host | Network::Joined => return Ok(NetworkJob::Nothing),
    };
    Ok(NetworkJob::Way(way(found, how, interface)))
}

fn way(found: &Found, how: How<'_>, interface: Option<String>) -> Wanted {
    let container = &found.container;
    let (published, options) = (container.published.clone(), container.network_options.clone());
    match container.way_maker() {
        Maker::Pasta => {
            let folders = container.helper_folders.clone();
            Wanted::Pasta(pasta::Wanted { published, options, interface, folders })
        }
        Maker::Stack => {
            let (sockets, directory) = (container.socket_files.clone(), found.directory.clone());
            let passed = how.published.iter().map(|one| one.container).collect();
            let idle = container.idle;
            Wanted::Stack(stack::Wanted { version: 1, published, sockets, passed, interface, directory, idle })
        }
    }
}

/// Nobody, where the container's account files are to stay as they are.
fn introductions(container: &Container) -> Introductions {
    let own = container.user_namespace.as_ref().and_then(|own| own.login.clone());
    let mut all = container.introductions.clone().unwrap_or_default();
    all.logins.extend(own.filter(|_| container.introductions.is_some()));
    all
}

/// What the monitor does by itself.
pub fn care(store: &Store, found: &Found, maps: &IdMaps) -> Result<Care> {
    let container = &found.container;
    let health = match container.health.clone() {
        Some(config) => Some(HealthJob {
            path: config.path(&found.directory, &container.id),
            join: exec::prepare(store, found, config.check.args(), maps)?,
            config,
        }),
        None => None,
    };
    Ok(Care { restart: container.restart, health })
}

/// With what is asked of it for the account's sake.
fn overlay(store: &Store, found: &Found, driver: Option<Driver>, features: Features) -> Result<Overlay> {
    let container = &found.container;
    let layer = |diff_id| store.layer_fs(container.mode, diff_id);
    let (lowers, living) = match &container.rootfs {
        Some(rootfs) => (vec![rootfs.path.clone()], Some(living(store.layout().root(), &found.directory)?)),
        None => (container.layers.iter().rev().map(layer).collect(), None),
    };
    let driver = driver.unwrap_or(container.driver);
    let features = Features { volatile: !container.is_durable(), living, quota: container.quota, ..features };
    Ok(Overlay { driver, lowers, features, label: selinux::of_layers(container) })
}

/// A directory of this machine may hold the store, and in it the container that shows the directory.
fn living(store: &Path, container: &Path) -> Result<Living> {
    let identity = |path: &Path| {
        let stat = rustix::fs::stat(path).call_with(|| format!("stat({})", path.display()))?;
        Ok::<_, Error>((stat.st_dev, stat.st_ino))
    };
    Ok(Living { hides: vec![identity(store)?, identity(container)?] })
}

/// The user namespace U of this account, if a monitor of it lives: its maps must be what the account has now.
pub fn living_namespace(store: &Store, maps: &IdMaps) -> Result<Option<OwnedFd>> {
    for id in find::ids(store)? {
        let directory = store.layout().container(&id);
        // One that can't be read is nobody's concern here.
        let Ok(state) = State::read(&directory) else { continue };
        if state.lives()
            && state.is_here()
            && state.monitor_pid > 0
            && let Some(namespace) = namespace_of(state.monitor_pid, maps, &directory)
        {
            return Ok(Some(namespace));
        }
    }
    Ok(None)
}

/// The user namespace of a monitor, which must be that of the container in `directory`, with the maps that the account has.
pub fn namespace_of(pid: i32, maps: &IdMaps, directory: &Path) -> Option<OwnedFd> {
    let path = format!("/proc/{pid}/ns/user");
    let namespace = rustix::fs::openat(CWD, path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let map = std::fs::read_to_string(format!("/proc/{pid}/uid_map")).ok()?;
    // Looked at after the descriptor was opened: a lock still held means that the pid was still the monitor's.
    let alive = crate::host::lock::is_held(&directory.join("lock")).ok()?;
    (alive && maps.describes(&map)).then_some(namespace)
}
