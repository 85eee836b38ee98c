//! The reading of events: all that there are, then those that come.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::{Event, FOLDER, LINE, files};
use crate::host::change;
use crate::sys::{self, Call};

/// A reader of the events of one store.
#[derive(Debug)]
pub struct Events {
    directory: PathBuf,
    /// How far each file was read, by device and number: a file may get another name.
    read: BTreeMap<(u64, u64), u64>,
}

impl Events {
    /// From the first that is kept.
    pub fn of(root: &Path) -> Self {
        Self { directory: root.join(FOLDER), read: BTreeMap::new() }
    }

    /// Those that were written since the last call, in the order of their times.
    pub fn read(&mut self) -> sys::Result<Vec<Event>> {
        let mut events = Vec::new();
        // Between the look at the folder and that at a file the file may get its other name: until no new one is met.
        loop {
            let known = self.read.len();
            let files = match files(&self.directory) {
                // Nothing has happened yet.
                Err(error) if error.errno() == libc::ENOENT => Vec::new(),
                other => other?,
            };
            for file in files {
                if let Ok(open) = File::open(&file.path) {
                    self.read_file(open, &mut events).call_with(|| format!("read({})", file.path.display()))?;
                }
            }
            if self.read.len() == known {
                break;
            }
        }
        events.sort_by_key(|event| event.time);
        Ok(events)
    }

    fn read_file(&mut self, file: File, events: &mut Vec<Event>) -> std::io::Result<()> {
        let found = file.metadata()?;
        let at = self.read.entry((found.dev(), found.ino())).or_default();
        let mut file = BufReader::new(file);
        // The number of a file that is gone may be given to another.
        *at = if *at <= found.size() { file.seek(SeekFrom::Start(*at))? } else { 0 };
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = file.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                // The end, or a line whose rest is still to come.
                return Ok(());
            }
            *at += count as u64;
            if count <= LINE {
                events.extend(serde_json::from_slice::<Event>(&line).ok());
            }
        }
    }

    /// What tells of new ones. Made before the first look, it misses none.
    pub fn watch(&self) -> sys::Result<Watch> {
        change::create_dir(&self.directory)?;
        let changes = inotify::init(CreateFlags::CLOEXEC).call("inotify_init1")?;
        let what = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        inotify::add_watch(&changes, &self.directory, what)
            .call_with(|| format!("inotify_add_watch({})", self.directory.display()))?;
        Ok(Watch { changes })
    }
}

/// The changes of the folder of events.
#[derive(Debug)]
pub struct Watch {
    changes: OwnedFd,
}

impl Watch {
    /// Waits until something was written. `false`: nothing was by then.
    pub fn wait(&self, until: Option<Instant>) -> sys::Result<bool> {
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        let limit =
            rest.map(|rest| Timespec { tv_sec: rest.as_secs() as i64, tv_nsec: i64::from(rest.subsec_nanos()) });
        if poll(&mut [PollFd::new(&self.changes, PollFlags::IN)], limit.as_ref()).call("poll(events)")? == 0 {
            return Ok(false);
        }
        rustix::io::read(&self.changes, &mut [0; 4096]).call("read(inotify)")?;
        Ok(true)
    }
}
