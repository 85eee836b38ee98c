//! The writing of events: append, and turn the file over when it is full.

use std::fs::File;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::{Event, FOLDER, LINE, OLD, files};
use crate::container::state::State;
use crate::host::lock::{self, Lock};
use crate::host::{change, fault};
use crate::sys::{self, Call};

/// The size at which a file becomes the old one: some ten thousand events are kept.
const LIMIT: u64 = 2 << 20;
/// Files that are kept; those of earlier boots go first.
const FILES: usize = 8;

/// Adds events to the log of the store at `root`, in this order, with one write.
pub fn record(root: &Path, events: &[Event]) {
    // The events' own trouble is nobody else's.
    let _ = append(&root.join(FOLDER), events, LIMIT);
}

fn append(directory: &Path, events: &[Event], limit: u64) -> Result<(), lock::Error> {
    let lines: Vec<u8> = events.iter().flat_map(line).collect();
    let path = directory.join(State::on_this_machine().boot_id);
    let file = match open(&path) {
        Err(error) if error.errno() == libc::ENOENT => {
            change::create_dir(directory)?;
            open(&path)
        }
        other => other,
    }?;
    fault::point("events: append").call("write(events)")?;
    rustix::io::write(&file, &lines).call_with(|| format!("write({})", path.display()))?;
    let size = file.metadata().call("fstat(events)")?.len();
    if size >= limit {
        turn(&path, limit)?;
    } else if size == lines.len() as u64 {
        sweep(directory, &path)?;
    }
    Ok(())
}

fn line(event: &Event) -> Vec<u8> {
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    if line.len() >= LINE {
        line = serde_json::to_vec(&Event { attributes: Default::default(), ..event.clone() }).unwrap_or_default();
    }
    line.push(b'\n');
    line
}

fn open(path: &Path) -> sys::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = Mode::RUSR | Mode::WUSR;
    Ok(rustix::fs::open(path, flags, mode).call_with(|| format!("open({})", path.display()))?.into())
}

/// Makes the file at `path` the old one, unless somebody else is doing so, or has done: the full file's lock tells.
fn turn(path: &Path, limit: u64) -> Result<(), lock::Error> {
    let Some(lock) = Lock::try_exclusive(path)? else { return Ok(()) };
    let size = rustix::fs::fstat(lock.fd()).call("fstat(events)")?.st_size;
    if size as u64 >= limit {
        change::rename(path, &path.with_extension(OLD))?;
    }
    Ok(())
}

/// Removes the files that were written to longest ago; not the `own`, whatever the clock says.
fn sweep(directory: &Path, own: &Path) -> sys::Result<()> {
    let mut files = files(directory)?;
    files.retain(|file| file.path != own);
    files.sort_by_key(|file| std::cmp::Reverse(file.written));
    for file in files.iter().skip(FILES - 1) {
        change::remove_file(&file.path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Action, Kind};
    use super::*;
    use crate::store::testing::Scratch;

    fn event(name: &str) -> Event {
        Event::new(Kind::Volume, Action::Create, "", name)
    }

    #[test]
    fn a_full_file_turns_over_and_no_event_is_lost() {
        let scratch = Scratch::new("events-turn");
        let directory = scratch.root.join("events");
        let mut reader = super::super::Events::of(&scratch.root);
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let directory = &directory;
                scope.spawn(move || {
                    (0..50).for_each(|i| append(directory, &[event(&format!("{writer}-{i}"))], 20_000).unwrap());
                });
            }
        });
        seen.extend(reader.read().unwrap());
        assert_eq!(seen.len(), 200);
        assert!(std::fs::read_dir(&directory).unwrap().count() <= 2);
        assert!(seen.is_sorted_by_key(|event| event.time));
        // Turned over once more, the files hold the newest; what was read is not read again.
        for i in 0..300 {
            append(&directory, &[event(&format!("later-{i}"))], 20_000).unwrap();
            seen.extend(reader.read().unwrap());
        }
        assert_eq!(seen.len(), 500);
    }

    #[test]
    fn files_of_earlier_boots_go_and_damage_is_passed_over() {
        let scratch = Scratch::new("events-boots");
        let directory = scratch.root.join("events");
        std::fs::create_dir(&directory).unwrap();
        for boot in 0..12 {
            std::fs::write(directory.join(format!("boot-{boot}")), "no event\n").unwrap();
        }
        let labels = [("long".to_owned(), "x".repeat(LINE))].into();
        record(&scratch.root, &[event("first"), Event { attributes: labels, ..event("second") }]);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), FILES);
        let read = super::super::Events::of(&scratch.root).read().unwrap();
        assert_eq!(read.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    }
}
