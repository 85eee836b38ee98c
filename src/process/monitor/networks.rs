//! The networks of a container whose monitor this is: N, which it holds open, and the companion.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::container::job::Job;
use crate::container::networks::{self, Held};
use crate::container::record::Container;
use crate::host::dirs::Dirs;
use crate::network::named::companion::{self, Error, Starting};
use crate::network::named::plumbing;
use crate::process::session::refusal::Refusal;
use crate::runtime::handshake;
use crate::store::{Store, records};
use crate::sys::process::{self, Child, Cloned, clone_single};
use crate::sys::{self, Call};

/// N, which the monitor holds as long as it lives; of a container on no networks, nothing.
#[derive(Debug, Default)]
pub struct Namespace {
    there: Option<OwnedFd>,
    making: Option<Making>,
}

impl Namespace {
    /// The one that others are in.
    pub fn of(there: Option<OwnedFd>) -> Self {
        Self { there, making: None }
    }

    /// Begins to make a new one where there is none, which takes as long as many other things of a start.
    pub fn make(&mut self) -> sys::Result<()> {
        if self.there.is_none() {
            self.making = Some(Making::begin()?);
        }
        Ok(())
    }

    /// Waits until it is there.
    pub fn get(&mut self) -> sys::Result<Option<BorrowedFd<'_>>> {
        if let Some(making) = self.making.take() {
            self.there = Some(making.finish()?);
        }
        Ok(self.there.as_ref().map(AsFd::as_fd))
    }
}

/// A copy of this process that makes an N: who has entered one can't come back to the host's network.
#[derive(Debug)]
struct Making {
    copy: Child,
    talk: OwnedFd,
}

impl Making {
    fn begin() -> sys::Result<Self> {
        let (talk, theirs) = handshake::pair()?;
        match clone_single(0)? {
            Cloned::Child => {
                let sent = plumbing::make().and_then(|n| handshake::send_with_fd(theirs.as_fd(), b"N", n.as_fd()));
                if let Err(error) = &sent {
                    let _ = rustix::net::send(&theirs, error.to_string().as_bytes(), rustix::net::SendFlags::NOSIGNAL);
                }
                process::exit_now(i32::from(sent.is_err()))
            }
            Cloned::Parent(copy) => Ok(Self { copy, talk }),
        }
    }

    fn finish(self) -> sys::Result<OwnedFd> {
        let mut said = [0; 1024];
        let (count, n) = handshake::receive_with_fd(self.talk.as_fd(), &mut said)?;
        self.copy.wait()?;
        let said = String::from_utf8_lossy(said.get(..count).unwrap_or_default());
        n.ok_or_else(|| sys::Error::new("unshare(net)", std::io::Error::other(said.into_owned())))
    }
}

/// Where others find N.
pub fn held(n: BorrowedFd<'_>) -> sys::Result<Held> {
    Ok(Held { fd: n.as_raw_fd(), inode: rustix::fs::fstat(n).call("fstat(networks)")?.st_ino })
}

/// Connects the container, whose init is known, to its networks as they are now.
pub fn connect(job: &Job, init: i32, n: BorrowedFd<'_>) -> Result<Starting, Refusal> {
    let store = Store::open(&Dirs::at(&job.data)).map_err(Refusal::ours)?;
    let container: Option<Container> = records::read(&job.directory.join("container.json")).map_err(Refusal::ours)?;
    let container = container.ok_or_else(|| Refusal::ours("its record is gone"))?;
    let job = networks::job(&store, &container).map_err(Refusal::ours)?;
    let namespace = plumbing::of_process(init).map_err(Refusal::ours)?;
    companion::start(&job, namespace.as_fd(), n).map_err(hinted)
}

pub fn hinted(error: Error) -> Refusal {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    Refusal::ours(format!("{error}{hint}"))
}
