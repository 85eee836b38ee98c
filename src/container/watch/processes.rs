//! The processes of a container, as /proc shows them to its user (proc(5)): no process of ours goes in to look.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::container::find::Found;
use crate::container::state::{State, Status};
use crate::container::{Error, Result};
use crate::host::{kernel, system_file};
use crate::store::Store;
use crate::sys::Call;

/// What /proc counts times in: USER_HZ is 100 on every architecture that this program is built for.
const TICK: Duration = Duration::from_millis(10);
/// The longest table of accounts that is read, in bytes.
const ACCOUNTS: u64 = 1 << 20;

/// One process. What could not be read, since it has just ended, is empty.
#[derive(Debug, Default)]
pub struct Process {
    /// Its number on this machine.
    pub host_pid: i32,
    /// The lines of `status`.
    status: BTreeMap<String, String>,
    /// The fields of `stat` from the state on, which is the third.
    stat: Vec<String>,
    pub comm: String,
    pub args: Vec<String>,
}

impl Process {
    fn read(host_pid: i32) -> Option<Self> {
        let read = |file: &str| system_file::read(format!("/proc/{host_pid}/{file}"));
        let status = read("status")?;
        let status = status.lines().filter_map(|line| line.split_once(':'));
        let status = status.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
        let stat = read("stat")?;
        // The name in parentheses may hold anything; the fields count from the last one.
        let (before, fields) = stat.rsplit_once(')')?;
        let comm = before.split_once('(').map_or("", |(_, comm)| comm).to_owned();
        let stat = fields.split_whitespace().map(str::to_owned).collect();
        let args = read("cmdline").unwrap_or_default();
        let args = args.split_terminator('\0').map(str::to_owned).collect();
        Some(Self { host_pid, status, stat, comm, args })
    }

    /// The words behind a key of `status`.
    pub fn status(&self, key: &str) -> Vec<&str> {
        self.status.get(key).map(|value| value.split_whitespace().collect()).unwrap_or_default()
    }

    /// A number of `stat`, by the number that proc(5) gives the field.
    pub fn stat(&self, field: usize) -> u64 {
        self.stat.get(field - 3).and_then(|field| field.parse().ok()).unwrap_or_default()
    }

    pub fn state(&self) -> &str {
        self.stat.first().map_or("?", String::as_str)
    }

    /// As `stat`, of fields that may be negative.
    pub fn signed(&self, field: usize) -> i64 {
        self.stat.get(field - 3).and_then(|field| field.parse().ok()).unwrap_or_default()
    }

    /// Its number in the container.
    pub fn pid(&self) -> i32 {
        self.status("NSpid").last().and_then(|pid| pid.parse().ok()).unwrap_or_default()
    }

    /// Time on a processor, its own and that of children that it has waited for.
    pub fn times(&self) -> (Duration, Duration) {
        let ticks = |ticks: u64| TICK.saturating_mul(ticks.try_into().unwrap_or(u32::MAX));
        (ticks(self.stat(14) + self.stat(15)), ticks(self.stat(16) + self.stat(17)))
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        kernel::since_boot().saturating_sub(Duration::from_millis(self.stat(22).saturating_mul(10)))
    }

    /// Bytes of memory, what is shared divided among those who share it.
    pub fn memory(&self) -> u64 {
        let kilobytes = |text: &str| text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
        let rollup = system_file::read(format!("/proc/{}/smaps_rollup", self.host_pid)).unwrap_or_default();
        let shared = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).and_then(kilobytes);
        let resident = || self.status.get("VmRSS").and_then(|text| kilobytes(text));
        shared.or_else(resident).unwrap_or_default() << 10
    }
}

/// The processes of a container that runs here, the first one first.
pub fn of(found: &Found, state: &State) -> Result<Vec<Process>> {
    if state.status != Status::Running {
        return Err(Error::NotRunning(found.container.short_id().to_owned()));
    }
    if !state.is_here() {
        return Err(Error::Elsewhere { id: found.container.short_id().to_owned(), host: state.host.clone() });
    }
    let namespace = |pid: i32| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let own = namespace(state.pid);
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc").call("opendir(/proc)")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if own.is_some() && namespace(pid) == own {
            processes.extend(Process::read(pid));
        }
    }
    processes.sort_by_key(Process::pid);
    Ok(processes)
}

/// The names that the container's own files give to ids.
#[derive(Debug, Default)]
pub struct Names {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

impl Names {
    /// From its files as they lie in the store: the topmost layer that has them.
    pub fn of(store: &Store, found: &Found) -> Self {
        let container = &found.container;
        let rootfs = container.rootfs.iter().map(|rootfs| rootfs.path.clone());
        let layers = container.layers.iter().rev().map(|layer| store.layer_fs(container.mode, layer));
        let directories: Vec<_> = [found.directory.join("upper")].into_iter().chain(rootfs).chain(layers).collect();
        let table = |file: &str| {
            let text = directories.iter().find_map(|directory| read_beneath(directory, file)).unwrap_or_default();
            let line = |line: &str| {
                let mut fields = line.split(':');
                Some((fields.nth(2)?.parse().ok()?, line.split(':').next()?.to_owned()))
            };
            // The first line of an id counts.
            text.lines().rev().filter_map(line).collect()
        };
        Self { users: table("etc/passwd"), groups: table("etc/group") }
    }

    pub fn user(&self, id: u32) -> String {
        self.users.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    pub fn group(&self, id: u32) -> String {
        self.groups.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// A file that may be anything: what is read of it lies beneath the directory.
fn read_beneath(directory: &Path, file: &str) -> Option<String> {
    use std::io::Read;
    let directory = crate::overlay::open_directory(directory).ok()?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let found = rustix::fs::openat2(directory, file, flags, Mode::empty(), resolve).ok()?;
    let found = std::fs::File::from(found);
    if !found.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    found.take(ACCOUNTS).read_to_string(&mut text).ok()?;
    Some(text)
}
