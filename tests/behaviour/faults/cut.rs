//! Any process of ours killed at any instant of anything: containers stay in lawful states, and nothing is left behind.
//!
//! What is done, who is killed and when come from a seed, which a failure names: `CORACLE_SEED=N` does the same again.
//! `CORACLE_LONG=1`: hundreds of times more.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::death::exists;
use super::dice::{Dice, seed};
use crate::harness::{Case, LIMIT, long_or, wait_until};

/// What a container named `box` is when the blow falls.
const BEFORE: [&str; 3] = ["created", "running", "exited"];

/// What is done to it.
const DEEDS: [&[&str]; 31] = [
    &["create", "--network=none", "--name", "other", "IMAGE", "true"],
    &["run", "-d", "--network=none", "--name", "other", "IMAGE", "sleep", "1000"],
    &["run", "--rm", "--network=none", "--name", "other", "IMAGE", "true"],
    &["run", "--replace", "-d", "--network=none", "--name", "box", "IMAGE", "sleep", "1000"],
    &["start", "box"],
    &["stop", "-t", "0", "box"],
    &["restart", "-t", "0", "box"],
    &["exec", "box", "true"],
    &["commit", "-q", "box", "committed"],
    &["cp", "files", "box:/tmp"],
    &["cp", "box:/etc", "out"],
    &["rename", "box", "renamed"],
    &["rm", "-f", "-t", "0", "box"],
    &["create", "--network=none", "--name=other", "--secret=given", "-v", "vol:/etc", "IMAGE", "true"],
    &["run", "-d", "--network=none", "--name=other", "-v", "vol:/etc", "IMAGE", "sleep", "1000"],
    &["export", "-o", "out", "box"],
    &["exec", "-d", "box", "sleep", "1000"],
    &["update", "--restart=always", "box"],
    &["container", "prune", "-f"],
    &["system", "prune", "-f"],
    &["volume", "create", "vol"],
    &["volume", "import", "full", "archive"],
    &["volume", "rm", "full"],
    &["volume", "prune", "-f"],
    &["secret", "create", "word", "files/0"],
    &["secret", "rm", "given"],
    &["rmi", "committed"],
    &["tag", "IMAGE", "committed"],
    &["save", "-q", "-o", "out", "IMAGE"],
    &["load", "-q", "-i", "saved"],
    &["push", "-q", "IMAGE"],
];

const VICTIMS: [&str; 4] = ["cli", "monitor", "mounter", "init"];

fn killed_at_any_instant(case: &Case) {
    let image = case.busybox();
    files(case);
    case.coracle(["save", "-q", "-o", "saved", &image]).succeeded();
    let seed = seed();
    let mut dice = Dice::new(seed);
    for round in 0..long_or(1000, 60) {
        let before = *dice.one_of(&BEFORE);
        let deed: Vec<&str> =
            dice.one_of(&DEEDS).iter().map(|word| if *word == "IMAGE" { image.as_str() } else { word }).collect();
        let (victim, instant) = (*dice.one_of(&VICTIMS), Duration::from_micros(dice.below(60_000)));
        let told =
            format!("seed {seed}, round {round}: {deed:?} of one that is {before}, {victim} killed after {instant:?}");
        prepare(case, &image, before);
        let running = case.command(deed.iter().copied()).start();
        std::thread::sleep(instant);
        match victim {
            "cli" => running.signal(*dice.one_of(&[Signal::KILL, Signal::INT, Signal::TERM])),
            other => {
                if let Some(pid) = victim_of(case, other) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
        }
        // Whatever it says of a container that was shot: it ends.
        let done = running.finish();
        assert!(done.signal.is_none() || victim == "cli", "{told}: {done}");
        lawful(case, &told);
        let checked = case.coracle(["system", "check"]);
        assert_eq!(checked.code, Some(0), "{told}: {checked}");
        clean(case, &told);
        nothing_left(case, &told);
    }
}

/// What is copied, imported and kept.
pub fn files(case: &Case) {
    fs::create_dir(case.home.join("files")).unwrap();
    for number in 0..50 {
        fs::write(case.home.join(format!("files/{number}")), vec![b'x'; 20_000]).unwrap();
    }
    case.command_of("tar".as_ref(), ["cf", "archive", "files"]).finish().code(0);
}

/// Removes all but the image.
pub fn clean(case: &Case, told: &str) {
    for line in [
        &["rm", "-f", "-t0", "-a"][..],
        &["volume", "rm", "-f", "-a"],
        &["secret", "rm", "-a"],
        &["network", "prune", "-f"],
    ] {
        let gone = case.coracle(line.iter().copied());
        assert_eq!(gone.code, Some(0), "{told}: {gone}");
    }
    let out = case.home.join("out");
    let _ = fs::remove_dir_all(&out).or_else(|_| fs::remove_file(&out));
}

/// Makes the container `box`, in the state in which it is to be hit, a volume, a secret and two networks. One that is `wired`, or
/// runs so (`online`), is on the first of them.
pub fn prepare(case: &Case, image: &str, before: &str) {
    case.coracle(["volume", "create", "full"]).succeeded();
    case.coracle(["secret", "create", "given", "files/0"]).succeeded();
    case.coracle(["network", "create", "--subnet=10.209.1.0/24", "wired"]).succeeded();
    case.coracle(["network", "create", "--subnet=10.209.3.0/24", "spare"]).succeeded();
    let verb: &[&str] = match before {
        "running" => &["run", "-d", "--network=none"],
        "online" => &["run", "-d", "--network=wired", "-p=127.0.0.1::81"],
        "wired" => &["create", "--network=wired"],
        _ => &["create", "--network=none"],
    };
    let program: &[&str] = match before {
        "exited" => &["sh", "-c", "exit 7"],
        _ => &["sleep", "1000"],
    };
    let name = ["--name", "box", image];
    case.coracle(verb.iter().chain(&name).chain(program).copied()).succeeded();
    if before == "exited" {
        case.coracle(["start", "-a", "box"]).code(7);
    }
}

/// A process of whatever container there is, if there is one by now.
fn victim_of(case: &Case, which: &str) -> Option<Pid> {
    let states = fs::read_dir(case.store().join("containers")).ok()?.flatten();
    let state = states.filter_map(|entry| fs::read(entry.path().join("state.json")).ok()).next()?;
    let state: Value = serde_json::from_slice(&state).ok()?;
    let pid = |field: &str| Pid::from_raw(i32::try_from(state[field].as_i64()?).ok()?);
    match which {
        "init" => pid("pid"),
        "monitor" => pid("monitorPid"),
        _ => {
            let monitor = pid("monitorPid")?.as_raw_nonzero();
            let children = fs::read_to_string(format!("/proc/{monitor}/task/{monitor}/children")).ok()?;
            let is_mounter = |pid: &&str| {
                fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "coracle-mounter\n")
            };
            Pid::from_raw(children.split_whitespace().find(is_mounter)?.parse().ok()?)
        }
    }
}

/// No container is said to run that does not, and none to have ended well of which that is not known.
pub fn lawful(case: &Case, told: &str) {
    let names = case.coracle(["ps", "-a", "--format", "{{.Names}}"]);
    assert_eq!(names.code, Some(0), "{told}: {names}");
    for name in names.stdout.lines() {
        let template =
            "{{.State.Status}} {{.State.Pid}} {{.HostConfig.AutoRemove}} {{.State.ExitCode}} {{.State.FinishedAt}}";
        // An end that is on its way arrives.
        wait_until(&format!("{name} is in a lawful state ({told})"), LIMIT, || {
            let shown = case.coracle(["inspect", "--format", template, name]);
            let fields: Vec<&str> = shown.stdout.split_whitespace().collect();
            match fields[..] {
                // One that goes by itself has gone.
                [] => shown.code == Some(125),
                ["running", pid, ..] => Pid::from_raw(pid.parse().unwrap()).is_some_and(exists),
                // What was to go and is launched by nobody any more, the next command removes.
                ["created", "0", "true", ..] => {
                    case.coracle(["ps", "-a"]).code(0);
                    false
                }
                ["created", "0", ..] => true,
                // All programs here sleep, or end with 7; `true` in one that goes.
                ["exited", "0", _, code, ..] => code != "0" || name == "other",
                _ => false,
            }
        });
    }
}

/// No files, no names, no mounts and no processes.
pub fn nothing_left(case: &Case, told: &str) {
    let entries = |folder: &str| -> Vec<String> {
        let listed = fs::read_dir(case.store().join(folder)).into_iter().flatten().flatten();
        listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let folders = ["containers", "names", "volumes", "secrets", "networks", "tmp"];
    wait_until(&format!("{folders:?} are empty ({told})"), LIMIT, || {
        // The next command tidies what was left.
        case.coracle(["rm", "-f", "-a"]).code(0).stdout("");
        folders.iter().all(|folder| entries(folder).is_empty())
    });
    let store = case.store();
    wait_until(&format!("no process has a part of the store ({told})"), LIMIT, || users(&store).is_empty());
}

/// Processes of ours that work in the store: what they have open, or mounted.
pub fn users(store: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let has = |pid: &String| {
        let fds = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mounted = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        fds.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|target| target.starts_with(store))
            || mounted.contains(store.to_str().unwrap())
    };
    processes.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).filter(has).collect()
}

on_both_drivers!(killed_at_any_instant);
