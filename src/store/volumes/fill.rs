//! The first content of a volume: what the image has at the place where it is mounted, with owners and modes.
//!
//! ```text
//!   staged/  ── copied, synced, one rename ──▶  ready/  ── entry by entry ──▶  data/        then `fresh` is taken out of the record
//! ```
//!
//! A volume stays fresh as long as there is nothing in it. Whoever is cut off on the way leaves `staged/`, which counts for nothing,
//! or `ready/`, which the next container moves on. `data/` itself is never replaced: a container may have it mounted.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Dir, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Uid};
use rustix::io::Errno;

use super::{LOCK, RECORD, Volume, meaning, open_data};
use crate::host::lock::Lock;
use crate::host::{change, copy, fault};
use crate::store::tmp::CLAIM_PATIENCE;
use crate::store::{Result, records};
use crate::sys::{self, Call, beneath};

const STAGED: &str = "staged";
const READY: &str = "ready";

/// What a volume is filled for.
#[derive(Debug)]
pub struct First<'a> {
    /// The directory of the volume.
    pub volume: &'a Path,
    /// The root file system of the container, with nothing mounted in it.
    pub root: BorrowedFd<'a>,
    /// Where in it the volume will be.
    pub target: &'a str,
    /// Whose the volume is if there is nothing at that place, in ids of this namespace.
    pub user: (u32, u32),
    /// The content is wanted, and not the owner alone.
    pub copy: bool,
}

impl First<'_> {
    /// Fills a volume that is fresh. The caller is root of the account's namespace.
    pub fn fill(&self) -> Result<()> {
        let record = self.volume.join(RECORD);
        let is_fresh = || Ok::<_, crate::store::Error>(records::read(&record)?.filter(|volume: &Volume| volume.fresh));
        if is_fresh()?.is_none() {
            return Ok(());
        }
        let _lock = Lock::exclusive_within(&self.volume.join(LOCK), CLAIM_PATIENCE)?;
        let Some(volume) = is_fresh()? else { return Ok(()) };
        let data = open_data(self.volume)?;
        let is_ready = rustix::fs::lstat(self.volume.join(READY)).is_ok();
        let is_used = !is_ready && holds_something(data.as_fd())?;
        if is_used || self.begin(&volume, data.as_fd(), is_ready)? {
            records::write(&record, &Volume { fresh: false, ..volume }, true)?;
        }
        Ok(())
    }

    /// Owner, mode and content of an empty volume. Whether there is content.
    fn begin(&self, volume: &Volume, data: BorrowedFd<'_>, is_ready: bool) -> Result<bool> {
        let meaning = meaning::of(&volume.options).unwrap_or_default();
        let image = self.open_target()?;
        if let Some(image) = image.as_ref().filter(|_| !is_ready && self.copy && !meaning.nocopy) {
            self.stage(image.as_fd())?;
        }
        let stat = image.as_ref().map(|image| rustix::fs::fstat(image).call("fstat")).transpose()?;
        let (uid, gid) = stat.map_or(self.user, |stat| (stat.st_uid, stat.st_gid));
        let (uid, gid) = (meaning.uid.unwrap_or(uid), meaning.gid.unwrap_or(gid));
        match rustix::fs::fchown(data, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
            // This account has no such id.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(sys::Error::new("fchown(data of the volume)", error).into()),
        }
        if let Some(stat) = stat {
            rustix::fs::fchmod(data, Mode::from_raw_mode(stat.st_mode & 0o7777)).call("fchmod(data of the volume)")?;
        }
        self.move_ready(data)
    }

    /// The directory of the image where the volume will be, if there is one: links of the image lead inside.
    fn open_target(&self) -> Result<Option<OwnedFd>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        match beneath::open(self.root, self.target, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(sys::Error::new(format!("openat2({} in the container)", self.target), error).into()),
        }
    }

    /// Copies what is in `image`, if anything, to where it can be moved from.
    fn stage(&self, image: BorrowedFd<'_>) -> Result<()> {
        let staged = self.volume.join(STAGED);
        change::remove_tree(&staged)?;
        change::create_dir(&staged)?;
        let place = open(&staged)?;
        let count = copy::tree(image, place.as_fd())?;
        if count > 0 {
            fault::point("volume: sync").call("syncfs")?;
            rustix::fs::syncfs(&place).call_with(|| format!("syncfs({})", staged.display()))?;
            change::rename(&staged, &self.volume.join(READY))?;
        } else {
            change::remove_dir(&staged)?;
        }
        Ok(())
    }

    /// Moves what is ready into the volume. `false`: nothing is.
    fn move_ready(&self, data: BorrowedFd<'_>) -> Result<bool> {
        let path = self.volume.join(READY);
        let ready = match open(&path) {
            Err(error) if error.errno() == libc::ENOENT => return Ok(false),
            other => other?,
        };
        for entry in Dir::read_from(&ready).call("opendir(ready)")? {
            let entry = entry.call("getdents64")?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            fault::point("volume: move").call("renameat2")?;
            // Somebody who had the volume without its content may have made a file of that name: it is theirs.
            match rustix::fs::renameat_with(&ready, name, data, name, RenameFlags::NOREPLACE) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => {
                    return Err(sys::Error::new(format!("renameat2({})", name.to_string_lossy()), error).into());
                }
            }
        }
        fault::point("volume: sync its data").call("fsync(data of the volume)")?;
        rustix::fs::fsync(data).call("fsync(data of the volume)")?;
        change::remove_tree(&path)?;
        Ok(true)
    }
}

fn open(path: &Path) -> sys::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))
}

fn holds_something(directory: BorrowedFd<'_>) -> sys::Result<bool> {
    for entry in Dir::read_from(directory).call("opendir")? {
        let entry = entry.call("getdents64")?;
        if ![&b"."[..], b".."].contains(&entry.file_name().to_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}
