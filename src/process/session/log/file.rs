//! The log as a file.
//!
//! With a limit, a file that has grown to it makes way: it is renamed, in the place of the one before, and a new one is begun.
//! So the last bytes up to the limit are always there, in whole lines, and never more than twice as many.
//!
//! What finds no room on the disk is lost, and the log says how much that was once there is room again; until then an attribute does.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::container::log::{self, LogFile};
use crate::host::change;
use crate::process::session::streams::Kind;
use crate::sys::{Call, Result};

#[derive(Debug)]
pub struct LogWriter {
    place: LogFile,
    file: File,
    /// How many bytes are in the file.
    size: u64,
    /// How many files came before it.
    number: u64,
    /// Records that are about to be written.
    text: Vec<u8>,
    /// What was to be written, and the log does not tell of yet.
    loss: Option<Loss>,
}

#[derive(Debug)]
struct Loss {
    lines: usize,
    why: io::Error,
}

impl Loss {
    /// Of `text` so many bytes were written; its first `record` bytes tell of what was lost `before`.
    fn of(text: &[u8], written: usize, why: io::Error, before: Option<Self>, record: usize) -> Self {
        let untold = before.filter(|_| written < record).map_or(0, |before| before.lines);
        let lost = text.get(written.max(record)..).unwrap_or_default();
        Self { lines: lost.iter().filter(|byte| **byte == b'\n').count() + untold, why }
    }

    fn words(&self) -> String {
        let why = self.why.to_string().to_lowercase();
        let why = why.split(" (os error").next().unwrap_or_default();
        format!("{} lines of this log are lost: {why}", self.lines)
    }
}

/// A record that tells of a loss. What may have been written of another ends before it.
fn record(words: &str) -> Vec<u8> {
    let mut record = vec![b'\n'];
    log::write(&mut record, &log::now(), true, true, format!("coracle: {words}").as_bytes());
    record
}

impl LogWriter {
    /// Appends to the log.
    pub fn open(place: LogFile) -> Result<Self> {
        let file = open(&place.path, OFlags::empty())?;
        let size = rustix::fs::fstat(&file).call("fstat(log)")?.st_size as u64;
        let number = log::number(&file).unwrap_or(0);
        let mut log = Self { place, file, size, number, text: Vec::new(), loss: None };
        if let Some(words) = log::lost(&log.file) {
            // In a life before this one.
            let (written, failure) = put(&mut log.file, &record(&words));
            log.size += written as u64;
            if failure.is_none() {
                log::set_lost(&log.file, None);
            }
        }
        Ok(log)
    }

    /// Adds a record, to be written soon.
    pub fn record(&mut self, time: &str, kind: Kind, whole: bool, line: &[u8]) {
        log::write(&mut self.text, time, kind == Kind::Error, whole, line);
        if self.place.max_size.is_some_and(|most| self.size + self.text.len() as u64 >= most) {
            self.write();
            self.make_way();
        }
    }

    /// Writes what was added, behind a word on what was lost before it.
    pub fn write(&mut self) {
        let before = self.loss.take();
        let told = before.is_some();
        let record = before.as_ref().map(|loss| record(&loss.words())).unwrap_or_default();
        self.text.splice(..0, record.iter().copied());
        let (written, failure) = put(&mut self.file, &self.text);
        self.size += written as u64;
        self.loss = failure.map(|why| Loss::of(&self.text, written, why, before, record.len()));
        if told || self.loss.is_some() {
            log::set_lost(&self.file, self.loss.as_ref().map(Loss::words).as_deref());
        }
        self.text.clear();
    }

    /// Begins a new file, which has its number before a reader can see it; where that fails the old one grows on, and it is tried
    /// again later.
    fn make_way(&mut self) {
        self.size = 0;
        let (path, next) = (&self.place.path, self.place.next());
        let Ok(file) = open(&next, OFlags::TRUNC) else { return };
        log::set_number(&file, self.number + 1);
        if change::rename(path, &self.place.older()).and_then(|()| change::rename(&next, path)).is_ok() {
            self.file = file;
            self.number += 1;
        }
    }
}

/// How much was written, and why not all.
fn put(file: &mut File, text: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while let Some(rest) = text.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

fn open(path: &Path, more: OFlags) -> Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | more;
    let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR);
    Ok(file.call_with(|| format!("open({})", path.display()))?.into())
}
