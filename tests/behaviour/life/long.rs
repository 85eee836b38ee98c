//! A long life: hundreds of starts and stops, commands and health checks, and nothing grows.
//!
//! `CORACLE_LONG=1`: five hundred starts, and a week's worth of checks at one a minute.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::process::Pid;

use crate::behaviour::faults::death::pid_of;
use crate::harness::{Case, LIMIT, long_or, wait_until};

/// The files of a folder and all below, with their sizes.
fn files(folder: &Path) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let metadata = entry.metadata().unwrap();
        match metadata.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(path.display().to_string(), metadata.len())),
        }
    }
    all
}

/// Where the program keeps its files, but for the log of events, which has a limit of its own.
fn kept(case: &Case) -> BTreeMap<String, u64> {
    let mut all = files(&case.store());
    all.retain(|path, _| !path.contains("/events/"));
    all
}

fn descriptors(pid: Pid) -> usize {
    fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())).unwrap().count()
}

/// In kilobytes.
fn memory(pid: Pid) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.as_raw_nonzero())).unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss_Anon:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn starts_and_stops(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "sleep", "1000"]).code(0);
    let mut first = None;
    for number in 0..long_or(500, 25) {
        case.coracle(["start", "box"]).code(0);
        case.coracle(["exec", "box", "touch", "/again"]).code(0);
        case.coracle(["stop", "-t0", "box"]).code(0);
        // Behind the answer of `stop` the monitor still tidies.
        let folder = case.store().join("tmp");
        wait_until("it is tidied", LIMIT, || fs::read_dir(&folder).map_or(0, Iterator::count) == 0);
        let names: Vec<String> = kept(case).into_keys().collect();
        let first = first.get_or_insert_with(|| names.clone());
        assert_eq!(&names, first, "after {number} starts");
    }
    case.coracle(["system", "check"]).code(0);
}

fn commands_and_checks(case: &Case) {
    let image = case.busybox();
    let check = ["--health-cmd=true", "--health-interval=20ms"];
    let run = ["run", "-d", "--network=none", "--name", "box"].into_iter().chain(check);
    case.coracle(run.chain([image.as_str(), "sleep", "100000"])).code(0);
    let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
    let checks = || {
        let events = case.coracle(["events", "--stream=false", "--filter", "event=health_status"]).succeeded().stdout;
        events.lines().count() as u64
    };
    let work = |count: u64| {
        let enough = checks() + count;
        for _ in 0..count {
            case.coracle(["exec", "box", "true"]).code(0);
        }
        wait_until("the checks have run, too", LIMIT, || checks() >= enough.min(100));
    };
    work(20);
    let before = (descriptors(monitor), memory(monitor), kept(case));
    work(long_or(10_000, 60));
    let after = (descriptors(monitor), memory(monitor), kept(case));
    assert_eq!(before.2.keys().collect::<Vec<_>>(), after.2.keys().collect::<Vec<_>>());
    let size = |files: &BTreeMap<String, u64>| files.values().sum::<u64>();
    assert!(size(&after.2) < size(&before.2) + 10_000, "{} and then {}", size(&before.2), size(&after.2));
    // A check is under way now and then.
    assert!(after.0 <= before.0 + 8, "{} descriptors, then {}", before.0, after.0);
    assert!(after.1 <= before.1 + 200, "{} kB, then {}", before.1, after.1);
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
}

on_both_drivers!(starts_and_stops, commands_and_checks);
