//! The seam for fault injection.
//!
//! Every change to the program's own files and every start of a process passes through [`point`], under a name. In a release build
//! it does nothing. A debug build looks at `CORACLE_FAULT`, which holds `KIND N FILE`: every point that is passed, in whatever process, adds
//! its name to the file, and at the Nth of them the process dies (`die`), the disk is full (`full`) or broken (`broken`), or the
//! account has used up its part of it (`quota`). What is done thousands of times, as the making of files is, passes
//! [`one_of_many`]: the first time that a process does it, the second, the fourth, the eighth and so on are points.
//!
//! Locks tell of their waits here as well: see [`waited`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The file, where a process has kept it: see [`keep`].
static KEPT: OnceLock<File> = OnceLock::new();

/// A place where the power may go out or the disk may be full. `name` is `room: what`, unique in the program.
#[inline(always)]
pub fn point(name: &'static str) -> io::Result<()> {
    if cfg!(debug_assertions) { injected(name) } else { Ok(()) }
}

/// As [`point`], of what is done many times.
#[inline(always)]
pub fn one_of_many(name: &'static str) -> io::Result<()> {
    if cfg!(debug_assertions) && std::env::var_os(PLAN).is_some() && is_turn(name) { injected(name) } else { Ok(()) }
}

/// Of a process that is about to leave the files of this machine behind, and that of the points with them.
#[inline(always)]
pub fn keep() {
    if cfg!(debug_assertions)
        && let Ok(plan) = std::env::var(PLAN)
        && let Some(file) = plan.splitn(3, ' ').nth(2)
        && let Ok(file) = open(file)
    {
        let _ = KEPT.set(file);
    }
}

/// How long somebody waited for a lock: a debug build adds a line to the file that `CORACLE_LOCK_WAITS` names, with the milliseconds
/// and the path.
#[inline(always)]
pub fn waited(path: &Path, time: Duration) {
    if cfg!(debug_assertions)
        && let Some(file) = std::env::var_os("CORACLE_LOCK_WAITS")
        && let Ok(mut lines) = std::fs::OpenOptions::new().append(true).create(true).open(file)
    {
        let _ = lines.write_all(format!("{} {}\n", time.as_millis(), path.display()).as_bytes());
    }
}

const PLAN: &str = "CORACLE_FAULT";

fn injected(name: &str) -> io::Result<()> {
    let Ok(plan) = std::env::var(PLAN) else { return Ok(()) };
    let [kind, number, file] = plan.splitn(3, ' ').collect::<Vec<_>>()[..] else { return Ok(()) };
    let passed = match KEPT.get() {
        Some(kept) => pass(name, kept)?,
        None => pass(name, &open(file)?)?,
    };
    if passed.to_string() != number {
        return Ok(());
    }
    let fail = |errno| Err(io::Error::from_raw_os_error(errno));
    match kind {
        "full" => fail(libc::ENOSPC),
        "broken" => fail(libc::EIO),
        "quota" => fail(libc::EDQUOT),
        // Not by a signal: the first process of a namespace is deaf to its own.
        _ => crate::sys::process::exit_now(137),
    }
}

/// Whether this is the first, second, fourth, eighth … time in this process.
fn is_turn(name: &'static str) -> bool {
    static TIMES: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());
    let mut times = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
    let count = times.entry(name).or_default();
    *count += 1;
    count.is_power_of_two()
}

fn open(file: &str) -> io::Result<File> {
    std::fs::OpenOptions::new().read(true).append(true).create(true).open(file)
}

/// Adds a line to the file; which one it is.
fn pass(name: &str, mut lines: &File) -> io::Result<usize> {
    lines.write_all(format!("{name}\n").as_bytes())?;
    // Others may have added theirs since.
    let end = lines.stream_position()?;
    let mut before = vec![0; usize::try_from(end).unwrap_or_default()];
    lines.read_exact_at(&mut before, 0)?;
    Ok(before.iter().filter(|byte| **byte == b'\n').count())
}
