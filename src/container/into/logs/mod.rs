//! `logs`: the records of a container from the first, or the last few, to the end of what there is, and on from there while it runs.
//!
//! The writer may rename the file that is read, at any moment and more than once (see [`crate::container::log`]): at the end of one
//! file the next is what took its place.

mod journal;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::container::find::Found;
use crate::container::log::{self, Entry, LogDriver, LogFile};
use crate::container::state::State;
use crate::container::{Error, Result};
use crate::host::message;
use crate::sys::Call;

const BUFFER: usize = 256 << 10;

/// How far back from a file's end a line's beginning is looked for, before the first record that is met there counts as one.
const FARTHEST: u64 = 16 << 20;

/// One container's records.
#[derive(Debug)]
pub struct Records {
    found: Found,
    place: LogFile,
    file: Option<Reading>,
    /// The record that is being read; without a newline at its end, the rest is still to come.
    line: Vec<u8>,
    /// Of a container whose records the journal has: what is read.
    journal: Option<journal::Copy>,
    /// Where to stop, for who does not follow: a program that writes faster than it is read would never come to an end.
    end: Option<End>,
}

/// A file that is read.
#[derive(Debug)]
struct Reading {
    file: BufReader<File>,
    /// Where in it: the kernel would have to be asked for each record.
    position: u64,
}

impl Reading {
    /// From where the file is placed.
    fn of(mut file: File) -> Result<Self> {
        let position = file.stream_position().call("lseek(log)")?;
        Ok(Self { file: BufReader::with_capacity(BUFFER, file), position })
    }
}

/// The end of what there was: the newest file, and how long it was.
#[derive(Debug)]
struct End {
    file: File,
    size: u64,
    /// It is the one that is read.
    reached: bool,
}

impl End {
    fn of(place: &LogFile) -> Result<Option<Self>> {
        let Some(file) = open(&place.path)? else { return Ok(None) };
        let size = file.metadata().call("fstat(log)")?.len();
        Ok(Some(Self { file, size, reached: false }))
    }
}

impl Records {
    /// From the first record that is kept, or from the one with which the last `tail` lines begin; `follow`: with what comes later.
    pub fn open(found: Found, tail: Option<u64>, follow: bool) -> Result<Self> {
        let container = &found.container;
        let journald = container.log.driver == LogDriver::Journald;
        let journal = journald.then(|| journal::Copy::open(&container.id, follow)).transpose()?;
        let place = match &journal {
            Some(copy) => LogFile { path: copy.path(), max_size: None },
            None => container.log.file(&found.directory),
        };
        let mut end = if follow { None } else { End::of(&place)? };
        let file = match tail {
            Some(lines) => last(&place, lines)?,
            None => match open(&place.older())? {
                Some(older) => Some(older),
                None => open(&place.path)?,
            },
        };
        if let (Some(end), Some(file)) = (&mut end, &file) {
            end.reached = identity(file)? == identity(&end.file)?;
        }
        let file = file.map(Reading::of).transpose()?;
        Ok(Self { found, place, file, line: Vec::new(), journal, end })
    }

    pub fn found(&self) -> &Found {
        &self.found
    }

    /// What is lost of it, in words, where it does not tell by itself.
    pub fn lost(&self) -> Option<String> {
        log::lost(open(&self.place.path).ok()??)
    }

    /// The next record that is there.
    pub fn read(&mut self) -> Result<Option<Entry<'_>>> {
        if self.line.ends_with(b"\n") {
            self.line.clear();
        }
        let mut replaced = false;
        loop {
            if self.file.is_none() {
                self.file = open(&self.place.path)?.map(Reading::of).transpose()?;
            }
            let Some(reading) = &mut self.file else { return Ok(None) };
            if let Some(end) = self.end.as_ref().filter(|end| end.reached)
                && reading.position >= end.size
            {
                return Ok(None);
            }
            let count = reading.file.read_until(b'\n', &mut self.line);
            reading.position += count.call_with(|| format!("read({})", self.place.path.display()))? as u64;
            if let Some(line) = self.line.strip_suffix(b"\n") {
                if log::read(line).is_some() {
                    break;
                }
                self.line.clear();
                continue;
            }
            if let Some(end) = self.end.as_mut().filter(|end| !end.reached) {
                end.reached = true;
                self.file = Some(Reading::of(end.file.try_clone().call("dup(log)")?)?);
                self.line.clear();
                continue;
            }
            if self.end.is_some() || self.next_place()?.is_none() {
                return Ok(None);
            }
            // What was written before the file was replaced may have come after the end was met: one more look.
            if replaced {
                // Between two names: what is to have its place has none yet, and the one that is read tells then which it is.
                let Some(next) = self.successor()? else { return Ok(None) };
                if self.has_missed_some(&next) {
                    message::warn(|| "output came faster than it was read, and some of it is not kept".to_owned());
                }
                self.file = Some(Reading::of(next)?);
                self.line.clear();
            }
            replaced = !replaced;
        }
        Ok(self.line.strip_suffix(b"\n").and_then(log::read))
    }

    /// The file that has taken the place of the one that is read. None is passed over that is still there: both may be renamed
    /// between the look and the opening, so it is looked at once more.
    fn successor(&self) -> Result<Option<File>> {
        while let Some(place) = self.next_place()? {
            if let Some(file) = open(&place)?
                && self.next_place()?.as_ref() == Some(&place)
                && at(&place) == Some(identity(&file)?)
            {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Whether there were others between the file that is read and this one: gone, for the sake of the limit.
    fn has_missed_some(&self, next: &File) -> bool {
        let own = self.file.as_ref().map(|reading| log::number(reading.file.get_ref()).unwrap_or(0));
        own.zip(log::number(next)).is_some_and(|(own, next)| own + 1 < next)
    }

    /// Where that file lies now. `None`: nothing has taken its place, or there is nothing any more.
    fn next_place(&self) -> Result<Option<PathBuf>> {
        let Some(reading) = &self.file else { return Ok(None) };
        let own = Some(identity(reading.file.get_ref())?);
        let older = self.place.older();
        Ok(match (at(&older), at(&self.place.path)) {
            (_, newest) if newest == own || newest.is_none() => None,
            (found, _) if found == own || found.is_none() => Some(self.place.path.clone()),
            _ => Some(older),
        })
    }

    /// Whether nothing more will be written, to be asked before the last read; and what is waited for from now on.
    pub fn is_final(&mut self, watch: &mut Watch) -> Result<bool> {
        watch.clear();
        let state = self.found.state()?;
        watch.program = living(&state);
        match &mut self.journal {
            Some(copy) if !state.lives() => copy.finish()?,
            _ => {}
        }
        Ok(!state.lives())
    }

    /// What tells that something happened: to the log, or to the container.
    pub fn watch(&self) -> Result<Watch> {
        let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).call("inotify_init1")?;
        let what = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::MOVE_SELF;
        // A file may be replaced; the copy of the journal is in no folder.
        let folder = self.place.path.parent().filter(|_| self.journal.is_none()).unwrap_or(&self.place.path);
        for path in [self.found.directory.as_path(), folder] {
            inotify::add_watch(&changes, path, what).call_with(|| format!("inotify_add_watch({})", path.display()))?;
        }
        Ok(Watch { changes, program: living(&self.found.state()?) })
    }
}

/// Who writes of the next change: the program, by its end; between two lives its monitor.
fn living(state: &State) -> Option<OwnedFd> {
    if !state.restarting {
        return state.pidfd();
    }
    pidfd_open(Pid::from_raw(state.monitor_pid)?, PidfdFlags::empty()).ok()
}

/// Descriptors to wait for.
#[derive(Debug)]
pub struct Watch {
    changes: OwnedFd,
    program: Option<OwnedFd>,
}

impl Watch {
    pub fn changes(&self) -> BorrowedFd<'_> {
        self.changes.as_fd()
    }

    /// Ready when the program has ended; its monitor then writes down what is left.
    pub fn program(&self) -> Option<BorrowedFd<'_>> {
        self.program.as_ref().map(AsFd::as_fd)
    }

    /// Forgets what has happened so far.
    fn clear(&self) {
        let mut buffer = [0; 4096];
        while rustix::io::read(&self.changes, &mut buffer).is_ok_and(|count| count > 0) {}
    }
}

fn at(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

fn identity(file: &File) -> Result<(u64, u64)> {
    let found = file.metadata().call("fstat(log)")?;
    Ok((found.dev(), found.ino()))
}

fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => Ok(Some(other.call_with(|| format!("open({})", path.display()))?)),
    }
}

/// The file with the first of the last `lines` lines, placed there.
fn last(place: &LogFile, lines: u64) -> Result<Option<File>> {
    let (newest, older) = (open(&place.path)?, open(&place.older())?);
    let Some(mut newest) = newest else { return Ok(None) };
    let missing = seek_last(&mut newest, lines)?;
    match older {
        Some(mut older) if missing > 0 => {
            seek_last(&mut older, missing)?;
            Ok(Some(older))
        }
        _ => Ok(Some(newest)),
    }
}

/// Places the file at the first of its last `lines` lines; how many it does not have. Looked for in an ever longer piece of its
/// end.
fn seek_last(file: &mut File, lines: u64) -> Result<u64> {
    let failed = |error: std::io::Error| Error::from(crate::sys::Error::new("read(log)", error));
    let size = file.metadata().call("fstat(log)")?.len();
    let mut length = 64 << 10;
    loop {
        let from = size.saturating_sub(length);
        let mut piece = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.by_ref().take(size - from).read_to_end(&mut piece).map_err(failed)?;
        let starts = line_starts(&piece, from > 0, from == 0 || length >= FARTHEST);
        let count = starts.len() as u64;
        if count >= lines || from == 0 {
            // With no lines wanted, what is written from now on.
            let first = count.saturating_sub(lines) as usize;
            let start = starts.get(first).map_or(piece.len(), |start| *start);
            file.seek(SeekFrom::Start(from + start as u64)).map_err(failed)?;
            return Ok(lines.saturating_sub(count));
        }
        length *= 4;
    }
}

/// Where lines begin in a piece of a log, in order: behind a record that ended one of the same stream. `cut`: the first record may
/// lack its beginning. `known`: nothing of a line lies before the piece; else the first record of a stream may go on with one, and
/// what can be said for sure begins behind it.
fn line_starts(piece: &[u8], cut: bool, known: bool) -> VecDeque<usize> {
    let mut starts = VecDeque::new();
    // Of each stream: whether a line is begun.
    let mut within = if known { [Some(false); 2] } else { [None; 2] };
    let mut at = 0;
    for (number, line) in piece.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let entry = line.strip_suffix(b"\n").and_then(log::read).filter(|_| !cut || number > 0);
        if let Some(entry) = entry {
            let [output, error] = &mut within;
            match (if entry.error { error } else { output }).replace(!entry.whole) {
                Some(false) => starts.push_back(at),
                Some(true) => {}
                None => starts.clear(),
            }
        }
        at += line.len();
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_parts_begin_once() {
        let piece = b"t stdout F one\nt stdout P tw\nt stderr F err\nt stdout F o\nt stdout P rest\n";
        assert_eq!(line_starts(piece, false, true), [0, 15, 29, 57]);
        // The end of standard error's first line may be the end of a longer one, and lines before it not the last.
        assert_eq!(line_starts(&piece[3..], true, false), [54]);
        let long = b"out P xx\nt stdout P x\nt stdout P x\nt stdout F x\nt stdout F last\n";
        assert_eq!(line_starts(long, true, false), [48]);
    }

    /// Wherever the piece is cut: what is said of it is the end of the truth, and all of that is found in the end.
    #[test]
    fn a_cut_anywhere_names_no_line_that_is_none() {
        let (mut log, mut starts, mut within) = (String::new(), VecDeque::new(), [false; 2]);
        // Every order of three records of each kind.
        for mut number in 0..4_usize.pow(6) {
            for _ in 0..3 {
                let (stream, whole) = (number % 2, number / 2 % 2 == 0);
                number /= 4;
                if !std::mem::replace(&mut within[stream], !whole) {
                    starts.push_back(log.len());
                }
                log += &format!("t {} {} x\n", ["stdout", "stderr"][stream], if whole { "F" } else { "P" });
            }
        }
        assert_eq!(line_starts(log.as_bytes(), false, true), starts);
        for from in log.len() - 2000..log.len() {
            let said = line_starts(&log.as_bytes()[from..], true, false);
            let truth = starts.iter().rev().take(said.len()).rev();
            assert!(said.iter().map(|start| from + start).eq(truth.copied()), "cut at {from}");
        }
    }
}
