//! The control group of a container (kernel document `admin-guide/cgroup-v2.rst`): limits, figures, a pause.
//!
//! ```text
//!  user@1000.service/user.slice/                     or, in a group that is delegated (a unit's, a session's):
//!  └── coracle-ID.scope     systemd's, asked for     └── its group
//!      ├── supervisor       the monitor, its helpers     ├── supervisor   who was in it, where that has to go
//!      └── container        init and all below it        └── payload-ID
//! ```
//!
//! Processes are only where nothing is handed on from ("no internal processes"), so whoever looks after the container has a group
//! beside it; and neither the limits nor a pause hold up the monitor or the server of the root file system.
//!
//! What must stay true: groups are this account's own, below what was delegated to it; what was not asked for is no reason to fail.

pub mod placement;

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::host::kernel::cgroup::{directory, list, of_process};
use crate::host::{fault, system_file};
use crate::sys::{self, Call};

/// Where who looks after a container is, beside it.
const SUPERVISOR: &str = "supervisor";
/// How long the kernel may take to stop every process.
const FREEZING: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

/// A control group, by its name: `/user.slice/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: String,
}

/// Where a monitor finds the group of its container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name; if it lies `beside` the monitor's own, the last part of that.
    pub name: String,
    pub beside: bool,
    /// There are limits that hold there alone.
    pub must: bool,
}

impl Place {
    /// In the monitor. `None`: it could not be made, and did not have to be.
    pub fn group(&self) -> sys::Result<Option<Group>> {
        let group = if self.beside { self.found_beside() } else { Some(Group::named(&self.name)) };
        match group.filter(|group| directory(&group.name).is_dir()) {
            None if self.must => Err(sys::Error::new(format!("open(cgroup {})", self.name), rustix::io::Errno::NOENT)),
            group => Ok(group),
        }
    }

    fn found_beside(&self) -> Option<Group> {
        let own = Group::of_process("self")?;
        let around = own.parent().filter(|_| own.name.ends_with(&format!("/{SUPERVISOR}")))?;
        Some(around.child(&self.name))
    }
}

/// What the processes of a group have used, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Of processors' time, in microseconds.
    pub processors: u64,
    /// Bytes read from devices and written to them, where those are counted.
    pub devices: Option<(u64, u64)>,
}

impl Usage {
    /// What has come since an earlier one.
    pub fn since(self, earlier: Self) -> Self {
        let (read, written) = earlier.devices.unwrap_or_default();
        Self {
            processors: self.processors.saturating_sub(earlier.processors),
            devices: self.devices.map(|now| (now.0.saturating_sub(read), now.1.saturating_sub(written))),
        }
    }
}

/// A file of a group and what is written to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Which flag asks for it; empty: nobody does, and where it can't be had it is left.
    pub flag: String,
    pub controller: String,
    pub file: String,
    pub value: String,
}

/// Moves this process into the group of another, where it may: whoever joins a container counts as part of it.
pub fn follow(pid: i32) {
    if let Some(theirs) = Group::of_process(&pid.to_string())
        && Group::of_process("self").is_some_and(|own| own != theirs)
        && fault::point("cgroup: enter").is_ok()
    {
        let _ = theirs.write("cgroup.procs", "0");
    }
}

impl Group {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// That of a process, by its number or `self`.
    pub fn of_process(pid: &str) -> Option<Self> {
        of_process(pid).map(|name| Self { name })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn child(&self, name: &str) -> Self {
        Self { name: format!("{}/{name}", self.name.trim_end_matches('/')) }
    }

    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.name.rsplit_once('/')?;
        Some(Self { name: if parent.is_empty() { "/".to_owned() } else { parent.to_owned() } })
    }

    fn file(&self, file: &str) -> PathBuf {
        directory(&self.name).join(file)
    }

    /// Makes it, if it is not there.
    pub fn make(&self) -> sys::Result<()> {
        fault::point("cgroup: make").call("mkdir(cgroup)")?;
        // Whatever the caller's umask: it is nobody else's.
        match std::fs::DirBuilder::new().mode(0o755).create(directory(&self.name)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other.call_with(|| format!("mkdir({})", directory(&self.name).display())),
        }
    }

    /// Removes it, with the groups in it that are empty, too. One in which somebody still is stays.
    pub fn remove(&self) {
        let entries = std::fs::read_dir(directory(&self.name)).into_iter().flatten().flatten();
        for child in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            if let Some(name) = child.file_name().to_str() {
                self.child(name).remove();
            }
        }
        let _ = std::fs::remove_dir(directory(&self.name));
    }

    /// For a clone that is to begin in it.
    pub fn open(&self) -> sys::Result<OwnedFd> {
        let directory = directory(&self.name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&directory, flags, Mode::empty()).call_with(|| format!("open({})", directory.display()))
    }

    pub fn read(&self, file: &str) -> Option<String> {
        system_file::read(self.file(file))
    }

    /// A number of a file, or of the line of a file of lines that begins with `key`.
    pub fn number(&self, file: &str, key: Option<&str>) -> Option<u64> {
        let text = self.read(file)?;
        match key {
            None => text.trim().parse().ok(),
            Some(key) => text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()),
        }
    }

    /// As one write(2), which the kernel takes or refuses whole.
    pub fn write(&self, file: &str, value: &str) -> sys::Result<()> {
        let path = self.file(file);
        let open = std::fs::OpenOptions::new().write(true).open(&path);
        open.and_then(|mut open| open.write_all(value.as_bytes()))
            .call_with(|| format!("write({}, {value})", path.display()))
    }

    pub fn controllers(&self) -> Vec<String> {
        list(&self.file("cgroup.controllers"))
    }

    /// Processes of it killed for want of memory, ever.
    pub fn killed_for_memory(&self) -> u64 {
        self.number("memory.events", Some("oom_kill ")).unwrap_or(0)
    }

    /// `None`: it is gone.
    pub fn usage(&self) -> Option<Usage> {
        let processors = self.number("cpu.stat", Some("usage_usec "))?;
        // Lines such as `8:0 rbytes=1 wbytes=2 …`.
        let sum = |text: &str, key: &str| {
            let words = text.split_ascii_whitespace().filter_map(|word| word.strip_prefix(key));
            words.filter_map(|number| number.parse::<u64>().ok()).sum()
        };
        let devices = self.read("io.stat").map(|text| (sum(&text, "rbytes="), sum(&text, "wbytes=")));
        Some(Usage { processors, devices })
    }

    pub fn is_frozen(&self) -> bool {
        self.number("cgroup.events", Some("frozen ")) == Some(1)
    }

    /// Stops every process, or lets them go on, and waits until that is done.
    pub fn freeze(&self, frozen: bool) -> sys::Result<()> {
        self.write("cgroup.freeze", if frozen { "1" } else { "0" })?;
        let deadline = Instant::now() + FREEZING;
        while self.is_frozen() != frozen {
            if Instant::now() >= deadline {
                return Err(sys::Error::new(format!("freeze({})", self.name), rustix::io::Errno::TIMEDOUT));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Writes what is asked for; what nobody asks for, where that can be had.
    pub fn apply(&self, settings: &[Setting]) -> sys::Result<()> {
        for Setting { flag, file, value, .. } in settings {
            match self.write(file, value) {
                Err(error) if !flag.is_empty() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
