//! How much a tree holds: the bytes of its regular files, holes included, each file once whatever number of names it has.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;

use super::Result;
use super::worker::{Job, Reply, Running, unexpected};
use crate::host::subid::IdMaps;
use crate::sys::{self, Call};

/// What one worker is asked for, so that its answer is one message.
const AT_ONCE: usize = 500;

/// The sizes of the directories at these relative paths below `directory`, a directory of the user's. One that is not there holds
/// nothing.
pub fn sizes(ids: &IdMaps, directory: &Path, paths: &[String]) -> Result<Vec<u64>> {
    let top = rustix::fs::open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .call_with(|| format!("open({})", directory.display()))?;
    let mut sizes = vec![0; paths.len()];
    let mut closed = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        match size(top.as_fd(), path) {
            Ok(size) => sizes[number] = size,
            // Directories of subordinate ids: root of the namespace may look.
            Err(error) if error.errno() == libc::EACCES => closed.push(number),
            Err(error) => return Err(error.into()),
        }
    }
    for numbers in closed.chunks(AT_ONCE) {
        let job = Job::Measure { paths: numbers.iter().map(|number| paths[*number].clone()).collect() };
        match Running::start(ids, directory, &job, &[])?.result()? {
            Reply::Measured(found) => numbers.iter().zip(found).for_each(|(number, size)| sizes[*number] = size),
            other => return Err(unexpected(&other)),
        }
    }
    Ok(sizes)
}

/// The size of the tree at a relative path.
pub fn size(top: BorrowedFd<'_>, path: &str) -> sys::Result<u64> {
    let mut size = 0;
    let mut linked = BTreeSet::new();
    let Some(first) = open(top, OsStr::new(path))? else { return Ok(0) };
    let mut pending = vec![(Arc::new(first), OsString::from("."))];
    while let Some((parent, name)) = pending.pop() {
        let Some(directory) = open(parent.as_fd(), &name)? else { continue };
        let directory = Arc::new(directory);
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut entries = RawDir::new(&directory, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                // The directory itself is gone.
                Err(Errno::NOENT) => break,
                other => other.call_with(|| format!("readdir({path})"))?,
            };
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                    FileType::Directory => pending.push((directory.clone(), name.to_owned())),
                    FileType::RegularFile if stat.st_nlink < 2 || linked.insert((stat.st_dev, stat.st_ino)) => {
                        size += stat.st_size as u64;
                    }
                    _ => {}
                },
                // Removed meanwhile.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(sys::Error::new(format!("stat({path}/…/{})", name.display()), error)),
            }
        }
    }
    Ok(size)
}

/// `None`: it is not there, or no longer.
fn open(parent: BorrowedFd<'_>, name: &OsStr) -> sys::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(parent, name, flags, Mode::empty()) {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(sys::Error::new(format!("open({})", name.display()), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_once_and_links_do_not() {
        let root = std::env::temp_dir().join(format!("coracle-measure-{}", std::process::id()));
        std::fs::create_dir_all(root.join("tree/deep/er")).unwrap();
        std::fs::write(root.join("tree/deep/er/file"), [1; 1000]).unwrap();
        std::fs::hard_link(root.join("tree/deep/er/file"), root.join("tree/again")).unwrap();
        std::fs::write(root.join("beside"), [1; 5000]).unwrap();
        std::os::unix::fs::symlink("../beside", root.join("tree/link")).unwrap();
        let top = rustix::fs::open(&root, OFlags::RDONLY, Mode::empty()).unwrap();
        assert_eq!(size(top.as_fd(), "tree").unwrap(), 1000);
        assert_eq!(size(top.as_fd(), "nope").unwrap(), 0);
        assert_eq!(size(top.as_fd(), "tree/link").unwrap(), 0);
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_tree_that_is_removed_meanwhile_is_no_error() {
        let root = std::env::temp_dir().join(format!("coracle-measure-gone-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let top = rustix::fs::open(&root, OFlags::RDONLY, Mode::empty()).unwrap();
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    std::fs::create_dir(root.join("tree")).unwrap();
                    std::fs::remove_dir(root.join("tree")).unwrap();
                }
            });
            let measured = (0..20_000).try_for_each(|_| size(top.as_fd(), "tree").map(drop));
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            measured.unwrap();
        });
        std::fs::remove_dir_all(root).unwrap();
    }
}
