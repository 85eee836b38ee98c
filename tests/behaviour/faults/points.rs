//! The power goes out, or the disk is full, at every point at which something is changed or started (see `src/host/fault.rs`): each
//! point of each command once.
//!
//! The driver decides what happens there; with `CORACLE_LONG=1` everything does with both.

use std::fs;

use super::cut::{clean, lawful, nothing_left};
use crate::harness::{Case, Driver, long_or, tell};

/// What happens there: the process dies, the disk is full or broken, the quota is used up.
pub const KINDS: [&str; 4] = ["die", "full", "broken", "quota"];

/// What shows that something was done: a command that succeeds, or fails, or says this, a file of the user's, or a container that
/// runs, unless it was one of its own processes that died.
pub enum Shown {
    By(&'static [&'static str]),
    ByFailure(&'static [&'static str]),
    ByWords(&'static [&'static str], &'static str),
    File(&'static str),
    Runs(&'static str),
}

use Shown::{By, ByFailure, ByWords, File, Runs};

impl Shown {
    /// What was reported done is there, also where something broke on the way.
    pub fn expect(&self, case: &Case, kind: &str, word: impl Fn(&'static str) -> String, told: &str) {
        let run = |line: &[&'static str]| {
            let line: Vec<String> = line.iter().copied().map(&word).collect();
            case.coracle(line.iter().map(String::as_str))
        };
        let code = |line: &[&'static str]| run(line).code;
        let is_shown = match self {
            By(line) => code(line) == Some(0),
            ByFailure(line) => code(line) != Some(0),
            ByWords(line, words) => run(line).stdout.trim_end() == *words,
            File(path) => case.home.join(path).exists(),
            Runs(name) if kind == "die" => code(&["container", "exists", name]) == Some(0),
            Runs(name) => code(&["exec", name, "true"]) == Some(0),
        };
        assert!(is_shown, "{told}: reported done, and is not");
    }
}

/// The state of the container `box`, what is done then, and what shows it. A volume `full`, a secret
/// `given` and networks `wired` and `spare` are there, too.
const DEEDS: [(&str, &[&str], Shown); 36] = [
    (
        "created",
        &["create", "--network=none", "--name=other", "-v=vol:/etc", "--secret=given", "IMAGE", "true"],
        By(&["start", "other"]),
    ),
    (
        "created",
        &["run", "-d", "--network=none", "--name=other", "-v=vol:/etc", "IMAGE", "sleep", "1000"],
        Runs("other"),
    ),
    (
        "created",
        &["run", "--rm", "--network=none", "--name=other", "IMAGE", "sh", "-c", "exit 7"],
        // It ends as the program did, and what could not be removed goes with the next command.
        By(&["ps", "-a"]),
    ),
    ("created", &["start", "box"], Runs("box")),
    ("exited", &["start", "box"], By(&["container", "exists", "box"])),
    ("running", &["stop", "-t0", "box"], ByFailure(&["exec", "box", "true"])),
    ("running", &["restart", "-t0", "box"], Runs("box")),
    ("running", &["exec", "-d", "box", "sleep", "1001"], Runs("box")),
    ("exited", &["commit", "-q", "box", "committed"], By(&["rmi", "committed"])),
    ("exited", &["export", "-o", "out", "box"], File("out")),
    ("running", &["cp", "files", "box:/tmp"], By(&["exec", "box", "test", "-s", "/tmp/files/49"])),
    ("exited", &["cp", "box:/etc", "out"], File("out/passwd")),
    ("exited", &["rename", "box", "renamed"], By(&["container", "exists", "renamed"])),
    ("running", &["update", "--restart=on-failure:1", "box"], By(&["exec", "box", "true"])),
    ("running", &["rm", "-f", "-t0", "box"], ByFailure(&["container", "exists", "box"])),
    ("exited", &["rm", "box"], ByFailure(&["container", "exists", "box"])),
    ("created", &["volume", "prune", "-f"], ByFailure(&["volume", "exists", "full"])),
    ("exited", &["container", "prune", "-f"], ByFailure(&["container", "exists", "box"])),
    ("created", &["volume", "create", "vol"], By(&["volume", "exists", "vol"])),
    ("created", &["volume", "rm", "full"], ByFailure(&["volume", "exists", "full"])),
    (
        "created",
        &["volume", "import", "full", "archive"],
        By(&["run", "--rm", "--network=none", "-v=full:/v", "IMAGE", "test", "-s", "/v/files/49"]),
    ),
    ("created", &["secret", "create", "word", "files/0"], By(&["secret", "exists", "word"])),
    ("created", &["secret", "rm", "given"], ByFailure(&["secret", "exists", "given"])),
    ("created", &["network", "create", "--subnet=10.209.2.0/24", "net"], By(&["network", "exists", "net"])),
    ("created", &["network", "rm", "wired"], ByFailure(&["network", "exists", "wired"])),
    (
        "created",
        &["run", "-d", "--network=wired", "-p=127.0.0.1::80", "--name=other", "IMAGE", "sleep", "1000"],
        Runs("other"),
    ),
    (
        "created",
        &["network", "update", "--dns-add=127.0.0.9", "wired"],
        ByWords(&["network", "inspect", "--format={{.NetworkDNSServers}}", "wired"], "[127.0.0.9]"),
    ),
    ("created", &["network", "prune", "-f"], ByWords(&["network", "ls", "-q"], "podman")),
    ("wired", &["network", "connect", "spare", "box"], By(&["network", "disconnect", "spare", "box"])),
    ("wired", &["network", "disconnect", "wired", "box"], By(&["network", "rm", "wired"])),
    ("online", &["network", "connect", "spare", "box"], By(&["exec", "box", "test", "-e", "/sys/class/net/eth1"])),
    (
        "online",
        &["network", "disconnect", "wired", "box"],
        ByWords(&["exec", "box", "sh", "-c", "ls /sys/class/net | grep -c eth"], "0"),
    ),
    ("online", &["network", "rm", "-f", "-t0", "wired"], ByFailure(&["network", "exists", "wired"])),
    ("online", &["rename", "box", "renamed"], By(&["exec", "renamed", "grep", "-qw", "renamed", "/etc/hosts"])),
    ("online", &["port", "add", "box", "127.0.0.1::80"], By(&["port", "box", "80"])),
    ("online", &["port", "rm", "box", "81"], ByFailure(&["port", "box", "81"])),
];

fn every_point_is_cut(case: &Case) {
    let image = case.busybox();
    super::cut::files(case);
    let plan = case.home.join("points");
    let kinds: &[&str] = match case.driver {
        _ if long_or(true, false) => &KINDS,
        Driver::Kernel => &["full"],
        _ => &["die"],
    };
    let mut count = 0;
    let word = |word: &'static str| if word == "IMAGE" { image.clone() } else { word.to_owned() };
    for (before, deed, shown) in DEEDS {
        let deed: Vec<String> = deed.iter().copied().map(word).collect();
        for kind in kinds {
            for number in 1.. {
                super::cut::prepare(case, &image, before);
                let _ = fs::remove_file(&plan);
                let fault = format!("{kind} {number} {}", plan.display());
                let done = case.command(deed.iter().map(String::as_str)).env("CORACLE_FAULT", fault).finish();
                let points = fs::read_to_string(&plan).unwrap_or_default();
                let point = points.lines().nth(number - 1);
                let told = format!("{kind} at `{}`, point {number} of {deed:?}", point.unwrap_or("none"));
                assert!(done.signal.is_none(), "{told}: {done}");
                if *kind != "die" && done.code != Some(0) && done.code != Some(7) {
                    assert!(done.stderr.contains("Error: "), "{told}: {done}");
                }
                if matches!(done.code, Some(0 | 7)) {
                    shown.expect(case, kind, word, &told);
                }
                lawful(case, &told);
                let checked = case.coracle(["system", "check", "--quick"]);
                assert_eq!(checked.code, Some(0), "{told}: {checked}");
                clean(case, &told);
                nothing_left(case, &told);
                if point.is_none() {
                    break;
                }
                count += 1;
            }
        }
    }
    tell(&format!("{count} points were cut, with the driver {}", case.driver.name()));
}

on_both_drivers!(every_point_is_cut);
