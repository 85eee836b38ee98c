//! The log as a file.
//!
//! With a limit, a file that has grown to it makes way: it is renamed, in the place of the one before, and a new one is begun.
//! So the last bytes up to the limit are always there, in whole lines, and never more than twice as many.

use std::fs::File;
use std::io::Write;

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
}

impl LogWriter {
    /// Appends to the log.
    pub fn open(place: LogFile) -> Result<Self> {
        let file = open(&place)?;
        let size = rustix::fs::fstat(&file).call("fstat(log)")?.st_size as u64;
        let number = log::number(&file).unwrap_or(0);
        Ok(Self { place, file, size, number, text: Vec::new() })
    }

    /// Adds a record, to be written soon.
    pub fn record(&mut self, time: &str, kind: Kind, whole: bool, line: &[u8]) {
        log::write(&mut self.text, time, kind == Kind::Error, whole, line);
        if self.place.max_size.is_some_and(|most| self.size + self.text.len() as u64 >= most) {
            self.write();
            self.make_way();
        }
    }

    /// Writes what was added.
    pub fn write(&mut self) {
        let _ = self.file.write_all(&self.text);
        self.size += self.text.len() as u64;
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

fn open(place: &LogFile) -> Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::open(&place.path, flags, Mode::RUSR | Mode::WUSR);
    Ok(file.call_with(|| format!("open({})", place.path.display()))?.into())
}
