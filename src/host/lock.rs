//! Locks that can't be left behind: open file description locks (fcntl(2), `F_OFD_SETLK`).
//!
//! The lock belongs to the *open file description*: it lives while any process holds a descriptor of it, and the kernel drops it
//! with the last one, however that process dies. So a launcher takes a container's lock, its child inherits the descriptor
//! ([`Lock::fd`], [`Lock::from_fd`]), and the lock stays when the launcher ends. [`is_held`] asks without taking
//! (`F_OFD_GETLK`): a question asked with a shared lock makes others fail who want the lock at that moment.
//!
//! Must stay true: nobody sends `F_UNLCK` (it would drop the lock for all that share the description); a lock file that was
//! unlinked or replaced while we waited for it counts for nothing, so a lock is returned only when its path still leads to it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use rustix::fs::{Mode, OFlags, fstat, open, stat};

use super::fault;
use crate::sys::{self, Call, alarm};

/// How long a wait for another command's lock lasts before it is reported: longer than any honest holder of a short lock.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A lock that is held as long as this value, or a copy of its descriptor in any process, lives.
#[derive(Debug)]
pub struct Lock {
    file: OwnedFd,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("`{}` is still locked by another process after {} s", path.display(), waited.as_secs())]
    Timeout { path: PathBuf, waited: Duration },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Timeout { path, .. } => Some(format!("see who holds it with `fuser -v {}`", path.display())),
            Self::System(error) if error.errno() == libc::ENOLCK => Some(
                "this file system has no locks (an NFS mount without a lock service): name a local directory with `--root`"
                    .into(),
            ),
            Self::System(_) => None,
        }
    }

    /// The path of the lock file does not exist, or its directory.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::System(error) if error.errno() == libc::ENOENT)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shared,
    Exclusive,
}

impl Lock {
    /// Waits, without limit, until nobody else holds the lock. The file is made if it is missing (mode 0600).
    pub fn exclusive(path: &Path) -> Result<Self, Error> {
        wait(path, Kind::Exclusive)
    }

    /// Waits, without limit, until nobody holds it exclusively.
    pub fn shared(path: &Path) -> Result<Self, Error> {
        wait(path, Kind::Shared)
    }

    /// The lock, or `None` if anybody holds it.
    pub fn try_exclusive(path: &Path) -> Result<Option<Self>, Error> {
        attempt(path, Kind::Exclusive)
    }

    /// The lock, or `None` if somebody holds it exclusively.
    pub fn try_shared(path: &Path) -> Result<Option<Self>, Error> {
        attempt(path, Kind::Shared)
    }

    /// As [`Lock::exclusive`], but gives up after `limit` with an error that names the file.
    pub fn exclusive_within(path: &Path, limit: Duration) -> Result<Self, Error> {
        within(path, Kind::Exclusive, limit)
    }

    /// As [`Lock::shared`], but gives up after `limit` with an error that names the file.
    pub fn shared_within(path: &Path, limit: Duration) -> Result<Self, Error> {
        within(path, Kind::Shared, limit)
    }

    /// The descriptor to hand to a child process, which then holds the lock too.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Whether the path leads to the file that is locked.
    pub fn is_at(&self, path: &Path) -> Result<bool, Error> {
        is_current(&self.file, path)
    }

    /// A second owner of the same lock: it is free when both are gone.
    pub fn share(&self) -> Result<Self, Error> {
        let file = rustix::io::fcntl_dupfd_cloexec(&self.file, 0).call("fcntl(F_DUPFD_CLOEXEC)")?;
        Ok(Self { file })
    }

    /// Takes over a lock that this process inherited from the one that took it.
    pub fn from_fd(file: OwnedFd) -> Self {
        Self { file }
    }
}

/// Whether any process holds the lock, exclusively or shared. Takes nothing and hinders nobody. A missing file: nobody does.
pub fn is_held(path: &Path) -> Result<bool, Error> {
    match open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => is_held_at(file.as_fd()),
        Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("open({})", path.display()), error).into()),
    }
}

/// As [`is_held`], for a descriptor at hand, which may be read-only. A lock of this very open file description does not count.
pub fn is_held_at(file: BorrowedFd<'_>) -> Result<bool, Error> {
    let mut question = range(Kind::Exclusive);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut question)).call("fcntl(F_OFD_GETLK)")?;
    Ok(i32::from(question.l_type) != libc::F_UNLCK)
}

/// The whole file, wherever its end is. `l_pid` must be 0 for this family of locks.
fn range(kind: Kind) -> libc::flock {
    let l_type = match kind {
        Kind::Shared => libc::F_RDLCK,
        Kind::Exclusive => libc::F_WRLCK,
    };
    libc::flock { l_type: l_type as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 }
}

fn open_file(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    Ok(open(path, flags, Mode::RUSR | Mode::WUSR).call_with(|| format!("open({})", path.display()))?)
}

/// The path still leads to the file that was locked, so whoever comes later meets this lock.
fn is_current(file: &OwnedFd, path: &Path) -> Result<bool, Error> {
    let ours = fstat(file).call_with(|| format!("fstat({})", path.display()))?;
    match stat(path) {
        Ok(there) => Ok((ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)),
        Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("stat({})", path.display()), error).into()),
    }
}

fn attempt(path: &Path, kind: Kind) -> Result<Option<Lock>, Error> {
    loop {
        let file = open_file(path)?;
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&range(kind))) {
            Ok(_) if is_current(&file, path)? => return Ok(Some(Lock { file })),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN | Errno::EACCES) => return Ok(None),
            Err(error) => return Err(refused("F_OFD_SETLK", path, error)),
        }
    }
}

fn wait(path: &Path, kind: Kind) -> Result<Lock, Error> {
    let start = Instant::now();
    loop {
        let file = open_file(path)?;
        match fcntl(&file, FcntlArg::F_OFD_SETLKW(&range(kind))) {
            Ok(_) if is_current(&file, path)? => {
                fault::waited(path, start.elapsed());
                return Ok(Lock { file });
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(refused("F_OFD_SETLKW", path, error)),
        }
    }
}

/// The kernel lets in those who wait in the order in which they came, so that nobody waits for those who come later.
fn within(path: &Path, kind: Kind, limit: Duration) -> Result<Lock, Error> {
    if let Some(lock) = attempt(path, kind)? {
        return Ok(lock);
    }
    let start = Instant::now();
    loop {
        let file = open_file(path)?;
        let rest = limit.saturating_sub(start.elapsed());
        match alarm::within(rest, || fcntl(&file, FcntlArg::F_OFD_SETLKW(&range(kind))))? {
            None => {
                fault::waited(path, start.elapsed());
                return Err(Error::Timeout { path: path.to_owned(), waited: start.elapsed() });
            }
            Some(Ok(_)) if is_current(&file, path)? => {
                fault::waited(path, start.elapsed());
                return Ok(Lock { file });
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(refused("F_OFD_SETLKW", path, error)),
        }
    }
}

fn refused(call: &str, path: &Path, error: Errno) -> Error {
    sys::Error::new(format!("fcntl({}, {call})", path.display()), io::Error::from(error)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("coracle-lock-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn one_holds_and_others_see_it_without_taking() {
        let path = scratch("one");
        assert!(!is_held(&path).unwrap());
        let lock = Lock::try_exclusive(&path).unwrap().unwrap();
        assert!(is_held(&path).unwrap());
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        assert!(Lock::try_shared(&path).unwrap().is_none());
        let error = Lock::exclusive_within(&path, Duration::from_millis(5)).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        drop(lock);
        assert!(!is_held(&path).unwrap());
        let (_a, _b) = (Lock::shared(&path).unwrap(), Lock::shared(&path).unwrap());
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        std::fs::remove_file(path).unwrap();
    }

    /// How many wait for the lock, as the kernel shows it (proc_locks(5)).
    fn waiting(path: &Path) -> usize {
        let inode = format!(":{} ", stat(path).unwrap().st_ino);
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().filter(|line| line.contains("-> ") && line.contains(&inode)).count()
    }

    #[test]
    fn who_waits_comes_before_who_came_later() {
        let path = scratch("order");
        let order = std::sync::Mutex::new(Vec::new());
        let held = Lock::exclusive(&path).unwrap();
        std::thread::scope(|scope| {
            for number in 0..20 {
                let (path, order) = (&path, &order);
                scope.spawn(move || {
                    let lock = Lock::exclusive_within(path, Duration::from_secs(60)).unwrap();
                    order.lock().unwrap().push(number);
                    drop(lock);
                });
                while waiting(path) <= number {
                    std::thread::yield_now();
                }
            }
            drop(held);
        });
        assert!(order.into_inner().unwrap().into_iter().eq(0..20));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_copy_of_the_descriptor_keeps_the_lock() {
        let path = scratch("copy");
        let lock = Lock::exclusive(&path).unwrap();
        let copy = Lock::from_fd(lock.fd().try_clone_to_owned().unwrap());
        drop(lock);
        assert!(is_held(&path).unwrap());
        drop(copy);
        assert!(!is_held(&path).unwrap());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_lock_file_that_was_unlinked_meanwhile_is_no_lock() {
        let path = scratch("unlinked");
        let first = Lock::exclusive(&path).unwrap();
        let waiter = std::thread::spawn({
            let path = path.clone();
            move || Lock::exclusive(&path).unwrap()
        });
        std::fs::remove_file(&path).unwrap();
        drop(first);
        let second = waiter.join().unwrap();
        assert!(is_current(&second.file, &path).unwrap());
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        std::fs::remove_file(path).unwrap();
    }
}
