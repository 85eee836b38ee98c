//! Whose the files are that the container gets beside its root file system: its own root's, or its user's where that is wanted.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RawDir, Uid, chownat, openat, statat};
use rustix::io::Errno;

use crate::container::job::{Job, Purpose};
use crate::container::spec::FILES;
use crate::host::id_map::outward;
use crate::host::subid::IdMaps;
use crate::runtime::plan::{Mount, Owners, Plan, Source, Step};
use crate::sys::{Call, Result};

/// A user and a group of this namespace.
pub type Ids = (u32, u32);

/// The ids of this namespace that stand for a user and a group of the container's.
pub fn outside(maps: &IdMaps, (uid, gid): Ids) -> Option<Ids> {
    Some((outward(&maps.uids, uid)?, outward(&maps.gids, gid)?))
}

/// Gives the files that this program wrote for the container to its root, and those of binds to the program's `user`, or to whom
/// they name, where that was asked for.
pub fn give(job: &Job, plan: &Plan, user: Ids) -> Result<()> {
    match outside(&plan.maps, (0, 0)) {
        // As they were written; or there is no root to have them.
        Some((0, 0)) | None => {}
        Some(root) => {
            for (file, _) in FILES {
                let path = job.directory.join(file);
                give_one(CWD, path.as_os_str(), root, &path)?;
            }
        }
    }
    for step in &plan.steps {
        let Step::Mount(Mount { source: Source::Bind { path, owners, .. }, .. }) = step else { continue };
        match owners {
            // Another container may still be using them.
            Owners::Changed if job.purpose != Purpose::Rehearse => give_tree(Path::new(path), user)?,
            Owners::Given { uid, gid } => give_tree(Path::new(path), named(&plan.maps, (*uid, *gid), path)?)?,
            _ => {}
        }
    }
    Ok(())
}

/// The ids of this namespace for a file that is to be somebody's of the container's: where that has one id, everybody's.
fn named(maps: &IdMaps, ids: Ids, path: &str) -> Result<Ids> {
    let found = match (maps.uids.as_slice(), maps.gids.as_slice()) {
        ([uid], [gid]) if uid.count == 1 && gid.count == 1 => Some((uid.outside, gid.outside)),
        _ => outside(maps, ids),
    };
    found.ok_or(Errno::INVAL).call_with(|| format!("chown({path}, {}:{})", ids.0, ids.1))
}

/// Changes one file, if it is another's; a symlink itself, not what it leads to.
fn give_one(dir: BorrowedFd<'_>, name: &OsStr, (uid, gid): Ids, path: &Path) -> Result<FileType> {
    let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).call_with(|| format!("stat({})", path.display()))?;
    if (stat.st_uid, stat.st_gid) != (uid, gid) {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).call_with(|| format!("chown({})", path.display()))?;
    }
    Ok(FileType::from_raw_mode(stat.st_mode))
}

/// Everything at and below `top`, one name beneath one directory at a time: what somebody moves or links meanwhile leads
/// nowhere else.
fn give_tree(top: &Path, ids: Ids) -> Result<()> {
    // The user's own path: it may lead over links.
    let path = std::fs::canonicalize(top).call_with(|| format!("realpath({})", top.display()))?;
    if give_one(CWD, path.as_os_str(), ids, &path)? != FileType::Directory {
        return Ok(());
    }
    let mut pending = vec![(Arc::new(open(CWD, path.as_os_str(), &path)?), OsString::from("."), path)];
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
            if give_one(dir.as_fd(), name, ids, &path)? == FileType::Directory {
                pending.push((dir.clone(), name.to_owned(), path));
            }
        }
    }
    Ok(())
}

fn open(parent: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))
}
