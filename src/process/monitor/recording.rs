//! The writing down of owners in one container: what the overlay and the supervisor must know.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::XattrFlags;

use super::root::Root;
use crate::container::job::Job;
use crate::overlay::owners::AUTHOR;
use crate::process::session::emulation::device;
use crate::process::supervisor::{Device, Listener};
use crate::runtime::identity::Identity;
use crate::store::owners::Owner;
use crate::sys::{self, Call};

#[derive(Debug)]
pub struct Recording {
    /// Whose the program's files are.
    author: Owner,
    device: Device,
}

impl Recording {
    /// `None`: this container's owners are real, or its driver can't write them down.
    pub fn of(job: &Job, root: &Root, mount: BorrowedFd<'_>, identity: &Identity) -> sys::Result<Option<Self>> {
        if !job.overlay.features.recorded || root.driver != "fuse" {
            return Ok(None);
        }
        let author = Owner { uid: identity.uid, gid: identity.gid };
        Ok(Some(Self { author, device: device(mount)? }))
    }

    /// Tells the overlay whose the files are that are made from now on: after init has made its mount points, and before the
    /// program runs.
    pub fn begin(&self, init: i32) -> sys::Result<()> {
        if self.author == Owner::ROOT {
            return Ok(());
        }
        let (root, value) = (format!("/proc/{init}/root"), self.author.to_string());
        rustix::fs::setxattr(root.as_str(), AUTHOR, value.as_bytes(), XattrFlags::empty())
            .call_with(|| format!("setxattr({root}, {AUTHOR})"))
    }

    pub fn listener(&self, fd: OwnedFd) -> Listener {
        Listener { fd, device: self.device }
    }
}
