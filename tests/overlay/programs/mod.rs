//! What programs do with files (`checks.py` says it), on both drivers and, to know that it is right to expect it, on the disk.

use std::fs;
use std::os::unix::fs::FileExt;
use std::process::Command;

use rustix::fs::FileType;

use super::random::renew_upper;
use super::stage::{self, Stage};
use crate::harness::long_or;

/// How many rows of half a kilobyte the database has.
const ROWS: [u32; 2] = [180_000, 6_000];
/// How often it is copied up and written to.
const RUNS: [u32; 2] = [200, 4];

/// `programs:CHECK`
pub fn check(stage: &Stage) {
    let lower = match stage.driver.as_str() {
        "bare" => "merged",
        _ => "lower1",
    };
    for dir in ["lower1", "lower2"] {
        fs::create_dir_all(stage.place.join(dir)).unwrap();
    }
    let check = &stage.words[0];
    fill(stage, lower, check == "database");
    let runs = if check == "database" { long_or(RUNS[0], RUNS[1]) } else { 1 };
    for run in 0..runs {
        once(stage, check, run);
        // Each run copies up what it changes.
        renew_upper(stage);
    }
}

fn once(stage: &Stage, check: &str, run: u32) {
    let mounted = (stage.driver != "bare").then(|| stage.mount(&stage.driver));
    let script = crate::architecture::root().join("tests/overlay/programs/checks.py");
    let mut python = Command::new("/usr/bin/python3");
    let python = python.arg(script).arg(check).env("CORACLE_SEED", run.to_string());
    let done = python.current_dir(stage.place.join("merged")).status().unwrap();
    assert!(done.success(), "{check}, run {run}");
    if let Some(mounted) = mounted {
        mounted.unmount();
    }
}

fn fill(stage: &Stage, lower: &str, database: bool) {
    let at = |name: &str| stage.place.join(lower).join(name);
    fs::write(at("lower.data"), vec![b'l'; 10_000]).unwrap();
    fs::copy("/usr/bin/sleep", at("lower.program")).unwrap();
    fs::create_dir(at("lower.directory")).unwrap();
    for number in 0..500 {
        fs::write(at("lower.directory").join(format!("lower{number}")), "").unwrap();
    }
    let sparse = fs::File::create(at("lower.sparse")).unwrap();
    sparse.set_len(5 << 30).unwrap();
    sparse.write_at(b"begin", 0).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    for (name, kind) in [("lower.fifo", FileType::Fifo), ("lower.socket", FileType::Socket)] {
        rustix::fs::mknodat(rustix::fs::CWD, at(name), kind, mode, 0).unwrap();
    }
    std::os::unix::fs::symlink("lower.data", at("lower.link")).unwrap();
    if database {
        let rows = long_or(ROWS[0], ROWS[1]);
        let make = format!(
            "import sqlite3; b = sqlite3.connect('lower.db'); b.execute('create table t(id integer primary key, v blob)'); \
             b.executemany('insert into t values (null, ?)', ((bytes([i % 256]) * 500,) for i in range({rows}))); b.commit()"
        );
        let done = Command::new("/usr/bin/python3").args(["-c", &make]).current_dir(stage.place.join(lower)).status();
        assert!(done.unwrap().success());
    }
}

/// Makes three tests of each check.
macro_rules! checks {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            use super::stage::run;

            const CASE: &str = concat!("programs:", stringify!($name));

            #[test]
            fn bare() {
                run("bare", CASE);
            }

            #[test]
            fn kernel() {
                run("kernel", CASE);
            }

            #[test]
            fn fuse() {
                run("fuse", CASE);
            }
        })+
    };
}

checks!(
    mappings,
    executables,
    locks,
    pipes_and_sockets,
    large_files,
    names,
    depth,
    numbers_of_the_disk,
    privileges,
    writes_by_others,
    access_lists,
    positions,
    reflinks,
    removed,
    groups_and_masks,
    many_entries,
    database,
);
