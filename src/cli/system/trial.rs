//! `doctor`'s trial of the overlay drivers: each is mounted once, by a child that is root in namespaces of its own, as a monitor
//! is.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Access;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use serde::{Deserialize, Serialize};

use crate::host::check::Check;
use crate::host::subid::IdMaps;
use crate::overlay::{self, probe};
use crate::sys::process::{self, Child, Cloned};
use crate::sys::{self, Call};

/// What the child found out.
#[derive(Debug, Serialize, Deserialize)]
struct Tried {
    kernel: Result<probe::Abilities, String>,
    fuse: Result<(), String>,
}

/// How long the trial may take.
const PATIENCE: Timespec = Timespec { tv_sec: 20, tv_nsec: 0 };

const KERNEL: &str = "kernel overlay";
const FUSE: &str = "own overlay";

/// Tries both drivers where the store is, or would be made. Call it from a process without other threads: it clones.
pub fn overlays(data: &Path) -> Vec<Check> {
    match place(data).ok_or_else(|| "no directory to try it in".to_owned()).and_then(|place| attempt(&place)) {
        Ok(Tried { kernel, fuse }) => {
            let neither = kernel.is_err() && fuse.is_err();
            vec![judge_kernel(kernel), judge_fuse(fuse, neither)]
        }
        Err(why) => {
            vec![Check::poor(FUSE, why, "see what is said of user namespaces, subordinate ids and the data directory")]
        }
    }
}

fn judge_kernel(tried: Result<probe::Abilities, String>) -> Check {
    match tried {
        Ok(abilities) => {
            let names = |wanted| {
                let some: Vec<_> =
                    abilities.list().into_iter().filter(|(_, has)| *has == wanted).map(|(name, _)| name).collect();
                if some.is_empty() { "nothing".to_owned() } else { some.join(", ") }
            };
            Check::good(KERNEL, format!("works on this store, with {}; without {}", names(true), names(false)))
        }
        Err(why) => Check::poor(
            KERNEL,
            why,
            "containers are served by the program's own, which is slower; a store on another disk may help",
        ),
    }
}

fn judge_fuse(tried: Result<(), String>, neither: bool) -> Check {
    let Err(why) = tried else { return Check::good(FUSE, "works on this store, over /dev/fuse") };
    let (why, hint) = why.split_once("\nhint: ").unwrap_or((&why, overlay::DEVICE_HINT));
    if neither { Check::bad(FUSE, why, hint) } else { Check::poor(FUSE, why, hint) }
}

/// The store's own directory for what is being made, or the nearest above it that exists and can be written.
fn place(data: &Path) -> Option<PathBuf> {
    let writable = |place: &&Path| rustix::fs::access(*place, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    data.join("tmp").ancestors().find(|place| place.is_dir()).filter(writable).map(Path::to_owned)
}

fn attempt(place: &Path) -> Result<Tried, String> {
    let flags = SocketFlags::CLOEXEC;
    let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).call("socketpair");
    let (ours, theirs) = pair.map_err(words)?;
    let namespaces = (libc::CLONE_NEWUSER | libc::CLONE_NEWNS) as u64;
    let child = match process::clone_single(namespaces).map_err(words)? {
        Cloned::Child => {
            drop(ours);
            process::exit_now(i32::from(answer(place, &theirs).is_err()))
        }
        Cloned::Parent(child) => child,
    };
    drop(theirs);
    let heard = ask(&child, &ours);
    // One that hangs is not waited for.
    let _ = rustix::process::pidfd_send_signal(&child.pidfd, rustix::process::Signal::KILL);
    child.wait().map_err(words)?;
    heard
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// In the child: waits for its ids, tries, says what it found.
fn answer(place: &Path, socket: &OwnedFd) -> sys::Result<()> {
    rustix::net::recv(socket, &mut [0; 1], RecvFlags::empty()).call("recv")?;
    let name = |driver| format!("probe-{driver}-{}", std::process::id());
    let opened = || overlay::open_directory(place).map_err(words);
    let tried = Tried {
        kernel: opened().and_then(|place| probe::run(place.as_fd(), &name("kernel"))),
        fuse: opened().and_then(|place| probe::fuse(place.as_fd(), &name("fuse"))),
    };
    let text = serde_json::to_vec(&tried).unwrap_or_default();
    rustix::net::send(socket, &text, SendFlags::NOSIGNAL).call("send")?;
    Ok(())
}

fn ask(child: &Child, socket: &OwnedFd) -> Result<Tried, String> {
    IdMaps::of_account().map_err(words)?.write(child.pid).map_err(words)?;
    rustix::net::send(socket, b"G", SendFlags::NOSIGNAL).call("send").map_err(words)?;
    let mut answer = vec![0; 64 << 10];
    if poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&PATIENCE)) == Ok(0) {
        return Err(format!("the trial did not end within {} seconds", PATIENCE.tv_sec));
    }
    let (length, _) = rustix::net::recv(socket, &mut answer[..], RecvFlags::empty()).call("recv").map_err(words)?;
    serde_json::from_slice(answer.get(..length).unwrap_or_default()).map_err(|_| "the trial died".to_owned())
}
