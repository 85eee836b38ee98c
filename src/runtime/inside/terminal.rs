//! The container's terminal: a pty of its own devpts, so that its name is true inside and the user's terminal is never within
//! reach (no TIOCSTI into the user's shell).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use super::root::resolve;
use crate::runtime::handshake;
use crate::sys::{Call, Result, beneath, mount};

/// As [`open`], and the terminal is the container's console.
pub fn open_console(root: BorrowedFd<'_>, size: (u16, u16), owner: u32, channel: BorrowedFd<'_>) -> Result<OwnedFd> {
    let slave = open(root, size, owner, channel)?;
    let console = resolve(root, "/dev/console", true)?;
    let copy = mount::clone_tree(slave.as_fd(), c"", false)?;
    mount::attach(copy.as_fd(), console.as_fd())?;
    Ok(slave)
}

/// Opens a pty, makes it this session's controlling terminal, and sends its master to the monitor.
pub fn open(root: BorrowedFd<'_>, size: (u16, u16), owner: u32, channel: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let master = beneath::open(root, "/dev/pts/ptmx", flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)
        .call("open(/dev/pts/ptmx)")?;
    rustix::pty::unlockpt(&master).call("unlockpt")?;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .call("ioctl(TIOCGPTPEER)")?;
    let (rows, columns) = size;
    if (rows, columns) != (0, 0) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&slave, size).call("ioctl(TIOCSWINSZ)")?;
    }
    if owner != 0 {
        rustix::fs::fchown(&slave, Some(Uid::from_raw(owner)), None::<Gid>).call("fchown(terminal)")?;
    }
    rustix::process::ioctl_tiocsctty(&slave).call("ioctl(TIOCSCTTY)")?;
    handshake::send_terminal(channel, master.as_fd())?;
    Ok(slave)
}
