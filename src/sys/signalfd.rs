//! Signals as something to read, real-time ones included (signalfd(2)).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{Error, Result};

/// Not taken, by anybody: what the kernel sends for a fault of this process, what no process can take, and the two that the C
/// library keeps to itself.
const NEVER: [libc::c_int; 9] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGKILL, libc::SIGSTOP, 32, 33];

/// Not taken: what the kernel sends for a fault of this process, what it needs for its own children, pipes and job control, and the
/// two that the C library keeps to itself.
const LEFT: [libc::c_int; 17] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGABRT,
    libc::SIGSYS,
    libc::SIGTRAP,
    libc::SIGCHLD,
    libc::SIGPIPE,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGCONT,
    libc::SIGKILL,
    libc::SIGSTOP,
    32,
    33,
];

/// The signals of this process, blocked and read here.
#[derive(Debug)]
pub struct Signals {
    fd: OwnedFd,
}

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub number: i32,
    /// By the kernel, for a terminal or a child for example, not by a process.
    pub by_kernel: bool,
}

impl Signals {
    /// From now on every signal that would end this process, and SIGWINCH, is read instead. In a process with one thread.
    pub fn take() -> Result<Self> {
        Self::but(&LEFT)
    }

    /// As [`Signals::take`], all that a process can take: for one that passes them on and reaps.
    pub fn take_all() -> Result<Self> {
        Self::but(&NEVER)
    }

    fn but(left: &[libc::c_int]) -> Result<Self> {
        // SAFETY: the set is initialised by sigemptyset before use and outlives the three calls; sigprocmask is asked for no old
        // mask; signalfd with -1 makes a new descriptor.
        let fd = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for number in (1..=64).filter(|number| !left.contains(number)) {
                libc::sigaddset(&mut set, number);
            }
            if libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) != 0 {
                return Err(Error::new("sigprocmask", io::Error::last_os_error()));
            }
            libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(Error::new("signalfd", io::Error::last_os_error()));
        }
        // SAFETY: signalfd has just made the descriptor, and nobody else knows it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// The number of the next signal; `None`: none has come.
    pub fn read(&self) -> Option<i32> {
        self.next().map(|sent| sent.number)
    }

    /// The next signal, and who sent it.
    pub fn next(&self) -> Option<Sent> {
        // SAFETY: signalfd_siginfo is plain numbers, for which zeros are valid.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: the buffer is one signalfd_siginfo, of the size that is given, and outlives the call.
        let count = unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut info).cast(), size) };
        (count == size as isize)
            .then_some(Sent { number: info.ssi_signo as i32, by_kernel: info.ssi_code == libc::SI_KERNEL })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
