//! `wait`: until a container has ended, or is what one likes it to be, without taking a lock.
//!
//! For an end it waits for the process itself; for anything else it hears of changes in the container's directory, and looks every
//! `interval` for what makes none: a monitor that was killed, a record elsewhere.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::stop::gone;
use crate::container::find::Found;
use crate::container::state::{State, Status};
use crate::container::watch::health;
use crate::container::{Error, Result};
use crate::host::lock;
use crate::store::{records, tmp};
use crate::sys::{self, Call};

const PAUSE: Duration = Duration::from_millis(5);
/// Between two looks at a container of another machine.
const PAUSE_ELSEWHERE: Duration = Duration::from_millis(200);

/// What is waited for, in Podman's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Created,
    Running,
    Paused,
    /// `exited` and `stopped`.
    Ended,
    Removing,
    Health(health::Status),
    /// A word of Podman's for what no container of this program ever is.
    Never,
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "configured" | "created" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "exited" | "stopped" => Self::Ended,
            "removing" => Self::Removing,
            "healthy" => Self::Health(health::Status::Healthy),
            "unhealthy" => Self::Health(health::Status::Unhealthy),
            "initialized" | "stopping" | "unknown" => Self::Never,
            _ => return Err(Error::UnknownState(text.to_owned())),
        })
    }
}

/// Waits until one of the containers meets one of the conditions, none: has ended. The exit code; `None`: there is none, or nobody
/// knows it.
pub fn wait(containers: &[Waiting], conditions: &[Condition], interval: Duration) -> Result<Option<i32>> {
    let ends = conditions.iter().all(|condition| *condition == Condition::Ended);
    if let ([Waiting { watched, .. }], true) = (containers, ends) {
        return watched.as_ref().map_or(Ok(None), Watched::end);
    }
    let conditions = if conditions.is_empty() { &[Condition::Ended] } else { conditions };
    let changes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).call("inotify_init1")?;
    let mut all = Vec::new();
    for Waiting { found, watched } in containers {
        let watched = watched.as_ref().ok_or_else(|| Error::NotFound(found.container.id.clone()))?;
        // The lock gets last words, and is unlinked in the end.
        let lock = format!("/proc/self/fd/{}", watched.lock.as_raw_fd());
        for (path, what) in [
            (watched.path.as_path(), WatchFlags::CREATE | WatchFlags::MOVED_TO),
            (Path::new(&lock), WatchFlags::MODIFY | WatchFlags::ATTRIB),
        ] {
            inotify::add_watch(&changes, path, what).call_with(|| format!("inotify_add_watch({})", path.display()))?;
        }
        all.push((found, watched));
    }
    loop {
        let mut buffer = [0; 4096];
        while rustix::io::read(&changes, &mut buffer).is_ok_and(|count| count > 0) {}
        for (found, watched) in &all {
            if let Some(code) = watched.meets(found, conditions)? {
                return Ok(code);
            }
        }
        let limit = Timespec { tv_sec: interval.as_secs() as i64, tv_nsec: i64::from(interval.subsec_nanos()) };
        match poll(&mut [PollFd::new(&changes, PollFlags::IN)], Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(sys::Error::new("poll", error).into()),
        }
    }
}

/// A container that is waited for, now or after others.
#[derive(Debug)]
pub struct Waiting {
    found: Found,
    /// `None`: it was gone already.
    watched: Option<Watched>,
}

impl Waiting {
    /// However long it takes until its turn comes, it tells how it ended.
    pub fn on(found: Found) -> Result<Self> {
        let watched = Watched::open(&found.directory)?;
        Ok(Self { found, watched })
    }
}

/// A container's directory and its lock file, held open, so that they tell how one ended that was started with `--rm` and is out of
/// sight by then (see [`crate::store::tmp`] for the last words in the lock file).
#[derive(Debug)]
pub(super) struct Watched {
    /// Through the descriptor, wherever the directory is by now.
    path: PathBuf,
    _directory: OwnedFd,
    lock: OwnedFd,
}

impl Watched {
    /// `None`: it is gone already.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let open = || {
            let directory = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let lock = rustix::fs::openat(&directory, c"lock", flags, Mode::empty())?;
            Ok((directory, lock))
        };
        match open() {
            Ok((directory, lock)) => {
                let path = format!("/proc/self/fd/{}", directory.as_raw_fd()).into();
                Ok(Some(Self { path, _directory: directory, lock }))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(sys::Error::new(format!("open({}/lock)", path.display()), error).into()),
        }
    }

    /// Waits until the container has ended; its exit code, if anybody knows it.
    pub(super) fn end(&self) -> Result<Option<i32>> {
        let mut life = None::<String>;
        loop {
            // Asked first: what is read afterwards is final if it was free.
            let held = lock::is_held_at(self.lock.as_fd())?;
            if let Some(state) = self.last_words()? {
                return Ok(state.exit_code);
            }
            let state = self.state()?;
            let ended = state.status == Status::Exited && life.as_ref().is_none_or(|life| *life == state.started_at);
            if !held || (ended && life.is_some()) {
                return Ok(if ended { state.exit_code } else { None });
            }
            let here = state.is_of_this_machine();
            match state.pidfd().filter(|_| state.status == Status::Running) {
                Some(pidfd) => {
                    life = Some(state.started_at);
                    gone(&pidfd, None)?;
                }
                None if here || state.status != Status::Running => {}
                None => std::thread::sleep(PAUSE_ELSEWHERE),
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn state(&self) -> Result<State> {
        Ok(records::read(&self.path.join("state.json"))?.unwrap_or_default())
    }

    /// The exit code, if the container meets a condition.
    fn meets(&self, found: &Found, conditions: &[Condition]) -> Result<Option<Option<i32>>> {
        let any = |wanted: &[Condition]| wanted.iter().any(|condition| conditions.contains(condition));
        let words = self.last_words()?;
        if words.is_some() || rustix::fs::fstat(&self.lock).call("fstat(lock)")?.st_nlink == 0 {
            // It is gone.
            let met = any(&[Condition::Ended, Condition::Removing]);
            let code = words.and_then(|state| state.exit_code);
            return if met { Ok(Some(code)) } else { Err(Error::NotFound(found.container.id.clone())) };
        }
        let state = State::read(&self.path)?;
        let now = match state.status {
            Status::Created => Condition::Created,
            Status::Running if state.paused => Condition::Paused,
            Status::Running => Condition::Running,
            Status::Exited => Condition::Ended,
        };
        let health = found.health()?.map_or(health::Status::None, |health| health.status);
        let met = any(&[now, Condition::Health(health)]);
        Ok(met.then_some(state.exit_code.filter(|_| state.status == Status::Exited)))
    }

    fn last_words(&self) -> Result<Option<State>> {
        let mut words = vec![0; tmp::LAST_WORDS_LIMIT];
        let count = rustix::io::pread(&self.lock, &mut words, 0).call("pread(lock)")?;
        Ok(words.get(..count).and_then(|words| serde_json::from_slice(words).ok()))
    }
}
