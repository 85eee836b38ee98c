//! Files: what `rustix` and `nix` lack.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::{Error, Result};

/// Writes the cached pages of a file to its file system, and waits for those that are on their way (sync_file_range(2)): neither
/// the disk's cache nor the file's metadata is waited for.
pub fn write_back(file: BorrowedFd<'_>) -> Result<()> {
    let flags = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: the descriptor is open for the whole call, which takes no pointer; a length of 0 means to the end.
    let status = unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, flags) };
    if status == 0 { Ok(()) } else { Err(Error::new("sync_file_range", io::Error::last_os_error())) }
}

/// Starts to write these cached pages of a file to its file system, and waits for nothing but a place in the disk's queue.
pub fn start_write_back(file: BorrowedFd<'_>, offset: u64, length: u64) -> Result<()> {
    let (offset, length) = (offset.cast_signed(), length.cast_signed());
    // SAFETY: the descriptor is open for the whole call, which takes no pointer.
    let status = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, length, libc::SYNC_FILE_RANGE_WRITE) };
    if status == 0 { Ok(()) } else { Err(Error::new("sync_file_range", io::Error::last_os_error())) }
}
