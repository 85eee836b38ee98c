//! What of the control groups this account may use (kernel document `admin-guide/cgroup-v2.rst`).

use std::path::{Path, PathBuf};

use crate::host::system_file;

/// Where distributions mount the hierarchy.
pub const MOUNT: &str = "/sys/fs/cgroup";
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

/// Why limits can't be set, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    pub why: String,
    pub hint: String,
}

/// The group of a process, by its number or `self`, as /proc has it.
pub fn of_process(pid: &str) -> Option<String> {
    let text = system_file::read(format!("/proc/{pid}/cgroup"))?;
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// The words of a file that lists controllers.
pub fn list(file: &Path) -> Vec<String> {
    system_file::read(file).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
}

impl Cgroups {
    /// As it is now, for this account: the group of the user's service manager, else this process' own.
    pub fn of_account() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let manager = format!("/user.slice/user-{uid}.slice/user@{uid}.service");
        Self::of_groups([Some(manager), of_process("self")].into_iter().flatten())
    }

    /// The first of these groups that this account may divide.
    pub fn of_groups(groups: impl IntoIterator<Item = String>) -> Self {
        let is_v2 = rustix::fs::statfs(MOUNT).is_ok_and(|stat| stat.f_type == CGROUP2);
        let mut directories = groups.into_iter().map(|group| directory(&group));
        match directories.find(|directory| is_v2 && is_delegated(directory)) {
            Some(directory) => {
                let controllers = list(&directory.join("cgroup.controllers"));
                Self { is_v2, delegated: Some(directory), controllers }
            }
            None => Self { is_v2, ..Self::default() },
        }
    }

    /// Controllers that are wanted and this account does not have.
    pub fn missing<'a>(&self, wanted: &[&'a str]) -> Vec<&'a str> {
        wanted.iter().copied().filter(|wanted| !self.controllers.iter().any(|have| have == wanted)).collect()
    }

    /// What keeps limits from being set that need these controllers.
    pub fn obstacle(&self, wanted: &[&str]) -> Option<Obstacle> {
        let obstacle = |why: &str, hint: &str| Some(Obstacle { why: why.to_owned(), hint: hint.to_owned() });
        if !self.is_v2 {
            return obstacle(
                "control groups are not version 2 on this machine",
                "start the machine with `systemd.unified_cgroup_hierarchy=1` on the kernel's command line",
            );
        }
        if self.delegated.is_none() {
            return obstacle(
                "no control group is delegated to this account",
                "log in through systemd (`machinectl shell USER@`, ssh), so that a user service manager runs; in a unit: `Delegate=yes`",
            );
        }
        let missing = self.missing(wanted);
        (!missing.is_empty()).then(|| Obstacle {
            why: format!("not delegated to this account: {}", missing.join(", ")),
            hint: "as administrator: write `[Service]` and `Delegate=cpu cpuset io memory pids` to \
                   /etc/systemd/system/user@.service.d/delegate.conf, then `systemctl daemon-reload`, then log in again"
                .to_owned(),
        })
    }
}

/// Where the group of this name is.
pub fn directory(group: &str) -> PathBuf {
    Path::new(MOUNT).join(group.trim_start_matches('/'))
}

fn is_delegated(directory: &Path) -> bool {
    let writable = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    writable(directory) && writable(&directory.join("cgroup.procs"))
}
