//! Files that are replaced in one step: a reader sees the old content or the new, never a part, and takes no lock.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FileType, Mode, OFlags, open};
use rustix::io::Errno;

use super::{change, fault, link};
use crate::sys::{self, Call};

/// Writes `bytes` to a new file beside `path` (mode 0600) and renames it there.
///
/// `durable`: the content is on disk before the rename, and the rename before this returns (two fsyncs). Without it a power
/// cut may leave the old content or an empty file, which is right only for what a reboot makes worthless anyway.
pub fn write(path: &Path, bytes: &[u8], durable: bool) -> sys::Result<()> {
    stage(path, bytes, durable)?.publish()
}

/// Writes JSON over that of the file at `path`, within the blocks that it has already. Fails before anything is changed if they
/// don't suffice.
pub fn write_over(path: &Path, mut bytes: Vec<u8>) -> sys::Result<()> {
    let say = |call: &str| format!("{call}({})", path.display());
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(path, flags, Mode::empty()).call_with(|| say("open"))?;
    let size = rustix::fs::fstat(&file).call_with(|| say("fstat"))?.st_size.cast_unsigned();
    // White space behind it means nothing.
    bytes.resize(bytes.len().max(size as usize), b' ');
    let length = bytes.len() as u64;
    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, length).call_with(|| say("fallocate"))?;
    fill(&file, path, &bytes, false)
}

/// Writes over the file at `path`, which somebody may have mounted and so must stay the one that it is.
pub fn write_in_place(path: &Path, bytes: &[u8]) -> sys::Result<()> {
    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))?;
    fill(&file, path, bytes, false)
}

/// The first half of [`write`]: all that takes time. What is never published is removed.
pub fn stage(path: &Path, bytes: &[u8], durable: bool) -> sys::Result<Staged> {
    let (new, file) = create_beside(path, Mode::RUSR | Mode::WUSR)?;
    let staged = Staged { new, path: path.to_owned(), durable, published: false };
    fill(&file, &staged.new, bytes, durable)?;
    Ok(staged)
}

/// New content beside the file that it is to replace.
#[derive(Debug)]
pub struct Staged {
    new: PathBuf,
    path: PathBuf,
    durable: bool,
    published: bool,
}

impl Staged {
    /// Puts it into its place.
    pub fn publish(mut self) -> sys::Result<()> {
        change::rename(&self.new, &self.path)?;
        self.published = true;
        match (self.durable, self.path.parent()) {
            (true, Some(directory)) => change::sync_dir(directory),
            _ => Ok(()),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            // Its own failure would hide the cause.
            let _ = change::remove_file(&self.new);
        }
    }
}

/// Writes a new file of the permissions `mode`, whatever the umask, in a directory that nobody sees yet: no rename is needed.
pub fn create(path: &Path, bytes: &[u8], mode: u32, durable: bool) -> sys::Result<()> {
    fault::point("atomic file: create").call("open")?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(path, flags, Mode::RUSR | Mode::WUSR).call_with(|| format!("open({})", path.display()))?;
    if mode != 0o600 {
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).call_with(|| format!("fchmod({})", path.display()))?;
    }
    fill(&file, path, bytes, durable)
}

fn fill(file: &OwnedFd, path: &Path, bytes: &[u8], durable: bool) -> sys::Result<()> {
    fault::point("atomic file: write").call("write")?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(file, rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(sys::Error::new(format!("write({})", path.display()), error)),
        }
    }
    if durable {
        fault::point("atomic file: fsync").call("fsync")?;
        rustix::fs::fsync(file).call_with(|| format!("fsync({})", path.display()))?;
    }
    Ok(())
}

/// A file of the user's choice that is written by others and appears, or replaces an older one, when it is whole.
#[derive(Debug)]
pub struct Unfinished {
    file: OwnedFd,
    /// `None`: it is no file, but something that takes what is written to it (`/dev/stdout`, a FIFO).
    staged: Option<Staged>,
}

impl Unfinished {
    /// With the permissions that new files of this process get.
    pub fn create(path: &Path) -> sys::Result<Self> {
        // What a symlink names is replaced, not the symlink.
        let path = link::resolve(path)?;
        let is_file = |stat: rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if rustix::fs::stat(&path).is_ok_and(|stat| !is_file(stat)) {
            let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
            let file = open(&path, flags, Mode::empty()).call_with(|| format!("open({})", path.display()))?;
            return Ok(Self { file, staged: None });
        }
        let (new, file) = create_beside(&path, Mode::from_raw_mode(0o666))?;
        Ok(Self { file, staged: Some(Staged { new, path, durable: false, published: false }) })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Adds these bytes, and that is all.
    pub fn finish_with(self, bytes: &[u8]) -> sys::Result<()> {
        let path = self.staged.as_ref().map_or(Path::new("the file"), |staged| &staged.path);
        fill(&self.file, path, bytes, false)?;
        self.finish()
    }

    /// It is whole.
    pub fn finish(self) -> sys::Result<()> {
        let Self { file, staged } = self;
        // Where there was no room for what the kernel has only cached, as it does for NFS, it says so now, or never.
        nix::unistd::close(file).call("close")?;
        staged.map_or(Ok(()), Staged::publish)
    }
}

/// A file `.NAME.RANDOM` in the directory of `path`, which nobody else has open.
fn create_beside(path: &Path, mode: Mode) -> sys::Result<(PathBuf, OwnedFd)> {
    fault::point("atomic file: create").call("open")?;
    loop {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}", change::random_name()?));
        let new = path.with_file_name(name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match open(&new, flags, mode) {
            Ok(file) => return Ok((new, file)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(sys::Error::new(format!("open({})", path.display()), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = std::env::temp_dir().join(format!("coracle-atomic-{}", std::process::id()));
        change::create_dir(&directory).unwrap();
        let path = directory.join("a.json");
        write(&path, b"one", false).unwrap();
        write(&path, b"two", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        drop(stage(&path, b"three", false).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        // A directory in the way: the rename fails, and the new file goes.
        change::create_dir(&directory.join("d")).unwrap();
        assert!(write(&directory.join("d"), b"x", true).is_err());
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 2);
        // Piece by piece: the old file stays until the new one is whole, and what is given up leaves nothing.
        let link = directory.join("link");
        change::symlink(Path::new("a.json"), &link).unwrap();
        let new = Unfinished::create(&link).unwrap();
        rustix::io::write(new.fd(), b"thr").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        new.finish_with(b"ee").unwrap();
        assert_eq!(std::fs::read(&link).unwrap(), b"three");
        drop(Unfinished::create(&path).unwrap());
        assert!(Unfinished::create(Path::new("/dev/null")).unwrap().finish().is_ok());
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 3);
        change::remove_tree(&directory).unwrap();
    }
}
