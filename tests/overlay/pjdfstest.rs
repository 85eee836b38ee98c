//! Conformance: the crate `pjdfstest`, 398 cases of what POSIX says of a file system.
//!
//! They run inside the user namespace on the bare disk, on the kernel's driver and on ours: what fails on the disk itself is
//! the disk's or the namespace's, and an overlay must pass whatever the disk passes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::mount::mount_bind;

use super::stage::{self, Stage};
use crate::harness::{binary, has};

const SETTINGS: &str = r#"
[features]
posix_fallocate = {}
rename_ctime = {}
stat_st_birthtime = {}
utime_now = {}
utimensat = {}
[settings]
naptime = 0.01
[dummy_auth]
entries = [["nobody", "nogroup"], ["daemon", "daemon"]]
"#;

/// How many pass on the kernel's driver, over a disk that passes 338.
const EXPECTED: usize = 296;

/// Where it is tried: a place that every user can reach.
const AT: &str = "/mnt";

/// Runs the suite on whatever the stage is for, and passes its words on.
pub fn suite(stage: &Stage) {
    fs::create_dir(stage.place.join("lower1")).unwrap();
    fs::create_dir(stage.place.join("lower2")).unwrap();
    let mounted = match stage.driver.as_str() {
        "bare" => {
            mount_bind(stage.place.join("merged"), AT).unwrap();
            None
        }
        driver => Some(stage.mount_at(driver, Path::new(AT))),
    };
    let settings = stage.place.join("settings");
    fs::write(&settings, SETTINGS).unwrap();
    let program = binary().with_file_name("pjdfstest");
    let output = Command::new(program).arg("-c").arg(&settings).args(["-p", AT]).output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if let Some(mounted) = mounted {
        mounted.unmount();
    }
}

/// What became of each case, by its name.
fn results(said: &str) -> BTreeMap<String, String> {
    let lines = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let results = lines.filter_map(|words| match words[..] {
        [name, result @ ("ok" | "FAILED" | "skipped")] => Some((name.to_owned(), result.to_owned())),
        _ => None,
    });
    results.collect()
}

/// What an overlay can't do: a device 0:0 is a whiteout there, and each file system has a limit of its own to links.
fn is_meaningless(case: &str) -> bool {
    case.ends_with("::char") || case == "link::link_count_max"
}

#[test]
fn posix() {
    if !has("pjdfstest beside the program", binary().with_file_name("pjdfstest").exists()) {
        return;
    }
    let [bare, kernel, fuse] = ["bare", "kernel", "fuse"].map(|driver| results(&stage::run(driver, "pjdfstest")));
    assert_eq!(bare.len(), 398, "cases on the bare disk");
    for (driver, results) in [("kernel", kernel), ("fuse", fuse)] {
        let passes = |case: &&String| results.get(*case).is_some_and(|result| result == "ok");
        let on_disk = bare.iter().filter(|(_, result)| *result == "ok").map(|(case, _)| case);
        let lost: Vec<&String> = on_disk.filter(|case| !passes(case) && !is_meaningless(case)).collect();
        assert!(lost.is_empty(), "{driver}: fails what the bare disk passes: {lost:#?}");
        assert!(results.keys().filter(passes).count() >= EXPECTED, "{driver}: too few pass");
    }
}
