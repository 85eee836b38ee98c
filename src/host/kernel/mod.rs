//! Facts about this machine, read from /proc and uname(2): for `info`, and for what depends on the kernel's version.

pub mod cgroup;

use std::time::Duration;

use super::system_file;

/// The oldest Linux on which this program is meant to work: overlay mounts by users came with 5.11, mount_setattr(2) with 5.12.
pub const OLDEST: (u32, u32) = (5, 12);

/// What `uname -r` says.
pub fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Major and minor version out of a release.
pub fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A number in /proc/sys; `None` where the kernel does not have the setting.
pub fn setting(name: &str) -> Option<i64> {
    system_file::read(format!("/proc/sys/{name}"))?.trim().parse().ok()
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    pub total: u64,
    pub free: u64,
    pub swap_total: u64,
    pub swap_free: u64,
}

pub fn memory() -> Memory {
    parse_memory(&system_file::read("/proc/meminfo").unwrap_or_default())
}

fn parse_memory(text: &str) -> Memory {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    Memory {
        total: field("MemTotal"),
        free: field("MemFree"),
        swap_total: field("SwapTotal"),
        swap_free: field("SwapFree"),
    }
}

/// Seconds since the machine started.
pub fn uptime() -> u64 {
    let text = system_file::read("/proc/uptime").unwrap_or_default();
    text.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}

/// The clock by which the kernel says when a process was started.
pub fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The distribution (os-release(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    pub id: String,
    pub version: String,
    pub codename: String,
}

pub fn distribution() -> Distribution {
    let text = system_file::read("/etc/os-release").or_else(|| system_file::read("/usr/lib/os-release"));
    parse_distribution(&text.unwrap_or_default())
}

fn parse_distribution(text: &str) -> Distribution {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    };
    Distribution { id: field("ID"), version: field("VERSION_ID"), codename: field("VERSION_CODENAME") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_kinds_of_kernels() {
        assert_eq!(version("6.1.0-28-amd64"), (6, 1));
        assert_eq!(version("5.15.167.4-microsoft-standard-WSL2"), (5, 15));
        assert_eq!(version("6.18-rc3"), (6, 18));
        assert_eq!(version(""), (0, 0));
        assert!(version("5.4.0") < OLDEST && version("10.0") > OLDEST);
    }

    #[test]
    fn the_files_of_proc_and_etc() {
        let memory = parse_memory("MemTotal:       24000 kB\nMemFree:    12 kB\nSwapTotal: 0 kB\n");
        assert_eq!(memory, Memory { total: 24_576_000, free: 12_288, swap_total: 0, swap_free: 0 });
        let debian = parse_distribution("PRETTY_NAME=\"x\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n");
        assert_eq!(debian, Distribution { id: "debian".into(), version: "12".into(), codename: "bookworm".into() });
    }
}
