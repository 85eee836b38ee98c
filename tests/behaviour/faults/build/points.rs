//! The power goes out, or the disk is full or broken, at the points at which a build changes or starts something.
//!
//! Each driver takes some of the points, and one of the four kinds in turn; with `CORACLE_LONG=1` both take all, of every kind.

use std::collections::BTreeMap;
use std::fs;

use super::Bench;
use crate::behaviour::faults::points::KINDS;
use crate::harness::{Case, Driver, long_or, tell};

/// So many points of one name are cut in the short form.
const OF_A_NAME: usize = 1;

pub fn every_point_of_a_build_is_cut(case: &Case) {
    let image = case.busybox();
    let bench = Bench::new(case);
    let plan = case.home.join("points");
    let cut = |kind: &str, number: usize| {
        let _ = fs::remove_file(&plan);
        let done = bench.command().env("CORACLE_FAULT", format!("{kind} {number} {}", plan.display())).finish();
        let points = fs::read_to_string(&plan).unwrap_or_default();
        (done, points.lines().nth(number - 1).map(str::to_owned))
    };
    // None is cut yet: which there are.
    let (done, _) = cut("die", usize::MAX);
    let names: Vec<String> = fs::read_to_string(&plan).unwrap().lines().map(str::to_owned).collect();
    bench.judge(&done, "with no point cut");
    let mut count = 0;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let all = long_or(true, false);
    let turn = usize::from(case.driver == Driver::Fuse);
    for (number, name) in names.into_iter().enumerate() {
        let times = seen.entry(name).or_default();
        *times += 1;
        // The one driver cuts the first of a name, the other the next.
        if !all && (*times <= turn || *times > turn + OF_A_NAME) {
            continue;
        }
        let one = (number + turn) % KINDS.len();
        for kind in if all { &KINDS[..] } else { &KINDS[one..=one] } {
            let (done, point) = cut(kind, number + 1);
            let told = format!("{kind} at `{}`, point {} of a build", point.as_deref().unwrap_or("none"), number + 1);
            assert!(done.signal.is_none(), "{told}: {done}");
            if *kind != "die" && done.code != Some(0) {
                assert!(done.stderr.contains("Error: "), "{told}: {done}");
            }
            bench.judge(&done, &told);
            let runs = case.coracle(["run", "--rm", "--network=none", &image, "true"]);
            assert_eq!(runs.code, Some(0), "{told}: {runs}");
            count += usize::from(point.is_some());
        }
    }
    assert!(count > 10, "only {count} points were cut");
    tell(&format!("{count} points of a build were cut, with the driver {}", case.driver.name()));
}

on_both_drivers!(every_point_of_a_build_is_cut);
