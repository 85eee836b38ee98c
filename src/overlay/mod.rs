//! The file system of a container: read-only layers below, one writable directory on top, seen as one tree.
//!
//! ```text
//!   merged   /etc/hosts   /usr/bin/sh   /var/lib
//!               │              │            │ merged
//!   upper    etc/hosts         │         var/lib/      what the container wrote; `work` beside it, for what is being made
//!   lower 1     ·              │         var/lib/      the image's layers, top first; never written
//!   lower 2  etc/hosts      usr/bin/sh   var/lib/
//! ```
//!
//! Two drivers work over the same directories, so that a container made under one starts under the other:
//! [`kernel`] is overlayfs mounted in the user's namespace, [`session`] serves the program's own overlay over FUSE (its parts:
//! `session::turns` says which thread receives, `filesystem` dispatches to `tree`, the whole as one object; `inode` knows what the kernel knows, `lookup` and `readdir` merge,
//! `handle` reads and writes,
//! `change` is everything that alters the upper directory, [`view`] shows other ids than those on disk, [`owners`] remembers
//! whose files would be where there is but one id, [`living`] copes with a directory that others write, `quota` counts what
//! the upper takes, `statfs` tells it). [`probe`] tells whether the kernel's works here, [`start`] starts the process that serves ours.
//!
//! On disk, as overlayfs with `userxattr` has it (kernel: Documentation/filesystems/overlayfs.rst):
//! a *whiteout* hides what lies below: a character device 0:0, or an empty file with the attribute `user.overlay.whiteout` in
//! a directory whose `user.overlay.opaque` is `x`; an *opaque* directory (`user.overlay.opaque` is `y`) does not merge. On a disk
//! that takes no such attributes, a directory that is not to merge has a whiteout for each name that lies below it.
//!
//! # What differs from a local disk, and why
//!
//! * Whiteouts are not to be had: a device 0:0 can't be made (EPERM), and RENAME_WHITEOUT is EINVAL, as with the kernel's overlay.
//!   Other devices are refused (EPERM) as in every user namespace; only where owners are written down is mknod(2) answered with
//!   success, and nothing made.
//! * O_TMPFILE is EOPNOTSUPP, since the crate `fuser` has no such request yet. Programs expect that, and make a file with a name.
//! * FICLONE is EOPNOTSUPP, as FUSE has no request for it; `cp --reflink=auto` goes on with copy_file_range(2), which the disk below
//!   answers by sharing blocks if it can.
//! * `trusted.overlay.*`, the marks of an overlay that the administrator mounted, are for nobody in a user namespace to read, on
//!   either driver: in a layer that has no others its whiteouts of the 0:0 form alone count.
//! * Names that begin with `.wh.` are names like others: only in the archive of a layer they mean a whiteout.
//! * Layers that hold the data of files of others (`datadir+`) are probed for, and nothing makes such yet.
//! * A quota counts blocks, and the values of attributes that need one: a file in very many pieces can take a block more than that,
//!   and small attributes cost nothing.
//! * A file keeps its number for as long as it is mounted, over copy-up and rename; after a new start one that was copied up has
//!   that of its copy. Names of one lower file of which one was copied up are one file until the kernel forgets it: when memory
//!   is short, and nobody has it open.
//! * On a disk that can't exchange two names (NFS) what hides something is put there in steps of its own: a crash between them, in
//!   the middle of a rename or of a copy-up over something hidden, shows again what was hidden. No data is lost by it.
//! * A directory that merges shows one link: nobody counts what lies in its layers.
//! * A removed file that somebody has open costs a descriptor of the process that serves, whose limit is the hard one of
//!   RLIMIT_NOFILE: once all are taken, what is removed then is lost to who has it open (ESTALE).
//! * A removed directory that somebody is in, or has open, takes no extended attributes any more (ESTALE).
//! * A write that is refused for want of room shows all the same to who has that part of the file mapped, until the mapping goes:
//!   the kernel copies into its pages before it asks. Every read(2), and whoever maps it later, sees what the file has.
//! * Where the kernel passes writes on at once (a quota, a directory of this machine) a file that is written in a mapping gets its
//!   time when the mapping goes or is synced, in place of one set between the write and that.
//! * fallocate(2) and copy_file_range(2) take set-user-id from a file unless the caller is root of the user's namespace: a root of a
//!   container with other ids is not told from its users there.
//!
//! What must stay true: lowers are never written; whatever the upper directory holds at any instant is a valid overlay (a
//! crash loses nothing that was reported done); nothing here panics, every failure is an errno; a layer is reached only
//! beneath its own directory descriptor, one component at a time, never through a symlink.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod change;
mod filesystem;
mod handle;
mod inode;
pub mod kernel;
pub mod living;
mod lookup;
pub mod owners;
pub mod probe;
mod quota;
mod readdir;
pub mod session;
pub mod start;
mod statfs;
mod tree;
pub mod view;

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::path::Arg;
use serde::{Deserialize, Serialize};

use crate::sys::{self, Call};
use living::Living;
use view::View;

/// What the drivers are given: descriptors of directories.
#[derive(Debug)]
pub struct Stack {
    /// Read-only layers, the topmost first; at least one unless there is an upper.
    pub lowers: Vec<OwnedFd>,
    /// `None`: the tree is read-only.
    pub upper: Option<Upper>,
}

/// The writable part. Both directories lie on one file system.
#[derive(Debug)]
pub struct Upper {
    pub dir: OwnedFd,
    /// Where things are made before they are moved into `dir`; what stays in it is swept at the next mount. Over nothing it is not used.
    pub work: OwnedFd,
}

/// What is asked of an overlay beyond merging its layers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Features {
    /// Nothing of it outlives the container, so nothing need be synced.
    pub volatile: bool,
    /// Other ids than those on disk.
    #[serde(default)]
    pub view: Option<View>,
    /// All files are one id's: whose they would be is written down.
    #[serde(default)]
    pub recorded: bool,
    /// The lower directory, or the only one, is one that others write.
    #[serde(default)]
    pub living: Option<Living>,
    /// How many bytes the upper directory may take.
    #[serde(default)]
    pub quota: Option<u64>,
}

impl Features {
    /// Why only this program's own overlay can do it; `None`: the kernel's can, too.
    pub fn needs_fuse(&self) -> Option<&'static str> {
        if self.view.is_some() {
            return Some("ids are translated as they pass");
        }
        if self.living.is_some() {
            return Some("a directory of this machine lies below");
        }
        self.quota.map(|_| "its size is limited")
    }

    /// Whether the kernel passes each write on at once.
    pub fn writes_through(&self) -> bool {
        self.living.is_some() || self.quota.is_some()
    }

    /// What the kernel's overlay leaves undone, though it serves.
    pub fn kernel_lacks(&self) -> Option<&'static str> {
        self.recorded.then_some("only `fuse` writes down the owners of files")
    }
}

/// What helps where FUSE is not there, or closed to this user.
pub const DEVICE_HINT: &str = "as administrator: `modprobe fuse && chmod 666 /dev/fuse`";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error(transparent)]
    Role(#[from] crate::host::role::Error),
    #[error("{0}\nhint: {DEVICE_HINT}")]
    Device(#[source] sys::Error),
    #[error("the FUSE session did not start: {0}")]
    Session(#[source] std::io::Error),
    #[error("the kernel's overlay does not work here: {0}")]
    Unfit(String),
    #[error(
        "the disk of the store takes neither user attributes nor device nodes, and a removal needs one of them\nhint: name a directory on another disk with `--root DIRECTORY`"
    )]
    Disk,
    #[error("the mounter failed: {0}")]
    Mounter(String),
}

/// Opens a directory for use as a layer, an upper or a work directory.
pub fn open_directory(path: impl Arg + Copy) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.to_string_lossy()))?)
}
