//! Whose the files are that the container gets beside its root file system, its own root's, or its user's where that is wanted; and
//! which label of SELinux they have, where the machine labels files.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RawDir, Uid, XattrFlags, chownat, openat, statat};
use rustix::io::Errno;

use crate::container::job::{Job, Purpose};
use crate::container::spec::FILES;
use crate::host::id_map::outward;
use crate::host::subid::IdMaps;
use crate::runtime::plan::{Mount, Owners, Plan, Source, Step};
use crate::sys::{Call, Result};

/// The attribute that is a file's label.
const LABEL: &str = "security.selinux";

/// A user and a group of this namespace.
pub type Ids = (u32, u32);

/// The ids of this namespace that stand for a user and a group of the container's.
pub fn outside(maps: &IdMaps, (uid, gid): Ids) -> Option<Ids> {
    Some((outward(&maps.uids, uid)?, outward(&maps.gids, gid)?))
}

/// What files are to have from now on.
#[derive(Debug, Clone, Copy, Default)]
struct Change<'a> {
    ids: Option<Ids>,
    label: Option<&'a str>,
}

/// Gives the files that this program wrote for the container to its root, and those of binds to the program's `user`, or to whom
/// they name, where that was asked for; and their labels to both.
pub fn give(job: &Job, plan: &Plan, user: Ids) -> Result<()> {
    // Else they stay as they were written; or there is no root to have them.
    let root = outside(&plan.maps, (0, 0)).filter(|root| *root != (0, 0));
    let change = Change { ids: root, label: plan.file_label.as_deref() };
    if change.ids.is_some() || change.label.is_some() {
        for (file, _) in FILES {
            let path = job.directory.join(file);
            change.make_one(CWD, path.as_os_str(), &path)?;
        }
    }
    for step in &plan.steps {
        let Step::Mount(Mount { source: Source::Bind { path, owners, label, .. }, .. }) = step else { continue };
        let ids = match owners {
            // Another container may still be using them.
            Owners::Changed if job.purpose != Purpose::Rehearse => Some(user),
            Owners::Given { uid, gid } => Some(named(&plan.maps, (*uid, *gid), path)?),
            _ => None,
        };
        let label = label.as_deref().filter(|_| job.purpose != Purpose::Rehearse);
        // What lies in the store is labelled once; of what is the user's own, others may have made more.
        Change { ids, label }.make(Path::new(path), Path::new(path).starts_with(&job.data))?;
    }
    Ok(())
}

/// Labels the files of layers, which are no container's own, unless that has been done.
pub fn label_layers(layers: &[PathBuf], label: &str) -> Result<()> {
    layers.iter().try_for_each(|layer| Change { ids: None, label: Some(label) }.make(layer, true))
}

/// The ids of this namespace for a file that is to be somebody's of the container's: where that has one id, everybody's.
fn named(maps: &IdMaps, ids: Ids, path: &str) -> Result<Ids> {
    let found = match (maps.uids.as_slice(), maps.gids.as_slice()) {
        ([uid], [gid]) if uid.count == 1 && gid.count == 1 => Some((uid.outside, gid.outside)),
        _ => outside(maps, ids),
    };
    found.ok_or(Errno::INVAL).call_with(|| format!("chown({path}, {}:{})", ids.0, ids.1))
}

impl Change<'_> {
    /// Of one file, if it is another's; of a symlink itself, not of what it leads to.
    fn make_one(self, dir: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<FileType> {
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).call_with(|| format!("stat({})", path.display()))?;
        if let Some((uid, gid)) = self.ids.filter(|ids| (stat.st_uid, stat.st_gid) != *ids) {
            let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
                .call_with(|| format!("chown({})", path.display()))?;
        }
        if let Some(label) = self.label {
            put_label(dir, name, label, path)?;
        }
        Ok(FileType::from_raw_mode(stat.st_mode))
    }

    /// Of everything at and below `top`. The label comes to `top` last: with `once`, what has it there has it throughout.
    fn make(self, top: &Path, once: bool) -> Result<()> {
        if self.ids.is_none() && self.label.is_none() {
            return Ok(());
        }
        // The user's own path: it may lead over links.
        let path = std::fs::canonicalize(top).call_with(|| format!("realpath({})", top.display()))?;
        if once && self.ids.is_none() && self.is_made(&path)? {
            return Ok(());
        }
        if (Self { label: None, ..self }).make_one(CWD, path.as_os_str(), &path)? == FileType::Directory {
            self.make_below(&path)?;
        }
        Self { ids: None, ..self }.make_one(CWD, path.as_os_str(), &path).map(drop)
    }

    fn is_made(self, path: &Path) -> Result<bool> {
        let (_file, way) = reach(CWD, path.as_os_str(), path)?;
        Ok(self.label.is_none_or(|label| has_label(&way, label)))
    }

    /// One name beneath one directory at a time: what somebody moves or links meanwhile leads nowhere else.
    fn make_below(self, path: &Path) -> Result<()> {
        let mut pending = vec![(Arc::new(open(CWD, path.as_os_str(), path)?), OsString::from("."), path.to_owned())];
        while let Some((parent, name, path)) = pending.pop() {
            let dir = Arc::new(open(parent.as_fd(), &name, &path)?);
            let mut buffer = [MaybeUninit::uninit(); 8192];
            let mut entries = RawDir::new(&dir, &mut buffer);
            while let Some(entry) = entries.next() {
                let entry = entry.call_with(|| format!("readdir({})", path.display()))?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if name == "." || name == ".." {
                    continue;
                }
                let path = path.join(name);
                if self.make_one(dir.as_fd(), name, &path)? == FileType::Directory {
                    pending.push((dir.clone(), name.to_owned(), path));
                }
            }
        }
        Ok(())
    }
}

/// A file that may be a link or a socket, by a path that leads to it alone.
fn reach(dir: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<(OwnedFd, String)> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))?;
    let way = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok((file, way))
}

fn has_label(way: &str, label: &str) -> bool {
    let mut found = Vec::with_capacity(256);
    let read = rustix::fs::getxattr(way, LABEL, spare_capacity(&mut found));
    read.is_ok() && found.strip_suffix(b"\0").unwrap_or(&found) == label.as_bytes()
}

/// Labels one file, unless it has the label or its disk takes none.
fn put_label(dir: BorrowedFd<'_>, name: &OsStr, label: &str, path: &Path) -> Result<()> {
    let (_file, way) = reach(dir, name, path)?;
    if has_label(&way, label) {
        return Ok(());
    }
    match rustix::fs::setxattr(&*way, LABEL, label.as_bytes(), XattrFlags::empty()) {
        Ok(()) | Err(Errno::OPNOTSUPP) => Ok(()),
        refused => refused.call_with(|| format!("setxattr({}, {LABEL}, {label})", path.display())),
    }
}

fn open(parent: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))
}
