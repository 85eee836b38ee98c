//! Limits, in Podman's words, and what they are in control groups of version 2 (kernel document `admin-guide/cgroup-v2.rst`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::host::system_file;
use crate::runtime::cgroup::Setting;

/// How many processes there may be where nobody says it, as with Podman.
pub const USUAL_PIDS: i64 = 2048;
/// Microseconds, where a share of processors is asked for and no period.
const USUAL_PERIOD: u64 = 100_000;

/// What a container may use of this machine. What is `None`, or empty, nobody has asked for; 0, and for some -1, is no limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes of memory and swap together.
    pub swap: Option<i64>,
    pub reservation: Option<u64>,
    /// As control groups of version 1 count: 1024 is an equal share.
    pub cpu_shares: Option<u64>,
    /// Microseconds.
    pub cpu_period: Option<u64>,
    pub cpu_quota: Option<i64>,
    /// Numbers and ranges: `0-3,5`.
    pub cpuset_cpus: String,
    pub cpuset_mems: String,
    pub pids: Option<i64>,
    /// Where none is asked for: the configuration's.
    pub usual_pids: Option<i64>,
    /// From 10 to 1000.
    pub blkio_weight: Option<u64>,
    pub blkio_weights: Vec<OfDevice>,
    /// By their names in `io.max`.
    pub rates: BTreeMap<Rate, Vec<OfDevice>>,
    /// Files of the group, and what is written to them.
    pub conf: BTreeMap<String, String>,
}

/// What is said of one block device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfDevice {
    pub path: PathBuf,
    pub value: u64,
}

/// What is limited of a device, each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    ReadBps,
    ReadIops,
    WriteBps,
    WriteIops,
}

impl Rate {
    /// The flag, and the key in `io.max`.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::ReadBps => ("device-read-bps", "rbps"),
            Self::ReadIops => ("device-read-iops", "riops"),
            Self::WriteBps => ("device-write-bps", "wbps"),
            Self::WriteIops => ("device-write-iops", "wiops"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{}` is not a block device, so its use can't be limited", path.display())]
pub struct BadLimit {
    path: PathBuf,
}

impl Limits {
    /// What is written to the container's group.
    pub fn settings(&self) -> Result<Vec<Setting>, BadLimit> {
        let mut settings = self.of_memory();
        settings.extend(self.of_processors());
        settings.extend(self.of_devices()?);
        let usual = self.usual_pids.unwrap_or(USUAL_PIDS);
        settings.push(setting(self.pids.map_or("", |_| "pids-limit"), "pids.max", number(self.pids.unwrap_or(usual))));
        settings.extend(self.conf.iter().map(|(file, value)| setting("cgroup-conf", file, value.clone())));
        for setting in &mut settings {
            // No limit needs nobody to enforce it.
            if setting.value == "max" {
                setting.flag.clear();
            }
        }
        Ok(settings)
    }

    fn of_memory(&self) -> Vec<Setting> {
        let bytes = |bytes: u64| if bytes == 0 { "max".to_owned() } else { bytes.to_string() };
        let mut settings = Vec::new();
        settings.extend(self.memory.map(|memory| setting("memory", "memory.max", bytes(memory))));
        settings.extend(self.reservation.map(|low| setting("memory-reservation", "memory.low", low.to_string())));
        let memory = self.memory.unwrap_or(0);
        settings.extend(match self.swap {
            Some(both) if both > 0 => {
                let swap = both.unsigned_abs().saturating_sub(memory);
                Some(setting("memory-swap", "memory.swap.max", swap.to_string()))
            }
            Some(_) => Some(setting("memory-swap", "memory.swap.max", "max".to_owned())),
            // As much again, where the kernel counts it.
            None => self.memory.map(|_| setting("", "memory.swap.max", bytes(memory))),
        });
        settings
    }

    fn of_processors(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let shares = self.cpu_shares.filter(|shares| *shares > 0);
        settings.extend(shares.map(|shares| setting("cpu-shares", "cpu.weight", weight(shares).to_string())));
        if self.cpu_period.is_some() || self.cpu_quota.is_some() {
            let quota = self.cpu_quota.unwrap_or(0);
            let flag = if quota > 0 { "cpus" } else { "" };
            let period = self.cpu_period.filter(|period| *period > 0).unwrap_or(USUAL_PERIOD);
            settings.push(setting(flag, "cpu.max", format!("{} {period}", number(quota))));
        }
        for (flag, file, list) in
            [("cpuset-cpus", "cpuset.cpus", &self.cpuset_cpus), ("cpuset-mems", "cpuset.mems", &self.cpuset_mems)]
        {
            settings.extend((!list.is_empty()).then(|| setting(flag, file, list.clone())));
        }
        settings
    }

    fn of_devices(&self) -> Result<Vec<Setting>, BadLimit> {
        let mut settings = Vec::new();
        let weight = self.blkio_weight.filter(|weight| *weight > 0);
        settings.extend(weight.into_iter().flat_map(|weight| weighed("blkio-weight", "default", weight)));
        for OfDevice { path, value } in &self.blkio_weights {
            let device = numbers(path)?;
            let [bfq, other] = weighed("blkio-weight-device", &device, *value);
            let scheduler = system_file::read(format!("/sys/dev/block/{device}/queue/scheduler")).unwrap_or_default();
            let has_bfq = scheduler.contains("[bfq]");
            settings.push(if has_bfq { Setting { flag: other.flag, ..bfq } } else { other });
        }
        for (rate, devices) in &self.rates {
            let (flag, key) = rate.names();
            for OfDevice { path, value } in devices {
                settings.push(setting(flag, "io.max", format!("{} {key}={value}", numbers(path)?)));
            }
        }
        Ok(settings)
    }
}

/// The first part of a file's name is its controller's.
fn setting(flag: &str, file: &str, value: String) -> Setting {
    let controller = file.split('.').next().unwrap_or_default().to_owned();
    Setting { flag: flag.to_owned(), controller, file: file.to_owned(), value }
}

/// Weights go from 10 to 1000, as those of the scheduler BFQ, which has a file of its own where it is loaded; the kernel's other
/// ones go to 10000.
fn weighed(flag: &str, device: &str, weight: u64) -> [Setting; 2] {
    let spread = 1 + weight.saturating_sub(10) * 9_999 / 990;
    [("", "io.bfq.weight", weight), (flag, "io.weight", spread)]
        .map(|(flag, file, weight)| setting(flag, file, format!("{device} {weight}")))
}

fn number(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".to_owned() }
}

/// From 2..262144 to 1..10000, as runtimes of containers have it.
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142
}

/// `8:0`.
fn numbers(path: &Path) -> Result<String, BadLimit> {
    let bad = || BadLimit { path: path.to_owned() };
    let found = rustix::fs::stat(path).map_err(|_| bad())?;
    if rustix::fs::FileType::from_raw_mode(found.st_mode) != rustix::fs::FileType::BlockDevice {
        return Err(bad());
    }
    Ok(format!("{}:{}", rustix::fs::major(found.st_rdev), rustix::fs::minor(found.st_rdev)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(limits: &Limits) -> Vec<String> {
        let settings = limits.settings().unwrap().into_iter();
        settings.map(|setting| format!("{}={} ({})", setting.file, setting.value, setting.flag)).collect()
    }

    #[test]
    fn limits_are_files_of_the_group() {
        let limits = Limits {
            memory: Some(100),
            swap: Some(150),
            cpu_shares: Some(1024),
            cpu_quota: Some(50_000),
            pids: Some(7),
            ..Limits::default()
        };
        let expected = [
            "memory.max=100 (memory)",
            "memory.swap.max=50 (memory-swap)",
            "cpu.weight=39 (cpu-shares)",
            "cpu.max=50000 100000 (cpus)",
            "pids.max=7 (pids-limit)",
        ];
        assert_eq!(written(&limits), expected);
    }

    #[test]
    fn what_nobody_asks_for_is_no_demand() {
        assert_eq!(written(&Limits::default()), ["pids.max=2048 ()"]);
        let none = Limits { memory: Some(0), pids: Some(-1), ..Limits::default() };
        assert_eq!(written(&none), ["memory.max=max ()", "memory.swap.max=max ()", "pids.max=max ()"]);
        let swap = Limits { memory: Some(5), ..Limits::default() };
        assert!(written(&swap).contains(&"memory.swap.max=5 ()".to_owned()));
    }

    #[test]
    fn weights_keep_their_order() {
        assert_eq!([2, 1024, 262_144].map(weight), [1, 39, 10_000]);
        let spread = |weight| weighed("", "default", weight).map(|setting| setting.value);
        assert_eq!([10, 1000].map(spread), [["default 10", "default 1"], ["default 1000", "default 10000"]]);
    }

    #[test]
    fn only_block_devices_have_rates() {
        let rates = BTreeMap::from([(Rate::ReadBps, vec![OfDevice { path: "/dev/null".into(), value: 1 }])]);
        let error = Limits { rates, ..Limits::default() }.settings().unwrap_err();
        assert_eq!(error.to_string(), "`/dev/null` is not a block device, so its use can't be limited");
    }
}
