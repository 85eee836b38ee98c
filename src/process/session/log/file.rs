//! The log as a file.
//!
//! With a limit, a file that has grown to it makes way: it is renamed, in the place of the one before, and a new one is begun.
//! So the last bytes up to the limit are always there, in whole lines, and never more than twice as many.
//!
//! What finds no room on the disk is lost, and the log says how much that was once there is room again.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

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
    /// The file ends within a line.
    torn: bool,
}

impl Loss {
    /// Of `text` so many bytes were written; its first `word` bytes tell of what was lost `before`.
    fn of(text: &[u8], written: usize, why: io::Error, before: Option<Self>, word: usize) -> Self {
        let torn = match written.checked_sub(1) {
            None => before.as_ref().is_some_and(|before| before.torn),
            Some(last) => text.get(last) != Some(&b'\n'),
        };
        let untold = before.filter(|_| written < word);
        let lost = text.get(written.max(word)..).unwrap_or_default();
        let lines = lost.iter().filter(|byte| **byte == b'\n').count() + untold.map_or(0, |before| before.lines);
        Self { lines, why, torn }
    }

    /// The record that tells of it.
    fn word(&self) -> Vec<u8> {
        let why = self.why.to_string().to_lowercase();
        let why = why.split(" (os error").next().unwrap_or_default();
        let line = format!("coracle: {} lines of this log are lost: {why}", self.lines);
        let mut word = if self.torn { vec![b'\n'] } else { Vec::new() };
        log::write(&mut word, &log::now(), true, true, line.as_bytes());
        word
    }
}

impl LogWriter {
    /// Appends to the log.
    pub fn open(place: LogFile) -> Result<Self> {
        let file = open(&place)?;
        let size = rustix::fs::fstat(&file).call("fstat(log)")?.st_size as u64;
        let number = log::number(&file).unwrap_or(0);
        Ok(Self { place, file, size, number, text: Vec::new(), loss: None })
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
        let word = before.as_ref().map(Loss::word).unwrap_or_default();
        self.text.splice(..0, word.iter().copied());
        let (written, failure) = put(&mut self.file, &self.text);
        self.size += written as u64;
        self.loss = failure.map(|why| Loss::of(&self.text, written, why, before, word.len()));
        self.text.clear();
    }

    /// Begins a new file; where that fails the old one grows on, and it is tried again later.
    fn make_way(&mut self) {
        self.size = 0;
        if change::rename(&self.place.path, &self.place.older()).is_ok()
            && let Ok(file) = open(&self.place)
        {
            self.file = file;
            self.number += 1;
            log::set_number(&self.file, self.number);
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

fn open(place: &LogFile) -> Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::open(&place.path, flags, Mode::RUSR | Mode::WUSR);
    Ok(file.call_with(|| format!("open({})", place.path.display()))?.into())
}
