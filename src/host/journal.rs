//! systemd's journal, read through journalctl(1), which knows its files and who may read what.

use std::io;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::fault;

/// A journalctl that runs, and what it prints: an object of JSON a line for each record with this field.
pub fn journalctl(field: &str, flags: &[String]) -> io::Result<(Child, ChildStdout)> {
    fault::point("journal: start journalctl")?;
    let mut command = Command::new("journalctl");
    command.args(["--quiet", "--all", "--no-pager", "--output=json"]).args(flags).arg(field);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let printed = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok((child, printed))
}
