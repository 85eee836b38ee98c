//! This process itself in the account's user namespace U, as its root: for a command of the user's that takes its place.
//!
//! ```text
//!   this process                      a copy, which stays outside
//!   unshare(user, mount) ── go ──▶    has the maps written, for which the setuid helpers must see the account
//!   become 0:0           ◀── done ──
//! ```

use std::os::fd::{AsFd, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};
use rustix::net::{RecvFlags, SendFlags};
use rustix::thread::{Gid, Uid};

use super::launch::Error;
use crate::host::subid::IdMaps;
use crate::runtime::handshake;
use crate::sys::Call;
use crate::sys::process::{self, Cloned, clone_single};

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
