//! Landlock (landlock(7)): a thread gives up, for itself and its children, all that it may do with files elsewhere than beneath
//! some directories. It needs no privilege but no-new-privileges, and can't be taken back.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{Error, Result};

/// `LANDLOCK_CREATE_RULESET_VERSION`, `LANDLOCK_RULE_PATH_BENEATH` (`linux/landlock.h`).
const VERSION: u32 = 1;
const PATH_BENEATH: libc::c_int = 1;

/// The first version in which files can be linked and renamed from one directory to another (Linux 5.19).
const LEAST: i64 = 2;

/// `LANDLOCK_ACCESS_FS_READ_FILE` and `LANDLOCK_ACCESS_FS_READ_DIR`.
const READ: u64 = 1 << 2 | 1 << 3;

/// `struct landlock_ruleset_attr`; older kernels know its beginning.
#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    directory: i32,
}

/// Leaves the calling thread what lies beneath these directories; no TCP, and no abstract sockets or signals of those outside,
/// as far as the kernel knows how. Mounting ends, too. Whether the kernel has Landlock.
pub fn confine(directories: &[BorrowedFd<'_>]) -> Result<bool> {
    leave(directories, u64::MAX, 0b11)
}

/// As [`confine`], but what lies there may only be read, and TCP is left.
pub fn confine_to_reading(directories: &[BorrowedFd<'_>]) -> Result<bool> {
    leave(directories, READ, 0)
}

/// `kept`: what may be done beneath the directories; `network`: what is given up of TCP.
fn leave(directories: &[BorrowedFd<'_>], kept: u64, network: u64) -> Result<bool> {
    let version = version();
    if version < LEAST {
        return Ok(false);
    }
    let ruleset = Ruleset {
        files: (1 << rights(version)) - 1,
        network: if version >= 4 { network } else { 0 },
        scoped: if version >= 6 { 0b11 } else { 0 },
    };
    let size = match version {
        ..4 => 8,
        4..6 => 16,
        _ => 24,
    };
    // SAFETY: the kernel reads `size` bytes, no more than `ruleset` has, which outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const ruleset, size as libc::size_t, 0) };
    if fd < 0 {
        return Err(Error::new("landlock_create_ruleset", io::Error::last_os_error()));
    }
    // SAFETY: the call has returned a new descriptor, which nobody else knows.
    let rules = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    for directory in directories {
        let beneath = Beneath { allowed: ruleset.files & kept, directory: directory.as_raw_fd() };
        // SAFETY: the kernel reads one `landlock_path_beneath_attr`, which outlives the call; both descriptors are open.
        let added = unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, rules.as_raw_fd(), PATH_BENEATH, &raw const beneath, 0)
        };
        if added != 0 {
            return Err(Error::new("landlock_add_rule", io::Error::last_os_error()));
        }
    }
    // SAFETY: no pointers are passed.
    if unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) } != 0 {
        return Err(Error::new("landlock_restrict_self", io::Error::last_os_error()));
    }
    Ok(true)
}

/// How many kinds of access to files a version knows: the bits of `LANDLOCK_ACCESS_FS_*`.
fn rights(version: i64) -> u32 {
    match version {
        ..3 => 14,
        3..5 => 15,
        _ => 16,
    }
}

/// 0: there is none.
fn version() -> i64 {
    // SAFETY: with this flag no pointer is read.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<Ruleset>(), 0 as libc::size_t, VERSION)
    };
    version.max(0)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn only_what_lies_beneath_is_left() {
        let folder = std::env::temp_dir().join(format!("coracle-landlock-{}", std::process::id()));
        fs::create_dir_all(folder.join("inside/a/b")).unwrap();
        fs::write(folder.join("outside"), "x").unwrap();
        let inside = File::open(folder.join("inside")).unwrap();
        // It holds for the thread alone.
        let confined = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                rustix::thread::set_no_new_privs(true).unwrap();
                let confined = confine(&[inside.as_fd()]).unwrap();
                if confined {
                    let refused =
                        |result: io::Result<()>| assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EACCES));
                    refused(fs::read(folder.join("outside")).map(drop));
                    refused(fs::write(folder.join("new"), ""));
                    refused(fs::read_dir("/").map(drop));
                    fs::write(folder.join("inside/a/f"), "x").unwrap();
                    fs::rename(folder.join("inside/a/f"), folder.join("inside/a/b/f")).unwrap();
                    fs::hard_link(folder.join("inside/a/b/f"), folder.join("inside/g")).unwrap();
                    File::options().write(true).open(folder.join("inside/g")).unwrap().set_len(0).unwrap();
                }
                confined
            });
            thread.join().unwrap()
        });
        assert_eq!(confined, version() >= LEAST);
        assert_eq!(fs::read(folder.join("outside")).unwrap(), b"x");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn only_reading_is_left() {
        let folder = std::env::temp_dir().join(format!("coracle-landlock-read-{}", std::process::id()));
        fs::create_dir_all(folder.join("inside")).unwrap();
        fs::write(folder.join("inside/f"), "x").unwrap();
        let inside = File::open(folder.join("inside")).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                rustix::thread::set_no_new_privs(true).unwrap();
                if confine_to_reading(&[inside.as_fd()]).unwrap() {
                    assert_eq!(fs::read(folder.join("inside/f")).unwrap(), b"x");
                    for refused in [fs::write(folder.join("inside/f"), "y"), fs::remove_file(folder.join("inside/f"))] {
                        assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EACCES));
                    }
                    assert!(fs::read("/proc/self/maps").is_err());
                }
                std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            });
            thread.join().unwrap();
        });
        fs::remove_dir_all(folder).unwrap();
    }
}
