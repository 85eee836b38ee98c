//! This process itself in the account's user namespace U, as its root: for a command of the user's that takes its place. Or a copy of
//! it, for a moment's work there.
//!
//! ```text
//!   this process                      a copy, which stays outside
//!   unshare(user, mount) ── go ──▶    has the maps written, for which the setuid helpers must see the account
//!   become 0:0           ◀── done ──
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};
use rustix::net::{RecvFlags, SendFlags};
use rustix::thread::{Gid, Uid};

use super::launch::Error;
use crate::host::subid::IdMaps;
use crate::runtime::handshake;
use crate::sys::process::{self, Cloned, clone_single};
use crate::sys::{self, Call};

/// Enters U, that of `living` or one made anew with these maps, with mounts of its own. This process has one thread.
pub fn enter(living: Option<OwnedFd>, maps: &IdMaps) -> Result<(), Error> {
    match living {
        Some(namespace) => {
            setns(&namespace, CloneFlags::CLONE_NEWUSER)
                .and_then(|()| unshare(CloneFlags::CLONE_NEWNS))
                .call("setns(user), unshare(mount)")?;
        }
        None => make(maps)?,
    }
    if !maps.is_single() {
        rustix::thread::set_thread_groups(&[]).call("setgroups")?;
    }
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).call("setresgid")?;
    Ok(rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).call("setresuid")?)
}

/// Does something with all capabilities in U, `user_namespace`, in a copy of this process, which has one thread.
pub fn beside(user_namespace: BorrowedFd<'_>, work: impl FnOnce() -> sys::Result<()>) -> sys::Result<()> {
    let (ours, theirs) = handshake::pair()?;
    let copy = match clone_single(0)? {
        Cloned::Child => {
            let done = setns(user_namespace, CloneFlags::CLONE_NEWUSER).call("setns(user)").and_then(|()| work());
            if let Err(error) = &done {
                let said = [&error.errno().to_le_bytes()[..], error.call.as_bytes()].concat();
                let _ = rustix::net::send(&theirs, &said, SendFlags::NOSIGNAL);
            }
            process::exit_now(i32::from(done.is_err()))
        }
        Cloned::Parent(copy) => copy,
    };
    drop(theirs);
    let mut said = [0; 4096];
    let (count, _) = handshake::receive_with_fd(ours.as_fd(), &mut said)?;
    let ended = copy.wait()?;
    match said.get(..count) {
        Some([a, b, c, d, call @ ..]) => {
            let errno = rustix::io::Errno::from_raw_os_error(i32::from_le_bytes([*a, *b, *c, *d]));
            Err(sys::Error::new(String::from_utf8_lossy(call).into_owned(), errno))
        }
        _ if ended.success() => Ok(()),
        _ => Err(sys::Error::new("clone", rustix::io::Errno::CHILD)),
    }
}

fn make(maps: &IdMaps) -> Result<(), Error> {
    let (ours, theirs) = handshake::pair()?;
    let this = rustix::process::getpid();
    let copy = match clone_single(0)? {
        Cloned::Child => {
            let _ = process::close_copy(ours.as_fd());
            // Nothing comes where no namespace could be made.
            if matches!(rustix::net::recv(&theirs, &mut [0; 1][..], RecvFlags::empty()), Ok((1, _))) {
                let failure = maps.write(this).err().map_or_else(String::new, |error| error.to_string());
                let _ = rustix::net::send(&theirs, format!("M{failure}").as_bytes(), SendFlags::NOSIGNAL);
            }
            process::exit_now(0)
        }
        Cloned::Parent(copy) => copy,
    };
    drop(theirs);
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
        .call("unshare(user, mount)")
        .map_err(Error::UserNamespace)?;
    rustix::net::send(&ours, b"G", SendFlags::NOSIGNAL).call("send(to the copy)")?;
    let mut buffer = [0; 4096];
    let (count, _) = handshake::receive_with_fd(ours.as_fd(), &mut buffer)?;
    copy.wait()?;
    match buffer.get(..count) {
        Some([b'M']) => Ok(()),
        Some([b'M', failure @ ..]) => Err(Error::Maps(String::from_utf8_lossy(failure).into_owned())),
        _ => Err(Error::Maps("its helper is gone".into())),
    }
}
