//! Limits that a control group enforces: of memory, processors, processes and block devices. `update` has the same flags.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Report;
use crate::cli::container::options::value::bytes;
use crate::container::cgroup::limits::{Limits, OfDevice, Rate};
use crate::host::system_file;

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
#[group(skip)]
pub struct Flags {
    /// The container's share of block devices, from 10 to 1000
    #[arg(long, value_name = "WEIGHT")]
    blkio_weight: Option<u64>,
    /// The same of one device
    #[arg(long, value_name = "DEVICE:WEIGHT")]
    blkio_weight_device: Vec<String>,
    /// The microseconds in which `--cpu-quota` can be used up
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_period: Option<u64>,
    /// Microseconds of processors in each period: 0 or less, without a limit
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_quota: Option<i64>,
    /// The container's share of processors that are all in use; 1024 is the usual one
    #[arg(long, short = 'c', value_name = "SHARES")]
    cpu_shares: Option<u64>,
    /// How many processors may be used: `1.5`; 0: all
    #[arg(long, value_name = "NUMBER")]
    cpus: Option<f64>,
    /// Which processors may be used
    #[arg(long, value_name = "NUMBERS")]
    cpuset_cpus: Option<String>,
    /// Which nodes of memory may be used
    #[arg(long, value_name = "NUMBERS")]
    cpuset_mems: Option<String>,
    /// How many bytes may be read from a device each second
    #[arg(long, value_name = "DEVICE:SIZE")]
    device_read_bps: Vec<String>,
    /// How many reads of a device there may be each second
    #[arg(long, value_name = "DEVICE:NUMBER")]
    device_read_iops: Vec<String>,
    /// How many bytes may be written to a device each second
    #[arg(long, value_name = "DEVICE:SIZE")]
    device_write_bps: Vec<String>,
    /// How many writes to a device there may be each second
    #[arg(long, value_name = "DEVICE:NUMBER")]
    device_write_iops: Vec<String>,
    /// How much memory may be used; 0: without a limit
    #[arg(long, short, value_name = "SIZE")]
    memory: Option<String>,
    /// How much of the memory is left to the container when others run short
    #[arg(long, value_name = "SIZE")]
    memory_reservation: Option<String>,
    /// How much memory and swap may be used together, -1: without a limit [default: twice `--memory`]
    #[arg(long, value_name = "SIZE")]
    memory_swap: Option<String>,
    /// -1 alone: control groups of version 2 have no such setting
    #[arg(long, value_name = "NUMBER", hide = true)]
    memory_swappiness: Option<i64>,
    /// How many processes there may be: -1 or 0, without a limit [default: 2048]
    #[arg(long, value_name = "NUMBER")]
    pids_limit: Option<i64>,
}

impl Flags {
    /// What is said takes the place of what was; whether anything is said.
    pub fn fill(&self, limits: &mut Limits) -> Result<bool, Report> {
        let before = limits.clone();
        self.memory(limits)?;
        self.processors(limits)?;
        self.devices(limits)?;
        limits.pids = self.pids_limit.or(limits.pids);
        Ok(*limits != before)
    }

    fn memory(&self, limits: &mut Limits) -> Result<(), Report> {
        if self.memory_swappiness.is_some_and(|swappiness| swappiness != -1) {
            return Err(Report::new(
                "`--memory-swappiness` can't be enforced: control groups of version 2 have no such setting",
            )
            .hint("`--memory-swap` says how much may be swapped out"));
        }
        let size = |text: &Option<String>| text.as_deref().map(bytes).transpose();
        limits.memory = size(&self.memory)?.or(limits.memory);
        limits.reservation = size(&self.memory_reservation)?.or(limits.reservation);
        match self.memory_swap.as_deref() {
            Some("-1") => limits.swap = Some(-1),
            Some(text) => limits.swap = Some(bytes(text)?.try_into().unwrap_or(i64::MAX)),
            // Twice what is new.
            None if self.memory.is_some() => limits.swap = None,
            None => {}
        }
        let memory = limits.memory.unwrap_or(0);
        if limits.swap.is_some_and(|swap| swap > 0 && memory == 0) {
            return Err(Report::new("you should always set a memory limit when using a memory swap limit"));
        }
        if limits.swap.is_some_and(|swap| swap > 0 && swap.unsigned_abs() < memory) {
            return Err(Report::new("minimum memoryswap limit should be larger than memory limit"));
        }
        if memory > 0 && limits.reservation.is_some_and(|reservation| reservation > memory) {
            return Err(Report::new("minimum memory limit cannot be less than memory reservation limit"));
        }
        Ok(())
    }

    fn processors(&self, limits: &mut Limits) -> Result<(), Report> {
        for (flag, is_set) in [("cpu-period", self.cpu_period.is_some()), ("cpu-quota", self.cpu_quota.is_some())] {
            if is_set && self.cpus.is_some() {
                return Err(Report::new(format!("--{flag} and --cpus cannot be set together")));
            }
        }
        limits.cpu_period = self.cpu_period.or(limits.cpu_period);
        limits.cpu_quota = self.cpu_quota.or(limits.cpu_quota);
        if let Some(cpus) = self.cpus {
            if !(0.0..1e6).contains(&cpus) {
                return Err(Report::new(format!("`--cpus={cpus}`: expected how many processors may be used")));
            }
            limits.cpu_period = Some(100_000);
            limits.cpu_quota = Some((cpus * 100_000.0).round() as i64);
        }
        if limits.cpu_period.is_some_and(|period| period > 0 && !(1_000..=1_000_000).contains(&period)) {
            return Err(Report::new(
                "CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
            ));
        }
        if limits.cpu_quota.is_some_and(|quota| (1..1_000).contains(&quota)) {
            return Err(Report::new("CPU cfs quota cannot be less than 1ms (i.e. 1000)"));
        }
        limits.cpu_shares = self.cpu_shares.or(limits.cpu_shares);
        for (flag, asked, kept, there) in [
            ("cpuset-cpus", &self.cpuset_cpus, &mut limits.cpuset_cpus, "/sys/devices/system/cpu/online"),
            ("cpuset-mems", &self.cpuset_mems, &mut limits.cpuset_mems, "/sys/devices/system/node/online"),
        ] {
            if let Some(asked) = asked {
                let there = system_file::read(there).unwrap_or_else(|| "0".to_owned());
                check_numbers(flag, asked, there.trim())?;
                kept.clone_from(asked);
            }
        }
        Ok(())
    }

    fn devices(&self, limits: &mut Limits) -> Result<(), Report> {
        let good = |weight: u64| weight == 0 || (10..=1000).contains(&weight);
        let bad_weight = || Report::new("range of blkio weight is from 10 to 1000");
        limits.blkio_weight = self.blkio_weight.or(limits.blkio_weight);
        if !self.blkio_weight_device.is_empty() {
            limits.blkio_weights = of_devices("blkio-weight-device", &self.blkio_weight_device)?;
        }
        if !limits.blkio_weight.is_none_or(good) || !limits.blkio_weights.iter().all(|device| good(device.value)) {
            return Err(bad_weight());
        }
        for (rate, flag, texts) in [
            (Rate::ReadBps, "device-read-bps", &self.device_read_bps),
            (Rate::ReadIops, "device-read-iops", &self.device_read_iops),
            (Rate::WriteBps, "device-write-bps", &self.device_write_bps),
            (Rate::WriteIops, "device-write-iops", &self.device_write_iops),
        ] {
            if !texts.is_empty() {
                limits.rates.insert(rate, of_devices(flag, texts)?);
            }
        }
        // Nobody has asked for anything that can't be had.
        limits.settings().map_err(crate::container::Error::from)?;
        Ok(())
    }
}

/// `PATH:NUMBER` each, or with a size.
fn of_devices(flag: &str, texts: &[String]) -> Result<Vec<OfDevice>, Report> {
    let device = |text: &String| {
        let bad = || {
            Report::new(format!("`--{flag}={text}`: expected a device and a number"))
                .hint(format!("for example `--{flag}=/dev/sda:100`"))
        };
        let (path, value) = text.rsplit_once(':').filter(|(path, _)| path.starts_with("/dev/")).ok_or_else(bad)?;
        let value = if flag.ends_with("bps") { bytes(value)? } else { value.parse().map_err(|_| bad())? };
        Ok(OfDevice { path: PathBuf::from(path), value })
    };
    texts.iter().map(device).collect()
}

/// Numbers and ranges (cpuset(7), "List format"), all of which are there.
fn check_numbers(flag: &str, asked: &str, there: &str) -> Result<(), Report> {
    let have = numbers(there).unwrap_or_default();
    let Some(wanted) = numbers(asked) else {
        return Err(Report::new(format!("`--{flag}={asked}`: expected numbers and ranges such as `0-3,5`")));
    };
    if wanted.iter().any(|(first, last)| !have.iter().any(|(from, to)| from <= first && last <= to)) {
        return Err(Report::new(format!("`--{flag}`: requested `{asked}`, available: {there}"))
            .hint("`lscpu` shows the processors and memory nodes of this machine"));
    }
    Ok(())
}

fn numbers(text: &str) -> Option<Vec<(u32, u32)>> {
    let part = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?)).filter(|(first, last)| first <= last)
    };
    text.split(',').filter(|part| !part.is_empty()).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers_are_read() {
        assert_eq!(numbers("0-3,5"), Some(vec![(0, 3), (5, 5)]));
        assert_eq!((numbers("3-0"), numbers("x"), numbers("1-")), (None, None, None));
        assert!(check_numbers("cpuset-cpus", "0-1", "0-1,3").is_ok());
        let error = check_numbers("cpuset-cpus", "1-2", "0-1").unwrap_err();
        assert_eq!(error.messages, ["`--cpuset-cpus`: requested `1-2`, available: 0-1"]);
    }

    #[test]
    fn devices_have_numbers() {
        let read = |flag, text: &str| of_devices(flag, &[text.to_owned()]).map(|devices| devices[0].value);
        assert_eq!(read("device-read-bps", "/dev/sda:1mb").unwrap(), 1 << 20);
        assert_eq!(read("device-read-iops", "/dev/sda:7").unwrap(), 7);
        for bad in ["/dev/sda", "sda:1", "/dev/sda:", "/dev/sda:1mb"] {
            assert!(read("device-read-iops", bad).is_err(), "{bad}");
        }
    }
}
