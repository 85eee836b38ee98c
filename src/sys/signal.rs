//! Signals, back to how a program expects to find them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};

use super::{Error, Result};

/// The highest signal number of Linux.
const HIGHEST: libc::c_int = 64;
/// The kernel's `struct sigaction` with SIG_DFL: handler, flags, restorer, mask.
const DEFAULT: [u64; 4] = [0; 4];

/// Every signal unblocked and at its default: what this program, its runtime or its caller had set is not the next program's.
pub fn reset() -> Result<()> {
    for number in 1..=HIGHEST {
        // SAFETY: the kernel reads one `struct sigaction` of its own, four words of which zeros mean SIG_DFL, and writes nothing. It
        // refuses KILL and STOP, which is as well; libc would refuse the two numbers that it keeps to itself, and whose
        // disposition posix_spawn(3) of a caller leaves at SIG_IGN.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, number, DEFAULT.as_ptr(), std::ptr::null::<u64>(), size_of::<u64>())
        };
    }
    // SAFETY: the set is initialised by sigemptyset before use, both outlive the calls, and no old mask is asked for.
    let status = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut())
    };
    if status == 0 { Ok(()) } else { Err(Error::new("sigprocmask", io::Error::last_os_error())) }
}

/// SIGCHLD at its default. A caller that ignores it (a shell after `trap '' CHLD`, some supervisors) hands that on through
/// execve, and the kernel then reaps our children itself: every wait would fail with ECHILD.
pub fn notice_children() {
    // SAFETY: signal(2) with a valid number and SIG_DFL installs no handler of ours; it can't fail for SIGCHLD.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Sends the signal `number`, 1 to 64, real-time ones included, to the process behind `pidfd` (pidfd_send_signal(2)).
///
/// ESRCH: it has ended and was reaped. EINVAL: no such signal. EPERM: it is another user's.
pub fn send(pidfd: BorrowedFd<'_>, number: libc::c_int) -> Result<()> {
    // SAFETY: the descriptor is open for the whole call; a null siginfo_t is allowed and makes the kernel fill in kill(2)'s;
    // flags must be 0. The call reads and writes no other memory of this process.
    let status = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            number,
            std::ptr::null::<libc::siginfo_t>(),
            0 as libc::c_uint,
        )
    };
    if status == 0 {
        Ok(())
    } else {
        Err(Error::new(format!("pidfd_send_signal({number})"), io::Error::last_os_error()))
    }
}

/// Blocks what a service manager or a user sends to end things, in this thread and those that it starts from now on.
pub fn pass_over() -> Result<()> {
    let signals = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];
    signals.into_iter().collect::<SigSet>().thread_block().map_err(|error| Error::new("sigprocmask", error))
}

/// Whether the process behind `pidfd` has not been reaped: what is known of its pid is still about it.
pub fn exists(pidfd: BorrowedFd<'_>) -> bool {
    // Signal 0 is only looked at.
    send(pidfd, 0).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::process::ExitStatusExt;

    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    use super::*;

    #[test]
    fn any_signal_of_linux_can_be_sent() {
        for number in [libc::SIGTERM, 34, 64] {
            let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
            let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
            assert_eq!(send(pidfd.as_fd(), 65).unwrap_err().errno(), libc::EINVAL);
            assert!(exists(pidfd.as_fd()));
            send(pidfd.as_fd(), number).unwrap();
            assert_eq!(child.wait().unwrap().signal(), Some(number));
            assert!(!exists(pidfd.as_fd()));
            assert_eq!(send(pidfd.as_fd(), number).unwrap_err().errno(), libc::ESRCH);
        }
    }
}
