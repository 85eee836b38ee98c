//! Loading a system call filter (seccomp(2)).
//!
//! A filter can't be taken back: it holds for the calling thread, for all its children and across execve. Nothing is allocated
//! here (but for an error), so it may run between clone and exec.

use std::io;

use super::{Error, Result};

/// Adds `program` to the filters of the calling thread. Needs no-new-privileges or CAP_SYS_ADMIN in the thread's user
/// namespace (EACCES otherwise); a program that the kernel's verifier refuses, or longer than 4096 instructions, is EINVAL.
pub fn load(program: &[libc::sock_filter]) -> Result<()> {
    let length =
        u16::try_from(program.len()).map_err(|_| Error::new("seccomp", io::Error::from_raw_os_error(libc::EINVAL)))?;
    // The kernel only reads the instructions; the pointer is mutable because of the C type alone.
    let description = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `description` and the instructions that it points to outlive the call, `len` is their exact number, and the
    // kernel copies and verifies them before use.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const description) };
    if result < 0 {
        return Err(Error::new("seccomp(SECCOMP_SET_MODE_FILTER)", io::Error::last_os_error()));
    }
    Ok(())
}
