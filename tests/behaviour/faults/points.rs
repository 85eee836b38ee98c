//! The power goes out, or the disk is full, at every point at which something is changed or started (see `src/host/fault.rs`): each
//! point of each command once.
//!
//! The driver decides what happens there; with `CORACLE_LONG=1` everything does with both.

use std::fs;
use std::io::Write;

use super::cut::{clean, lawful, nothing_left};
use crate::harness::{Case, Driver, long_or};

/// What happens there: the process dies, the disk is full or broken, the quota is used up.
pub const KINDS: [&str; 4] = ["die", "full", "broken", "quota"];

/// What is done, and the state of the container `box` before it. A volume `full` and a secret `given` are there, too.
const DEEDS: [(&str, &[&str]); 21] = [
    ("created", &["create", "--network=none", "--name=other", "-v=vol:/etc", "--secret=given", "IMAGE", "true"]),
    ("created", &["run", "-d", "--network=none", "--name=other", "-v=vol:/etc", "IMAGE", "sleep", "1000"]),
    ("created", &["run", "--rm", "--network=none", "--name=other", "IMAGE", "sh", "-c", "exit 7"]),
    ("created", &["start", "box"]),
    ("exited", &["start", "box"]),
    ("running", &["stop", "-t0", "box"]),
    ("running", &["restart", "-t0", "box"]),
    ("running", &["exec", "-d", "box", "sleep", "1000"]),
    ("exited", &["commit", "-q", "box", "committed"]),
    ("exited", &["export", "-o", "out", "box"]),
    ("running", &["cp", "files", "box:/tmp"]),
    ("exited", &["cp", "box:/etc", "out"]),
    ("exited", &["rename", "box", "renamed"]),
    ("running", &["update", "--restart=on-failure:1", "box"]),
    ("running", &["rm", "-f", "-t0", "box"]),
    ("exited", &["container", "prune", "-f"]),
    ("created", &["volume", "create", "vol"]),
    ("created", &["volume", "rm", "full"]),
    ("created", &["volume", "import", "full", "archive"]),
    ("created", &["secret", "create", "word", "files/0"]),
    ("created", &["secret", "rm", "given"]),
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
    for (before, deed) in DEEDS {
        let deed: Vec<&str> = deed.iter().map(|word| if *word == "IMAGE" { image.as_str() } else { word }).collect();
        for kind in kinds {
            for number in 1.. {
                super::cut::prepare(case, &image, before);
                let _ = fs::remove_file(&plan);
                let fault = format!("{kind} {number} {}", plan.display());
                let done = case.command(deed.iter().copied()).env("CORACLE_FAULT", fault).finish();
                let points = fs::read_to_string(&plan).unwrap_or_default();
                let point = points.lines().nth(number - 1);
                let told = format!("{kind} at `{}`, point {number} of {deed:?}", point.unwrap_or("none"));
                assert!(done.signal.is_none(), "{told}: {done}");
                if *kind != "die" && done.code != Some(0) && done.code != Some(7) {
                    assert!(done.stderr.contains("Error: "), "{told}: {done}");
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
    // Past libtest's capture of what a passing test prints.
    let _ = writeln!(std::io::stderr(), "{count} points were cut, with the driver {}", case.driver.name());
}

on_both_drivers!(every_point_is_cut);
