//! The seam for fault injection.
//!
//! Every change to the program's own files and every start of a process passes through [`point`], under a name. In a release build
//! it does nothing. A debug build looks at `CORACLE_FAULT`, which holds `KIND N FILE`: every point that is passed, in whatever process, adds
//! its name to the file, and at the Nth of them the process dies (`die`), the disk is full (`full`) or broken (`broken`), or the
//! account has used up its part of it (`quota`).

use std::io::{self, Read, Seek, Write};

/// A place where the power may go out or the disk may be full. `name` is `room: what`, unique in the program.
#[inline(always)]
pub fn point(name: &'static str) -> io::Result<()> {
    if cfg!(debug_assertions) { injected(name) } else { Ok(()) }
}

fn injected(name: &str) -> io::Result<()> {
    let Ok(plan) = std::env::var("CORACLE_FAULT") else { return Ok(()) };
    let [kind, number, file] = plan.splitn(3, ' ').collect::<Vec<_>>()[..] else { return Ok(()) };
    if pass(name, file)?.to_string() != number {
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

/// Adds a line to the file; which one it is.
fn pass(name: &str, file: &str) -> io::Result<usize> {
    let mut lines = std::fs::OpenOptions::new().append(true).create(true).open(file)?;
    lines.write_all(format!("{name}\n").as_bytes())?;
    // Others may have added theirs since.
    let end = lines.stream_position()?;
    let mut before = String::new();
    std::fs::File::open(file)?.take(end).read_to_string(&mut before)?;
    Ok(before.lines().count())
}
