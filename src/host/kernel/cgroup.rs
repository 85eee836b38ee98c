//! What of the control groups this account may use (kernel document `admin-guide/cgroup-v2.rst`).

use std::path::PathBuf;

use crate::host::{fault, system_file};

/// Where distributions mount the hierarchy.
const MOUNT: &str = "/sys/fs/cgroup";
/// `CGROUP2_SUPER_MAGIC` (`linux/magic.h`).
const CGROUP2: rustix::fs::FsWord = 0x6367_7270;
/// Those that limits need, as systemd's `Delegate=` names them.
pub const WANTED: [&str; 5] = ["cpu", "cpuset", "io", "memory", "pids"];

/// The state of control groups for one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cgroups {
    /// Whether the one hierarchy of version 2 is mounted, and nothing of version 1.
    pub is_v2: bool,
    /// The group in which this account may make others, where there is one.
    pub delegated: Option<PathBuf>,
    /// The controllers that it can hand on.
    pub controllers: Vec<String>,
}

/// Moves this process into the group of another, where this account may: whoever joins a container counts as part of it. Without
/// limits nothing depends on it.
pub fn follow(pid: i32) {
    let group = |pid: &str| {
        let text = system_file::read(format!("/proc/{pid}/cgroup"))?;
        text.lines().find_map(|line| line.strip_prefix("0::/")).map(str::to_owned)
    };
    if let (Some(theirs), Some(own)) = (group(&pid.to_string()), group("self"))
        && theirs != own
        && fault::point("cgroup: enter").is_ok()
    {
        let _ = std::fs::write(PathBuf::from(MOUNT).join(theirs).join("cgroup.procs"), "0");
    }
}

impl Cgroups {
    /// As it is now, for this account: the group of the user's service manager, else this process' own.
    pub fn of_account() -> Self {
        let is_v2 = rustix::fs::statfs(MOUNT).is_ok_and(|stat| stat.f_type == CGROUP2);
        if !is_v2 {
            return Self::default();
        }
        let uid = rustix::process::getuid().as_raw();
        let manager = format!("user.slice/user-{uid}.slice/user@{uid}.service");
        let own = system_file::read("/proc/self/cgroup").unwrap_or_default();
        let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
        for group in [manager.as_str(), own] {
            let directory = PathBuf::from(MOUNT).join(group);
            let processes = directory.join("cgroup.procs");
            if rustix::fs::access(&directory, rustix::fs::Access::WRITE_OK).is_err()
                || rustix::fs::access(&processes, rustix::fs::Access::WRITE_OK).is_err()
            {
                continue;
            }
            let controllers = system_file::read(directory.join("cgroup.controllers")).unwrap_or_default();
            let controllers = controllers.split_ascii_whitespace().map(str::to_owned).collect();
            return Self { is_v2, delegated: Some(directory), controllers };
        }
        Self { is_v2, ..Self::default() }
    }

    /// Controllers that limits need and this account does not have.
    pub fn missing(&self) -> Vec<&'static str> {
        WANTED.into_iter().filter(|wanted| !self.controllers.iter().any(|have| have == wanted)).collect()
    }
}
