//! A container's records in systemd's journal.
//!
//! They are copied into an anonymous file, as records of a log, and read from there like any other log.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdout};
use std::thread::JoinHandle;

use rustix::fs::MemfdFlags;
use serde::Deserialize;
use serde_json::Value;

use crate::container::log;
use crate::container::{Error, Result};
use crate::host::journal;
use crate::sys::{self, Call};

/// The copy, and who goes on with it.
#[derive(Debug)]
pub struct Copy {
    id: String,
    file: File,
    following: Option<Following>,
}

#[derive(Debug)]
struct Following {
    journalctl: Child,
    /// Gives the file back, and where it stopped.
    thread: JoinHandle<Position>,
}

/// What was copied last, in journalctl's words.
type Position = Option<String>;

/// A record as `journalctl --output=json` prints it.
#[derive(Debug, Deserialize)]
struct Printed {
    #[serde(rename = "__CURSOR")]
    cursor: String,
    /// Microseconds since 1970.
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: String,
    /// A text, or the numbers of its bytes.
    #[serde(rename = "MESSAGE", default)]
    message: Value,
    #[serde(rename = "PRIORITY", default)]
    priority: String,
    #[serde(rename = "CONTAINER_PARTIAL_MESSAGE", default)]
    partial: Option<Value>,
}

impl Copy {
    /// All that there is; `follow`: and what comes later, until [`Copy::finish`].
    pub fn open(id: &str, follow: bool) -> Result<Self> {
        let file: File = rustix::fs::memfd_create("journal", MemfdFlags::CLOEXEC).call("memfd_create")?.into();
        let mut copy = Self { id: id.to_owned(), file, following: None };
        let position = copy.take(None)?;
        if follow {
            let flags = ["--follow", "--no-tail"];
            let (journalctl, printed) = journalctl(&copy.id, &flags, position.as_deref())?;
            let file = copy.file.try_clone().call("dup(memfd)")?;
            let thread = std::thread::spawn(move || copy_all(printed, &file).ok().flatten().or(position));
            copy.following = Some(Following { journalctl, thread });
        }
        Ok(copy)
    }

    /// Where it can be opened, in this process.
    pub fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
    }

    /// Takes what has come last: the container has ended.
    pub fn finish(&mut self) -> Result<()> {
        let Some(Following { mut journalctl, thread }) = self.following.take() else { return Ok(()) };
        let _ = journalctl.kill();
        let _ = journalctl.wait();
        let position = thread.join().ok().flatten();
        self.take(position).map(drop)
    }

    fn take(&mut self, after: Position) -> Result<Position> {
        let (mut journalctl, printed) = journalctl(&self.id, &[], after.as_deref())?;
        let position = copy_all(printed, &self.file)?;
        // It has said why.
        match journalctl.wait().call("waitpid(journalctl)")?.success() {
            true => Ok(position.or(after)),
            false => Err(Error::UnreadableJournal),
        }
    }
}

fn journalctl(id: &str, flags: &[&str], after: Option<&str>) -> Result<(Child, BufReader<ChildStdout>)> {
    let after = after.map(|cursor| format!("--after-cursor={cursor}"));
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).chain(after).collect();
    match journal::journalctl(&format!("{}={id}", log::CONTAINER), &flags) {
        Ok((child, printed)) => Ok((child, BufReader::new(printed))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NoJournalctl),
        Err(error) => Err(sys::Error::new("spawn(journalctl)", error).into()),
    }
}

fn copy_all(printed: BufReader<ChildStdout>, mut file: &File) -> Result<Position> {
    let mut position = None;
    let mut text = Vec::new();
    for line in printed.split(b'\n') {
        let line = line.call("read(journalctl)")?;
        if let Ok(printed) = serde_json::from_slice::<Printed>(&line) {
            convert(&printed, &mut text);
            file.write_all(&text).call("write(memfd)")?;
            text.clear();
            position = Some(printed.cursor);
        }
    }
    Ok(position)
}

fn convert(printed: &Printed, text: &mut Vec<u8>) {
    let micros = printed.time.parse().unwrap_or_default();
    let time = log::time(chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default());
    let message: Vec<u8> = match &printed.message {
        Value::String(message) => message.clone().into_bytes(),
        Value::Array(bytes) => bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
        _ => Vec::new(),
    };
    log::write(text, &time, printed.priority == "3", printed.partial.is_none(), &message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_records_become_a_logs() {
        let mut text = Vec::new();
        for line in [
            r#"{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1769860800000001","MESSAGE":"one","PRIORITY":"6"}"#,
            r#"{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1769860800000002","MESSAGE":[255,65],"PRIORITY":"3","CONTAINER_PARTIAL_MESSAGE":"true"}"#,
            r#"{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1769860800000003","MESSAGE":null,"PRIORITY":"6"}"#,
        ] {
            convert(&serde_json::from_str(line).unwrap(), &mut text);
        }
        let expected = b"2026-01-31T12:00:00.000001000+00:00 stdout F one\n\
            2026-01-31T12:00:00.000002000+00:00 stderr P \xffA\n\
            2026-01-31T12:00:00.000003000+00:00 stdout F \n";
        assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(expected));
    }
}
