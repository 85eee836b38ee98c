//! From the launcher (host user namespace) to the monitor (U, PID 1 of an outer pid namespace).
//!
//! U is made anew, with its maps written by the setuid helpers, or joined through a monitor that lives: siblings could share
//! nothing. The monitor executes this program from a read-only mount of its own, so that nothing that runs in a container can
//! reach the user's binary through /proc/PID/exe.
//!
//! The helpers take a millisecond or two, the exec takes one: they run side by side. So the clone, whose ids are not mapped yet,
//! carries its capabilities over the exec in the ambient set, and the role begins with [`await_ids`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::join::{Join, clone_into};
use crate::host::role::{self, Role};
use crate::host::subid::{self, IdMaps};
use crate::host::{fault, message};
use crate::runtime::cgroup::placement::{self, Entry, Placement};
use crate::runtime::handshake;
use crate::sys::process::{self, Child, Cloned};
use crate::sys::{self, Call, capability, mount};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Ids(#[from] subid::Error),
    #[error("no user namespace can be made: {0}")]
    UserNamespace(#[source] sys::Error),
    #[error("the ids of the user namespace can't be mapped: {0}")]
    Maps(String),
    #[error("the monitor did not start: {0}")]
    Monitor(String),
    #[error(transparent)]
    Group(#[from] placement::Error),
}

/// What the monitor, or the joiner, is started with: its standard descriptors, its job, and the rest as [`role::inherited`] counts them; behind
/// those comes the descriptor for [`await_ids`].
#[derive(Debug)]
pub struct Launch<'a> {
    pub stdio: [BorrowedFd<'a>; 3],
    pub job: OwnedFd,
    pub fds: Vec<BorrowedFd<'a>>,
    /// The monitor is PID 1 of an outer pid namespace; not where the container has none of its own.
    pub own_pids: bool,
    /// How the container comes to its control group.
    pub placement: Option<Placement>,
}

impl Launch<'_> {
    /// Starts the monitor in a new U with these maps.
    pub fn in_new_namespace(mut self, maps: &IdMaps) -> Result<Child, Error> {
        fault::point("launch: clone the monitor").call("clone the monitor")?;
        message::debug(|| "starting the monitor in a new user namespace".to_owned());
        let (ours, theirs) = pair()?;
        let child = match process::clone_single(libc::CLONE_NEWUSER as u64 | self.namespaces())
            .map_err(Error::UserNamespace)?
        {
            Cloned::Child => {
                // The launcher's end, copied by the clone: closed, so that the launcher's death is seen as end of file.
                let _ = process::close_copy(ours.as_fd());
                match capability::make_all_ambient() {
                    Ok(()) => self.become_role(Role::Monitor, &theirs),
                    Err(error) => fail(&theirs, &error),
                }
            }
            Cloned::Parent(child) => child,
        };
        drop(theirs);
        self.place(ours, child, |child| Ok(maps.write(child.pid)?))
    }

    /// Starts the monitor in the U that `user_namespace` stands for.
    pub fn in_namespace(mut self, user_namespace: OwnedFd) -> Result<Child, Error> {
        fault::point("launch: clone the monitor").call("clone the monitor")?;
        message::debug(|| "starting the monitor in the user namespace of one that runs".to_owned());
        let (ours, theirs) = pair()?;
        let join = Join { flags: libc::CLONE_NEWUSER as u64, fd: user_namespace };
        let child = match clone_into(&[join], self.namespaces(), None)? {
            Cloned::Child => self.become_role(Role::Monitor, &theirs),
            Cloned::Parent(child) => child,
        };
        drop(theirs);
        self.place(ours, child, |_| Ok(()))
    }

    /// Puts the monitor into its control group while it comes to itself, and while somebody does `meanwhile` what else it needs.
    fn place(
        &mut self,
        channel: OwnedFd,
        child: Child,
        meanwhile: impl FnOnce(&Child) -> Result<(), Error>,
    ) -> Result<Child, Error> {
        let pid = child.pid.as_raw_nonzero().get();
        let asked = self.placement.as_mut().map_or(Ok(()), |placement| placement.ask(pid));
        let done = meanwhile(&child).and(asked.map_err(Error::from));
        let placed = done.and_then(|()| Ok(self.placement.take().map_or(Ok(()), |placement| placement.settle(pid))?));
        if let Err(error) = placed {
            // End of file tells the child; it is reaped here.
            drop(channel);
            let _ = child.wait();
            return Err(error);
        }
        heard(&channel, child)
    }

    /// New ones, other than the user namespace.
    fn namespaces(&self) -> u64 {
        let pids = if self.own_pids { libc::CLONE_NEWPID } else { 0 };
        (libc::CLONE_NEWNS | pids) as u64
    }

    /// Starts a joiner in the U that `user_namespace` stands for: beside the monitors there, with mounts of its own, and in the
    /// pid namespace of this process, since the one that it is to enter lies below.
    ///
    /// It begins in the container's group; where this user's own group is out of reach of that, systemd moves it.
    pub fn joiner(&self, user_namespace: BorrowedFd<'_>, entry: Option<&Entry>) -> Result<Child, Error> {
        fault::point("launch: clone the joiner").call("clone the joiner")?;
        message::debug(|| "starting the joiner of a command".to_owned());
        let (ours, theirs) = pair()?;
        let group = entry.and_then(|entry| entry.group.open().ok());
        let at_once = group.and_then(|group| process::clone_in_group(0, Some(group.as_fd())).ok());
        let moved = entry.filter(|_| at_once.is_none());
        let child = match at_once.map_or_else(|| process::clone_single(0), Ok)? {
            Cloned::Child => {
                let _ = process::close_copy(ours.as_fd());
                let entered = nix::sched::setns(user_namespace, nix::sched::CloneFlags::CLONE_NEWUSER)
                    .and_then(|()| nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS))
                    .call("setns(user), unshare(mount)");
                match entered {
                    Ok(()) => self.become_role(Role::Joiner, &theirs),
                    Err(error) => fail(&theirs, &error),
                }
            }
            Cloned::Parent(child) => child,
        };
        drop(theirs);
        if let Some(Err(error)) = moved.map(|entry| entry.take(child.pid.as_raw_nonzero().get())) {
            drop(ours);
            let _ = child.wait();
            return Err(error.into());
        }
        heard(&ours, child)
    }

    /// In the clone: executes the role.
    fn become_role(&self, role: Role, channel: &OwnedFd) -> ! {
        let program = match mount::own_program_read_only() {
            Ok(program) => program,
            Err(error) => fail(channel, &error),
        };
        let mut fds = self.stdio.to_vec();
        fds.push(self.job.as_fd());
        fds.extend_from_slice(&self.fds);
        fds.push(channel.as_fd());
        let error = process::exec_with(program, &role::arguments(role), &role::environment(), &fds);
        fail(channel, &error)
    }
}

fn pair() -> Result<(OwnedFd, OwnedFd), Error> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .call("socketpair")?)
}

/// In a clone: says why and ends.
fn fail(channel: &OwnedFd, error: &sys::Error) -> ! {
    let _ = rustix::net::send(channel, format!("E{error}").as_bytes(), SendFlags::NOSIGNAL);
    process::exit_now(1)
}

/// Gives the word that the ids are mapped, and blocks until the role has heard it (end of file) or the clone says why not.
fn heard(channel: &OwnedFd, child: Child) -> Result<Child, Error> {
    // A clone that could not become the monitor is gone, and its reason is still to be read.
    let _ = rustix::net::send(channel, b"G", SendFlags::NOSIGNAL);
    let mut buffer = [0u8; 4096];
    let (count, _) = handshake::receive_with_fd(channel.as_fd(), &mut buffer)?;
    match buffer.get(1..count) {
        None => Ok(child),
        Some(text) => {
            let _ = child.wait();
            Err(Error::Monitor(String::from_utf8_lossy(text).into_owned()))
        }
    }
}

/// In the role, before anything that needs ids: waits for the launcher's word that they are mapped.
pub fn await_ids(channel: OwnedFd) -> sys::Result<()> {
    let mut word = [0u8; 1];
    let (count, _) = rustix::net::recv(&channel, &mut word, RecvFlags::empty()).call("recv(from the launcher)")?;
    if count == 0 {
        return Err(sys::Error::new("recv(from the launcher)", rustix::io::Errno::CONNRESET));
    }
    // Being root now, it keeps what it has; nothing that it starts is to inherit it.
    capability::clear_inheritable()
}
