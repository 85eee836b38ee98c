//! Containers: what was asked for, what is, and how one becomes the other.
//!
//! ```text
//!            create             start                       the program ends
//!   (none) ─────────▶ created ─────────▶ running ─────────────────────────────────▶ exited
//!                        ▲                  │ the monitor dies: the lock is free       │
//!                        │                  ▼                                          │
//!                        │               exited, its code unknown                      │ --rm
//!                        └── (start again: from exited to running) ◀───────────────────┤
//!                            by a command, or by its monitor (--restart)               │
//!   (none) ◀── remove: renamed into tmp/, then deleted ◀───────────────────────────────┘
//! ```
//!
//! `container.json` ([`record`]) is written at the creation, and again by `rename`, `update`, `port add`, `network connect` and the
//! like; `state.json` ([`state`]) by the launcher and then by the monitor alone. The directory's `lock` is held from the launch to the end: *locked means alive*, whatever `state.json` says. A reader
//! takes no lock; who rewrites `container.json` takes the one of the file `changes`.

pub mod apt;
pub mod cgroup;
pub mod check;
pub mod commit;
pub mod control;
pub mod diff;
pub mod find;
pub mod into;
pub mod job;
pub mod life;
pub mod log;
pub mod mount;
pub mod name;
pub mod namespace;
pub mod networks;
pub mod publish;
pub mod record;
pub mod size;
pub mod spec;
pub mod state;
pub mod tree;
pub mod user_namespace;
pub mod watch;

use crate::host::kernel::cgroup::Cgroups;
use crate::host::{lock, role, subid};
use crate::{image, layer, network, oci, runtime, store, sys};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Lock(#[from] lock::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Image(#[from] image::Error),
    #[error("cannot commit a container that uses an exploded rootfs")]
    ExplodedRootfs,
    #[error("container {0} can't be told while it runs: its environment is too long")]
    UpdateTooLong(String),
    #[error("container {id} runs on the directory `{directory}` itself: there is nothing to compare it with")]
    NothingBelow { id: String, directory: String },
    #[error(transparent)]
    Change(#[from] oci::instruction::InstructionError),
    #[error(transparent)]
    Layer(#[from] layer::Error),
    #[error(transparent)]
    Ids(#[from] subid::Error),
    #[error(transparent)]
    Role(#[from] role::Error),
    #[error(transparent)]
    Plan(#[from] runtime::plan::Error),
    #[error(transparent)]
    Launch(#[from] runtime::outside::launch::Error),
    #[error("no container with name or ID \"{0}\" found: no such container")]
    NotFound(String),
    #[error("name or ID cannot be empty")]
    NoName,
    #[error("\"{0}\" is the beginning of more than one container's ID: name more of it")]
    Ambiguous(String),
    #[error(
        "the container name \"{name}\" is already in use by {holder}. You have to remove that container to be able to reuse that name: that name is already in use"
    )]
    NameInUse { name: String, holder: String },
    #[error("the record of container {} can't be read: {source}", id.get(..12).unwrap_or(id))]
    Broken { id: String, source: store::Error },
    #[error("no command: neither the command line nor the image names one")]
    NoCommand,
    #[error("container {0} is running")]
    Running(String),
    #[error("container {0} is not running")]
    NotRunning(String),
    #[error("\"{0}\" is already paused: container state improper")]
    AlreadyPaused(String),
    #[error("\"{0}\" is not running, can't pause: container state improper")]
    NotPausable(&'static str),
    #[error("\"{0}\" is not paused, can't unpause: container state improper")]
    NotPaused(String),
    #[error("container {0} has no control group of its own, which alone can be paused and limited")]
    NoGroup(String),
    #[error("can only stop created or running containers. {0} is in state paused: container state improper")]
    StopPaused(String),
    #[error("unable to restart a container in a paused or unknown state: container state improper")]
    RestartPaused,
    #[error("container {0} is paused: container state improper")]
    Paused(String),
    #[error("attaching to container {0}: you can only attach to running containers")]
    NotAttachable(String),
    #[error(
        "can only create exec sessions on running containers: container {0} is not running: container state improper"
    )]
    NotExecutable(String),
    #[error("one of the two must be in a container: `CONTAINER:PATH`")]
    NoContainer,
    #[error("the file systems of container {id} can't be mounted: {message}")]
    NotMounted { id: String, message: String },
    /// Its program can't be started: with the exit code of `run`.
    #[error("{message}")]
    Refused { code: u8, message: String },
    #[error("unknown container state: {0}: invalid argument")]
    UnknownState(String),
    #[error("the container's log is in the journal, and `journalctl` is not installed")]
    NoJournalctl,
    #[error("the journal can't be read")]
    UnreadableJournal,
    #[error("container {0} has no defined healthcheck")]
    NoHealthcheck(String),
    #[error("{0}")]
    Unchecked(String),
    #[error("the control socket of container {0} is gone")]
    Unreachable(String),
    #[error("the monitor of container {0} does not answer")]
    Silent(String),
    #[error("container {id} runs on the machine `{host}`")]
    Elsewhere { id: String, host: String },
    #[error(
        "cannot remove container {id} as it is {state} - running or paused containers cannot be removed without force: container state improper"
    )]
    RemoveRunning { id: String, state: &'static str },
    #[error("container {id} has dependent containers which must be removed before it: {dependents}")]
    HasDependents { id: String, dependents: String },
    #[error("container {0} is still being started, or taken apart")]
    InBetween(String),
    #[error("container {0} did not end after it was killed")]
    Unkillable(String),
    #[error("this account has no subordinate ids, and one id alone is all that its containers can have")]
    NoSubordinateIds,
    #[error("not enough unused ids in the user namespace: {wanted} in a row are wanted")]
    NotEnoughIds { wanted: u32 },
    #[error("the container needs the id {id} of this account's namespace, which has {count}")]
    MissingId { id: u32, count: u32 },
    #[error("finding timezone: unknown time zone {0}")]
    TimeZone(String),
    #[error("no secret with name or id \"{0}\": no such secret")]
    NoSecret(String),
    #[error("volume {name} is being used by the following container(s): {}: volume is being used", containers.join(", "))]
    VolumeInUse { name: String, containers: Vec<String> },
    #[error("the volume {0} is in memory, and empty unless a container has it")]
    VolumeInMemory(String),
    #[error(transparent)]
    VolumeOption(#[from] store::volumes::meaning::BadOption),
    #[error(transparent)]
    Group(#[from] runtime::cgroup::placement::Error),
    #[error(transparent)]
    Limit(#[from] cgroup::limits::BadLimit),
    #[error(transparent)]
    Port(#[from] network::ports::Error),
    #[error(transparent)]
    Stack(#[from] network::stack::Error),
    #[error("container {0} has no ports of its own: its network is another's, or none")]
    NoPorts(String),
    #[error(
        "the ports of container {0} are fixed as long as it runs: its way out is pasta, which takes them when it starts"
    )]
    PortsAreFixed(String),
    #[error("nobody comes to container {0} from this machine: all its networks are internal")]
    NoWayIn(String),
    #[error("failed to find published port \"{asked}\"")]
    NotPublished { asked: String, published: Vec<String> },
    #[error("the port {asked} is published at several addresses")]
    PublishedTwice { asked: String, published: Vec<String> },
    #[error(transparent)]
    Companion(#[from] network::named::companion::Error),
    #[error("unable to find network with name or ID {0}: network not found")]
    NoNetwork(String),
    #[error(
        "\"{name}\" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used"
    )]
    NetworkInUse { name: String, containers: Vec<String> },
    #[error("container {id} is already connected to network \"{network}\": network is already connected")]
    Connected { id: String, network: String },
    #[error("container {id} is not connected to network \"{network}\"")]
    NotConnected { id: String, network: String },
    #[error("\"{0}\" is not supported: invalid network mode")]
    NoNetworks(String),
    #[error("cannot reload network unless container network has been configured: container state improper")]
    NoNetworkYet,
    #[error("the SELinux policy of this machine has no label `{0}`")]
    Label(String),
    #[error("{0}")]
    Spec(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    // flat: a table of errors
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Lock(error) => error.hint(),
            Self::Stack(error) => error.hint(),
            Self::PortsAreFixed(_) => Some("stop it first, or make it with `--network=stack`".into()),
            Self::NoWayIn(id) => Some(format!("`coracle network connect NETWORK {id}` puts it on one that is not, too")),
            Self::NotPublished { published, .. } if published.is_empty() => Some("it publishes none".into()),
            Self::NotPublished { published, .. } => Some(format!("it publishes {}", published.join(", "))),
            Self::PublishedTwice { published, .. } => {
                Some(format!("one of them is named with its address: {}", published.join(", ")))
            }
            Self::Store(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Layer(error) => error.hint(),
            Self::Ids(error) | Self::Launch(runtime::outside::launch::Error::Ids(error)) => error.hint(),
            Self::Launch(runtime::outside::launch::Error::UserNamespace(_) | runtime::outside::launch::Error::Maps(_)) => {
                Some("`coracle doctor` tells what forbids user namespaces here, and who can allow them".into())
            }
            Self::Label(_) => Some("`--security-opt label=disable` has it run without one".into()),
            Self::NotFound(_) => Some("`coracle ps -a` lists all containers".into()),
            Self::NameInUse { name, .. } => {
                Some(format!("`coracle rm {name}` removes it; `--replace` does so by itself"))
            }
            Self::Broken { source: source @ store::Error::Newer { .. }, .. } => source.hint(),
            Self::Broken { id, .. } => Some(format!("`coracle rm {id}` removes what is left of it")),
            Self::Unreachable(id) => Some(format!(
                "`coracle logs {id}` shows its output, `coracle stop {id}` and `coracle kill {id}` still work"
            )),
            Self::Silent(id) => Some(format!(
                "`kill -CONT $(coracle inspect --format '{{{{.State.ConmonPid}}}}' {id})` wakes one that was stopped; `coracle stop {id}` works all the same"
            )),
            Self::UpdateTooLong(id) => Some(format!("`coracle restart {id}`: it is written down, and its next start reads it")),
            Self::ExplodedRootfs => Some("`coracle export` writes all that it shows as a tar archive".into()),
            Self::NothingBelow { directory, .. } => {
                Some(format!("made with `--rootfs {directory}:O`, a container leaves the directory as it is"))
            }
            Self::UnreadableJournal => Some(
                "users have journals of their own where /var/log/journal exists; members of the group `systemd-journal` read all"
                    .into(),
            ),
            Self::NoCommand => Some("name one: `coracle run IMAGE COMMAND`".into()),
            Self::NoSubordinateIds => {
                Some("`--userns=keep-id` works; an administrator grants more with `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 NAME`".into())
            }
            Self::NotEnoughIds { .. } => {
                Some("ask for fewer with `--userns=auto:size=N`, or remove containers that have some".into())
            }
            Self::MissingId { .. } => Some("`/etc/subuid` and `/etc/subgid` say which ids this account has".into()),
            Self::NoSecret(_) => Some("`coracle secret ls` lists all secrets, `coracle secret create` makes one".into()),
            Self::VolumeInUse { name, .. } => Some(format!("`coracle volume rm --force {name}` removes them, too")),
            Self::Companion(error) => error.hint(),
            Self::NoNetwork(_) => Some("`coracle network ls` lists all networks, `coracle network create` makes one".into()),
            Self::NetworkInUse { containers, .. } => Some(format!("`--force` removes those on it, too: {}", containers.join(", "))),
            Self::NoNetworks(_) => Some("a container that was made with `--network=NAME` can be on several networks".into()),
            Self::VolumeInMemory(_) => Some("`coracle cp` copies from and to the container that has it".into()),
            Self::VolumeOption(error) => error.hint(),
            Self::Group(error) | Self::Launch(runtime::outside::launch::Error::Group(error)) => error.hint(),
            Self::RemoveRunning { id, .. } => Some(format!("`coracle stop {id}` first, or remove it with `--force`")),
            Self::StopPaused(id) | Self::Paused(id) => Some(format!("`coracle unpause {id}` first")),
            Self::RestartPaused => Some("`coracle unpause` it first".into()),
            Self::NotPausable(_) => Some("only what runs can be paused: `coracle start` it first".into()),
            Self::NotPaused(_) => Some("`coracle ps --filter status=paused` lists those that are".into()),
            Self::NotExecutable(id) | Self::NotAttachable(id) | Self::NotRunning(id) => {
                Some(format!("`coracle start {id}` starts it, `coracle logs {id}` shows what it last said"))
            }
            Self::NoHealthcheck(_) => Some("a container gets one from its image, or by `--health-cmd`".into()),
            Self::TimeZone(_) => Some("names are those of files below /usr/share/zoneinfo, as in `Europe/Berlin`".into()),
            Self::NoContainer => Some("as in `coracle cp box:/etc/hosts .`".into()),
            Self::NoJournalctl => Some("install systemd, or keep logs elsewhere with `--log-driver=k8s-file`".into()),
            Self::NoGroup(_) => Some(match Cgroups::of_account().obstacle(&[]) {
                Some(obstacle) => format!("{}: {}", obstacle.why, obstacle.hint),
                None => "start it without `--cgroups=disabled`".into(),
            }),
            _ => None,
        }
    }
}
