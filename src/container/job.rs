//! What the monitor is told by its launcher.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::into::exec::Join;
use super::life::restart::RestartPolicy;
use super::log;
use super::record::Driver;
use super::state::State;
use super::watch::health::HealthConfig;
use super::watch::service::Notify;
use crate::network::way::Wanted;
use crate::overlay::Features;
use crate::runtime::cgroup::Place;
use crate::runtime::identity::Introductions;
use crate::runtime::plan::Plan;

/// How long the mounter may take at the end to write back what the kernel still caches.
pub const WRITE_BACK: Duration = Duration::from_secs(120);

/// The monitor's job. Descriptors: [`LOCK`] the container's lock, held; [`CLIENT`] the launcher's end of the talk; from [`STDIO`] on,
/// with [`Streams::Given`], the program's standard descriptors, then what `joins`, `handed_on`, the sockets passed in `network`, and `networks` count, and with `notify` the way to the service manager.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The container's directory.
    pub directory: PathBuf,
    /// The root of the store.
    pub data: PathBuf,
    /// A directory on the store's file system where the kernel driver can be tried.
    pub tmp: PathBuf,
    /// Where the kernel driver's probe is remembered.
    pub probe: PathBuf,
    pub plan: Plan,
    /// The account has one id, which becomes the program's, whatever that is.
    pub one_id: bool,
    /// Whom the container's account files are to know.
    pub introductions: Introductions,
    /// The root file system is this directory itself; there is no overlay.
    pub rootfs: Option<PathBuf>,
    pub overlay: Overlay,
    pub volumes: Vec<Volume>,
    /// Variables that the plan, which can be shown, lacks.
    pub secrets: Vec<String>,
    /// What the plan's files of secrets hold, in its order, where it names no source of theirs.
    pub secret_files: Vec<Vec<u8>>,
    pub streams: Streams,
    /// What init enters of others, as clone(2) flags; a descriptor for each, behind the program's.
    pub joins: Vec<u64>,
    /// The numbers of the descriptors that the program is handed.
    pub handed_on: Vec<i32>,
    /// Output is kept for `logs`.
    pub log: Option<log::Target>,
    pub network: Network,
    /// The container is on networks that others are on.
    pub networks: Option<Networks>,
    /// Somebody is to be told when the program is ready.
    pub notify: Option<Notify>,
    /// How long a service manager waits for a sign of life, in microseconds; 0: it does not, or the program gives it.
    pub watchdog: u64,
    /// The launcher goes once the program runs.
    pub alone: bool,
    /// Where the container's control group is.
    pub cgroup: Option<Place>,
    /// The container goes when it has ended.
    pub remove: bool,
    pub care: Care,
    /// Seconds after which the program is killed; 0: never.
    pub timeout: u32,
    /// Where the program's pid is written, and the monitor's.
    pub pid_file: Option<PathBuf>,
    pub monitor_pid_file: Option<PathBuf>,
    /// How the program is stopped: the signal, and seconds until the kill.
    pub stop: (i32, u32),
    /// The container ends when the launcher's end of the talk is closed without a word.
    pub leashed: bool,
    pub purpose: Purpose,
    /// Records survive a power cut once written.
    pub durable: bool,
    /// What the launcher knew: machine, boot, times.
    pub state: State,
}

/// What the monitor does by itself for a container that runs; `update` changes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Care {
    pub restart: RestartPolicy,
    pub health: Option<HealthJob>,
}

/// The health checks of a container, made ready.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthJob {
    pub config: HealthConfig,
    /// The file of what is found.
    pub path: PathBuf,
    /// How the check is run in the container, but for what is known once that runs.
    pub join: Join,
}

/// What a container is started for; nothing is written down of what does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Run,
    /// All is mounted, for as long as the launcher likes.
    Hold,
    /// Whether it could run: all is done but to execute the program, which is looked for.
    Rehearse,
}

pub const LOCK: usize = 0;
pub const CLIENT: usize = 1;
pub const STDIO: usize = 2;

/// The root file system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Overlay {
    pub driver: Driver,
    /// Topmost first.
    pub lowers: Vec<PathBuf>,
    pub features: Features,
    /// The label of SELinux that the layers have.
    #[serde(default)]
    pub label: Option<String>,
}

/// A volume that is looked after before it is mounted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Volume {
    /// Its directory in the store.
    pub directory: PathBuf,
    /// Where the container has it.
    pub target: String,
    /// If it is fresh, it gets what lies there.
    pub copy: bool,
    /// No other container may have it meanwhile.
    pub alone: bool,
}

/// Where the program's standard streams lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Streams {
    /// Straight to descriptors of the launcher's, none of which is a terminal.
    Given,
    /// Pipes that the monitor holds; `input`: the client feeds standard input, else it is empty.
    Pipes { input: bool },
    /// A pty that the monitor holds.
    Terminal,
}

/// A descriptor of the lock that is held until the container can be found, and another of N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Networks {
    /// Else the monitor makes it.
    pub there: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// None, or the host's: nothing to make.
    Nothing,
    /// Somebody joins the container's namespace to the host's network.
    Way(Wanted),
}

impl Network {
    /// How many sockets that somebody else listens on lead inside.
    pub fn passed(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Way(wanted) => wanted.passed(),
        }
    }
}
