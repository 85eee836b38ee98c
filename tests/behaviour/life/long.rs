//! A long life: hundreds of starts and stops, commands and health checks, and nothing grows.
//!
//! `CORACLE_LONG=1`: five hundred starts, and a week's worth of checks at one a minute.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::process::Pid;

use crate::behaviour::faults::death::{mounter_of, pid_of};
use crate::harness::{Case, Driver, LIMIT, long_or, tell, wait_until};

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

/// A process and all that come from it.
fn tree(root: Pid) -> Vec<i32> {
    let mut all = vec![root.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let found: Vec<i32> = children
            .flat_map(|line| line.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
            .collect();
        all.extend(found);
        next += 1;
    }
    all
}

/// Control groups in whose name the container's id is.
fn groups(folder: &Path, id: &str) -> Vec<String> {
    let inner = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    let each = |path: std::path::PathBuf| {
        let named = path.display().to_string().contains(id).then(|| path.display().to_string());
        groups(&path, id).into_iter().chain(named).collect::<Vec<_>>()
    };
    inner.flat_map(|entry| each(entry.path())).collect()
}

fn starts_and_stops(case: &Case) {
    let image = case.busybox();
    case.coracle(["create", "--network=none", "--name", "box", &image, "sleep", "1000"]).code(0);
    let id = case.inspect("box", "{{.Id}}");
    let size = |files: &BTreeMap<String, u64>| files.values().sum::<u64>();
    let mut first = None;
    // Of the monitor and the mounter, once the container runs.
    let mut held: Option<Vec<(usize, u64)>> = None;
    let rounds = long_or(500, 25);
    for number in 0..rounds {
        case.coracle(["start", "box"]).code(0);
        case.coracle(["exec", "box", "touch", "/again"]).code(0);
        let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
        let processes = tree(monitor);
        let ours = [Some(monitor), (case.driver == Driver::Fuse).then(|| mounter_of(monitor))];
        let now: Vec<_> = ours.into_iter().flatten().map(|pid| (descriptors(pid), memory(pid))).collect();
        let before = held.get_or_insert_with(|| now.clone());
        for (before, now) in before.iter().zip(&now) {
            // A mounter that has just started holds more or less, by what its threads have done yet.
            assert!(
                now.0 <= before.0 + 16 && now.1 <= before.1 + 1500,
                "after {number} starts: {before:?}, then {now:?}"
            );
        }
        case.coracle(["stop", "-t0", "box"]).code(0);
        wait_until("its processes are gone", LIMIT, || {
            processes.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
        });
        // Behind the answer of `stop` the monitor still tidies.
        let folder = case.store().join("tmp");
        wait_until("it is tidied", LIMIT, || fs::read_dir(&folder).map_or(0, Iterator::count) == 0);
        let now = kept(case);
        let first = first.get_or_insert_with(|| now.clone());
        assert!(now.keys().eq(first.keys()), "after {number} starts: {first:?}, then {now:?}");
        // A number may have a digit more.
        assert!(size(&now) <= size(first) + 64, "after {number} starts: {first:?}, then {now:?}");
        wait_until("its control group is gone", LIMIT, || groups(Path::new("/sys/fs/cgroup"), &id).is_empty());
    }
    tell(&format!("{rounds} starts and stops, with the driver {}", case.driver.name()));
    case.coracle(["system", "check"]).code(0);
}

fn commands_and_checks(case: &Case) {
    let image = case.busybox();
    // Each check says so, in a file that is none of ours.
    let counted = case.home.join("counted");
    fs::create_dir(&counted).unwrap();
    let volume = format!("{}:/counted", counted.display());
    let check = ["-v", &volume, "--health-cmd=printf x >>/counted/checks", "--health-interval=20ms"];
    let run = ["run", "-d", "--network=none", "--name", "box"].into_iter().chain(check);
    case.coracle(run.chain([image.as_str(), "sleep", "100000"])).code(0);
    let monitor = pid_of(case, "box", "{{.State.ConmonPid}}");
    let ours: Vec<Pid> =
        [Some(monitor), (case.driver == Driver::Fuse).then(|| mounter_of(monitor))].into_iter().flatten().collect();
    let checks = || fs::metadata(counted.join("checks")).map_or(0, |found| found.len());
    let work = |commands: u64, more: u64| {
        let enough = checks() + more;
        for _ in 0..commands {
            case.coracle(["exec", "box", "true"]).code(0);
        }
        while checks() < enough {
            let before = checks();
            wait_until("the next check has run", LIMIT, || checks() > before);
        }
    };
    let held = || ours.iter().map(|pid| (descriptors(*pid), memory(*pid))).collect::<Vec<_>>();
    work(20, 20);
    let before = (held(), kept(case));
    // A check is under way now and then.
    let quiet = (0..50).map(|_| tree(monitor).len()).min().unwrap();
    let (commands, week) = (long_or(10_000, 60), long_or(7 * 24 * 60, 60));
    work(commands, week);
    let after = (held(), kept(case));
    assert!(before.1.keys().eq(after.1.keys()), "{:?}, then {:?}", before.1, after.1);
    let size = |files: &BTreeMap<String, u64>| files.values().sum::<u64>();
    assert!(size(&after.1) < size(&before.1) + 10_000, "{} and then {}", size(&before.1), size(&after.1));
    for (before, after) in before.0.iter().zip(&after.0) {
        assert!(after.0 <= before.0 + 8, "{} descriptors, then {}", before.0, after.0);
        assert!(after.1 <= before.1 + 300, "{} kB, then {}", before.1, after.1);
    }
    wait_until("there are no more processes than before", LIMIT, || tree(monitor).len() <= quiet);
    tell(&format!(
        "{commands} commands and {week} checks, with the driver {}: descriptors and kB of monitor and mounter {:?}, then {:?}",
        case.driver.name(),
        before.0,
        after.0
    ));
    case.coracle(["rm", "-f", "-t0", "box"]).code(0);
}

on_both_drivers!(starts_and_stops, commands_and_checks);
