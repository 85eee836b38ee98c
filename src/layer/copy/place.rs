//! Where the path of a target leads.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::super::unpack::tree::stat;
use super::{Problem, Root, Target, failed, last, trimmed, unreachable};
use crate::host::link;
use crate::layer::{Result, shown};
use crate::sys::Call;

const REACHED: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);

#[derive(Debug)]
pub enum Place {
    Directory(OwnedFd),
    /// A name in a directory: something else's, or nobody's yet.
    Other {
        parent: OwnedFd,
        name: Vec<u8>,
        is_there: bool,
    },
}

impl Place {
    /// `for_directory`: a directory is to come, so that a slash at the end of a name that nobody has is no mistake.
    pub fn find(root: Root<'_>, target: &Target, for_directory: bool) -> Result<Self> {
        if matches!(root, Root::Machine(_)) {
            let path = std::path::Path::new(OsStr::from_bytes(trimmed(&target.path)));
            link::resolve(path).map_err(failed(&target.path))?;
        }
        match root.open(&target.path, REACHED) {
            Ok(directory) => return Ok(Self::Directory(directory)),
            Err(Errno::NOENT) if for_directory || !target.path.ends_with(b"/") => {}
            Err(Errno::NOTDIR) if !target.path.ends_with(b"/") => {}
            Err(Errno::NOTDIR) => {
                let (path, place) = (shown(&target.path), target.place.clone());
                return Err(Problem::NotDirectory { path, place }.into());
            }
            Err(error) => return Err(unreachable(&target.path, &target.place, error)),
        }
        // The kernel follows a symlink to its end, but tells nobody which directory that is in.
        let mut path = trimmed(&target.path).to_vec();
        for _ in 0..link::MOST {
            let name = last(&path).to_vec();
            let directory = path.get(..path.len() - name.len()).unwrap_or_default();
            let directory = if directory.is_empty() { b"." } else { directory };
            let parent =
                root.open(directory, REACHED).map_err(|error| unreachable(&target.path, &target.place, error))?;
            let found = stat(parent.as_fd(), &name).map_err(failed(&target.path))?;
            let kind = found.map(|found| FileType::from_raw_mode(found.st_mode));
            // In a container, a device is one that is mounted there, and can be written into.
            let special = !matches!(kind, None | Some(FileType::RegularFile | FileType::Symlink));
            if special && matches!(root, Root::Machine(_)) {
                return Err(Problem::NotWritable(shown(&target.path)).into());
            }
            if kind != Some(FileType::Symlink) {
                return Ok(Self::Other { parent, name, is_there: kind.is_some() });
            }
            let link = rustix::fs::readlinkat(&parent, name.as_slice(), Vec::new());
            let link = link.call("readlinkat").map_err(failed(&target.path))?.into_bytes();
            path = if link.starts_with(b"/") { link } else { [directory, b"/", &link].concat() };
            path.truncate(trimmed(&path).len());
        }
        Err(unreachable(&target.path, &target.place, Errno::LOOP))
    }
}
