//! The log of a container, as [`crate::container::log`] describes it: its output cut into lines, and one of two places for them.

mod file;
mod journal;

use super::streams::Kind;
use crate::container::log::{self, Target};
use crate::sys::Result;
use file::LogWriter;
use journal::Journal;

/// A line longer than this is written in parts, so that nothing grows without limit.
const LONGEST: usize = 16 * 1024;

#[derive(Debug)]
pub struct Log {
    place: Place,
    /// The unfinished lines of output and error output.
    unfinished: [Vec<u8>; 2],
}

#[derive(Debug)]
enum Place {
    File(LogWriter),
    Journal(Journal),
}

impl Log {
    /// Adds to what is there.
    pub fn open(target: Target) -> Result<Self> {
        let place = match target {
            Target::File(place) => Place::File(LogWriter::open(place)?),
            Target::Journal(source) => Place::Journal(Journal::open(&source)?),
        };
        Ok(Self { place, unfinished: [Vec::new(), Vec::new()] })
    }

    /// Adds output; what is read at once has one time. A full disk loses lines of the log, not the container.
    pub fn add(&mut self, kind: Kind, bytes: &[u8]) {
        let [output, error] = &mut self.unfinished;
        let mut line = std::mem::take(if kind == Kind::Output { output } else { error });
        let time = log::now();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (mut piece, whole) = piece.strip_suffix(b"\n").map_or((piece, false), |piece| (piece, true));
            while line.len() + piece.len() >= LONGEST {
                let (part, rest) = piece.split_at_checked(LONGEST.saturating_sub(line.len())).unwrap_or((piece, &[]));
                line.extend_from_slice(part);
                piece = rest;
                self.record(&time, kind, false, &line);
                line.clear();
            }
            line.extend_from_slice(piece);
            if whole {
                self.record(&time, kind, true, &line);
                line.clear();
            }
        }
        let [output, error] = &mut self.unfinished;
        *(if kind == Kind::Output { output } else { error }) = line;
        self.write();
    }

    /// What is left of lines that no newline ended.
    pub fn finish(&mut self) {
        let time = log::now();
        let [output, error] = std::mem::take(&mut self.unfinished);
        for (line, kind) in [(output, Kind::Output), (error, Kind::Error)] {
            if !line.is_empty() {
                self.record(&time, kind, false, &line);
            }
        }
        self.write();
    }

    fn record(&mut self, time: &str, kind: Kind, whole: bool, line: &[u8]) {
        match &mut self.place {
            Place::File(file) => file.record(time, kind, whole, line),
            Place::Journal(journal) => journal.record(kind, whole, line),
        }
    }

    fn write(&mut self) {
        if let Place::File(file) = &mut self.place {
            file.write();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::log::LogFile;
    use crate::store::testing::Scratch;

    /// Everything that the files hold, oldest first, without times.
    fn kept(place: &LogFile) -> String {
        let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default();
        let text = read(&place.older()) + &read(&place.path);
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned() + "\n").collect()
    }

    #[test]
    fn lines_come_whole_or_in_parts() {
        let scratch = Scratch::new("log-lines");
        let place = LogFile { path: scratch.root.join("log"), max_size: None };
        let mut log = Log::open(Target::File(place.clone())).unwrap();
        log.add(Kind::Output, b"one\ntw");
        log.add(Kind::Error, b"err\n\n");
        log.add(Kind::Output, b"o\nrest");
        log.finish();
        assert_eq!(kept(&place), "stdout F one\nstderr F err\nstderr F \nstdout F two\nstdout P rest\n");
        let mut log = Log::open(Target::File(place.clone())).unwrap();
        log.add(Kind::Output, &[vec![b'x'; LONGEST + 1], vec![b'\n']].concat());
        let long = format!("stdout P {}\nstdout F x\n", "x".repeat(LONGEST));
        assert!(kept(&place).ends_with(&long));
    }

    #[test]
    fn with_a_limit_the_last_bytes_are_kept_whole() {
        let scratch = Scratch::new("log-limit");
        let place = LogFile { path: scratch.root.join("log"), max_size: Some(1000) };
        let mut log = Log::open(Target::File(place.clone())).unwrap();
        for number in 0..500 {
            log.add(Kind::Output, format!("line {number}\nline {number} again\n").as_bytes());
            let size: u64 =
                [&place.path, &place.older()].iter().filter_map(|path| path.metadata().ok()).map(|m| m.len()).sum();
            assert!(size <= 2200 && (number < 20 || size >= 1000), "{size}");
        }
        let kept = kept(&place);
        let expected: String =
            (0..500).map(|number| format!("stdout F line {number}\nstdout F line {number} again\n")).collect();
        assert!(expected.ends_with(&kept) && kept.len() > 300, "{kept}");
    }

    /// Else a reader could not know that it had missed one.
    #[test]
    fn a_file_has_its_number_when_it_appears() {
        let scratch = Scratch::new("log-number");
        let place = LogFile { path: scratch.root.join("log"), max_size: Some(100) };
        let mut log = Log::open(Target::File(place.clone())).unwrap();
        log.add(Kind::Output, &[b'x'; 200]);
        log.add(Kind::Output, b"\n");
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    log.add(Kind::Output, &[[b'x'; 200].as_slice(), b"\n"].concat());
                }
                over.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                if let Ok(file) = std::fs::File::open(&place.path) {
                    assert!(log::number(&file).is_some());
                }
            }
        });
    }
}
