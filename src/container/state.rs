//! `state.json`: what is, and how a reader tells it from what was.
//!
//! The file is what the monitor last wrote. Whether it is still true, the lock tells: free means that nobody lives who could have
//! written more. A record of another machine (a home on NFS) is believed as long as its lock is held.

use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Result;
use super::networks::Held;
use crate::host::lock;
use crate::runtime::cgroup::{Group, Usage};
use crate::store::records::{self, Record};
use crate::sys::process::start_time;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Created,
    Running,
    Exited,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Exited => "exited",
        }
    }
}

/// What the monitor last knew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub status: Status,
    /// init's pid on the host; 0: none.
    #[serde(default)]
    pub pid: i32,
    /// init's start time in clock ticks since boot (proc(5), stat, field 22): with the pid it names one process.
    #[serde(default)]
    pub start_time: u64,
    #[serde(default)]
    pub monitor_pid: i32,
    #[serde(default)]
    pub boot_id: String,
    #[serde(default)]
    pub machine_id: String,
    #[serde(default)]
    pub host: String,
    /// RFC 3339, UTC; empty: never.
    #[serde(default)]
    pub started_at: String,
    #[serde(default)]
    pub finished_at: String,
    /// `None`: it has not ended, or nobody was there to see how.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// The overlay driver in use, and why it was taken.
    #[serde(default)]
    pub driver: String,
    #[serde(default)]
    pub driver_reason: String,
    /// It was to go when it ended: a later command sees to that if its monitor could not.
    #[serde(default)]
    pub remove: bool,
    /// Its processes have no pid namespace that ends them with the monitor.
    #[serde(default)]
    pub unbound: bool,
    /// The name of its control group; empty: it has none of its own.
    #[serde(default)]
    pub cgroup: String,
    /// What had been used in it before this life.
    #[serde(default)]
    pub used_before: Usage,
    /// All that is in the group has been stopped; the kernel knows, and not the file.
    #[serde(skip)]
    pub paused: bool,
    /// Of its last life, somebody in it was killed for want of memory.
    #[serde(default)]
    pub oom_killed: bool,
    /// Where its monitor holds the namespace of networks; `None`: it is on none.
    #[serde(default)]
    pub networks: Option<Held>,
    /// Why it did not start.
    #[serde(default)]
    pub error: String,
    /// How often its monitor has started it again.
    #[serde(default)]
    pub restart_count: u32,
    /// It has ended, and its monitor lives and will start it again.
    #[serde(default)]
    pub restarting: bool,
}

impl Record for State {
    const KIND: &'static str = "container state";
    const VERSION: u32 = 1;
}

impl Default for State {
    fn default() -> Self {
        Self {
            status: Status::Created,
            pid: 0,
            start_time: 0,
            monitor_pid: 0,
            boot_id: String::new(),
            machine_id: String::new(),
            host: String::new(),
            started_at: String::new(),
            finished_at: String::new(),
            exit_code: None,
            driver: String::new(),
            driver_reason: String::new(),
            remove: false,
            unbound: false,
            cgroup: String::new(),
            used_before: Usage::default(),
            paused: false,
            oom_killed: false,
            networks: None,
            error: String::new(),
            restart_count: 0,
            restarting: false,
        }
    }
}

impl State {
    /// The state of the container in `directory`, corrected by what its lock tells. Takes no lock.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join("state.json");
        let mut state: Self = records::read(&path)?.unwrap_or_default();
        if state.lives() && !lock::is_held(&directory.join("lock"))? {
            // It may have ended properly between the two looks: the record is final once the lock is free.
            state = records::read(&path)?.unwrap_or_default();
            state.restarting = false;
            if state.status == Status::Running {
                state.status = Status::Exited;
                state.exit_code = None;
            }
        }
        let runs_in_group = state.status == Status::Running && !state.cgroup.is_empty();
        state.paused = runs_in_group && state.is_here() && Group::named(&state.cgroup).is_frozen();
        Ok(state)
    }

    /// As `ps --filter status=` and `inspect` call it.
    pub fn name(&self) -> &'static str {
        if self.paused { "paused" } else { self.status.name() }
    }

    /// The program's pid and its monitor's, as far as they live: the record keeps those of a container whose monitor was killed.
    pub fn living_pids(&self) -> (i32, i32) {
        let pid = if self.status == Status::Running { self.pid } else { 0 };
        (pid, if self.lives() { self.monitor_pid } else { 0 })
    }

    /// It runs, or will in a moment by itself.
    pub fn lives(&self) -> bool {
        self.status == Status::Running || self.restarting
    }

    /// What of this machine a state carries. Read once a process: a list asks for each container.
    pub fn on_this_machine() -> Self {
        static HERE: OnceLock<State> = OnceLock::new();
        let line = |path| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let here = HERE.get_or_init(|| Self {
            boot_id: line("/proc/sys/kernel/random/boot_id"),
            machine_id: line("/etc/machine-id"),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            ..Self::default()
        });
        here.clone()
    }

    /// Whether the processes that the state names, if they live, live on this machine and in this boot.
    pub fn is_here(&self) -> bool {
        let here = Self::on_this_machine();
        self.is_of_this_machine() && self.boot_id == here.boot_id
    }

    /// As [`State::is_here`], in this boot or an earlier one. A machine may get another name meanwhile: then its processes tell.
    pub fn is_of_this_machine(&self) -> bool {
        let here = Self::on_this_machine();
        (&self.machine_id, &self.host) == (&here.machine_id, &here.host) || self.pidfd().is_some()
    }

    /// A descriptor of init, if the process that the state names lives on this machine.
    pub fn pidfd(&self) -> Option<std::os::fd::OwnedFd> {
        let pid = rustix::process::Pid::from_raw(self.pid)?;
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
        // Looked at after the descriptor was opened: what has this start time now is what the descriptor holds.
        let is_it = || start_time(self.pid) == Some(self.start_time);
        (self.boot_id == Self::on_this_machine().boot_id && is_it()).then_some(pidfd)
    }
}

/// Now, as records have it.
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}
