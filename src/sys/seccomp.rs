//! Loading a system call filter (seccomp(2)), and deciding on calls in its place (seccomp_unotify(2)).
//!
//! A filter can't be taken back: it holds for the calling thread, for all its children and across execve. Nothing is allocated
//! here (but for an error), so it may run between clone and exec.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;

use super::{Error, Result};

/// Adds `program` to the filters of the calling thread. Needs no-new-privileges or CAP_SYS_ADMIN in the thread's user
/// namespace (EACCES otherwise); a program that the kernel's verifier refuses, or longer than 4096 instructions, is EINVAL.
pub fn load(program: &[libc::sock_filter]) -> Result<()> {
    set_filter(program, 0).map(drop)
}

/// As [`load`], unless there is nothing to load.
pub fn load_any(program: &[libc::sock_filter]) -> Result<()> {
    if program.is_empty() { Ok(()) } else { load(program) }
}

/// As [`load`], and gives the listener for the calls on which `program` does not decide itself. Only one filter of a thread may
/// have a listener (EBUSY).
pub fn load_with_listener(program: &[libc::sock_filter]) -> Result<OwnedFd> {
    let fd = set_filter(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)?;
    // SAFETY: with this flag, seccomp(2) returns a new descriptor (close-on-exec), which nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_filter(program: &[libc::sock_filter], flags: libc::c_ulong) -> Result<i32> {
    let length =
        u16::try_from(program.len()).map_err(|_| Error::new("seccomp", io::Error::from_raw_os_error(libc::EINVAL)))?;
    // The kernel only reads the instructions; the pointer is mutable because of the C type alone.
    let description = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `description` and the instructions that it points to outlive the call, `len` is their exact number, and the
    // kernel copies and verifies them before use.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const description) };
    if result < 0 {
        return Err(Error::new("seccomp(SECCOMP_SET_MODE_FILTER)", io::Error::last_os_error()));
    }
    Ok(result as i32)
}

/// A call that waits for somebody's decision.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// It names this one call, as long as it waits.
    pub id: u64,
    /// The calling thread as this process' pid namespace numbers it; 0: it is not to be seen from here.
    pub thread: i32,
    /// `AUDIT_ARCH_*`, by whose table `number` counts.
    pub architecture: u32,
    pub number: u32,
    pub arguments: [u64; 6],
}

/// `_IOC(direction, '!', number, size)` of asm-generic/ioctl.h; direction 1 writes, 2 reads.
const fn request(direction: u32, number: u32, size: usize) -> libc::Ioctl {
    (direction << 30 | (size as u32) << 16 | (b'!' as u32) << 8 | number) as libc::Ioctl
}

const RECEIVE: libc::Ioctl = request(3, 0, size_of::<libc::seccomp_notif>());
const SEND: libc::Ioctl = request(3, 1, size_of::<libc::seccomp_notif_resp>());
const ID_VALID: libc::Ioctl = request(1, 2, size_of::<u64>());

/// The next waiting call. Blocks while there is none; `None`: it was taken back meanwhile.
pub fn receive(listener: BorrowedFd<'_>) -> Result<Option<Call>> {
    // SAFETY: plain numbers, for which zeros are valid; the kernel insists on zeros.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: RECEIVE writes one seccomp_notif, whose size is in the request, and which outlives the call.
    if unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE, &raw mut call) } != 0 {
        return match io::Error::last_os_error() {
            error if [Some(libc::ENOENT), Some(libc::EINTR)].contains(&error.raw_os_error()) => Ok(None),
            error => Err(Error::new("ioctl(SECCOMP_IOCTL_NOTIF_RECV)", error)),
        };
    }
    Ok(Some(Call {
        id: call.id,
        thread: call.pid as i32,
        architecture: call.data.arch,
        number: call.data.nr as u32,
        arguments: call.data.args,
    }))
}

/// Whether the call still waits: then what was opened of its thread before was that thread's.
pub fn still_waits(listener: BorrowedFd<'_>, call: &Call) -> bool {
    // SAFETY: ID_VALID reads one u64, which outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), ID_VALID, &raw const call.id) == 0 }
}

/// Ends the call, which is not executed: it returns 0 or the error. A call that was taken back meanwhile needs no answer.
pub fn answer(listener: BorrowedFd<'_>, call: &Call, result: std::result::Result<(), Errno>) -> Result<()> {
    let error = result.err().map_or(0, |errno| -errno.raw_os_error());
    let mut response = libc::seccomp_notif_resp { id: call.id, val: 0, error, flags: 0 };
    // SAFETY: SEND reads one seccomp_notif_resp, whose size is in the request, and which outlives the call.
    if unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw mut response) } != 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ENOENT) {
            return Err(Error::new("ioctl(SECCOMP_IOCTL_NOTIF_SEND)", error));
        }
    }
    Ok(())
}
