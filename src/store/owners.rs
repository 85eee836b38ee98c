//! Whose a file is where the disk can't say it: an account with one id owns all its files, so owners are written beside them.
//!
//! ```text
//! layers/recorded-<hex>/owners    [table]    by path, written with the layer: what is not root's, and what devices were
//! containers/<id>/owners          [journal]  by inode number, for what takes no user attribute: links, FIFOs, sockets
//! containers/<id>/upper/…         the attribute `user.coracle.owner` (`uid:gid`) of files and directories
//! ```
//!
//! What nothing is written of is root's (0:0). Modes need no table: who owns a file may give it any. The ids are those of the
//! image, so what reads them (copy-up, commit, export) is to write them down as they are.

use std::ffi::CStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::str::FromStr;

use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use crate::sys::{self, Call};

mod journal;
mod table;

pub use journal::Journal;
pub use table::{Builder, Table};

/// The file beside a layer's `fs`, and beside a container's `upper`.
pub const FILE: &str = "owners";

/// The attribute of a file or directory in an upper directory.
pub const ATTRIBUTE: &CStr = c"user.coracle.owner";

/// No attribute, but a word to the overlay, through its mount: `uid:gid`, with `-` for what stays, is this file's owner from now
/// on.
pub const WORD: &str = "security.coracle.owner";

/// The attribute of the empty file that stands for a device (`c 1:3`).
pub const DEVICE: &CStr = c"user.coracle.device";

/// The most that is read of either file.
const LIMIT: u64 = 1 << 30;

/// An owner, in ids of the image. By default root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

impl Owner {
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

impl FromStr for Owner {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (uid, gid) = text.split_once(':').ok_or(())?;
        // `+5` would parse as a number too.
        let id = |text: &str| text.parse().ok().filter(|id: &u32| id.to_string() == text).ok_or(());
        Ok(Self { uid: id(uid)?, gid: id(gid)? })
    }
}

/// A device node that an account without rights can't make: on disk it is an empty file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    pub block: bool,
    pub major: u32,
    pub minor: u32,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", if self.block { 'b' } else { 'c' }, self.major, self.minor)
    }
}

impl FromStr for Device {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (block, numbers) = match text.strip_prefix('b') {
            Some(numbers) => (true, numbers),
            None => (false, text.strip_prefix('c').ok_or(())?),
        };
        let Owner { uid: major, gid: minor } = numbers.parse()?;
        Ok(Self { block, major, minor })
    }
}

/// What the attribute of an open file or directory says; `None`: it has none.
pub fn of_file(file: BorrowedFd<'_>) -> sys::Result<Option<Owner>> {
    let mut value = [0u8; 32];
    match rustix::fs::fgetxattr(file, ATTRIBUTE, &mut value[..]) {
        Ok(length) => {
            let text = value.get(..length).and_then(|text| std::str::from_utf8(text).ok());
            Ok(text.and_then(|text| text.parse().ok()))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(None),
        Err(error) => Err(sys::Error::new("fgetxattr(user.coracle.owner)", error)),
    }
}

/// Gives an open file or directory the attribute; of root's, too, if somebody asked for that. The error of a disk that has none
/// is EOPNOTSUPP.
pub fn set_on_file(file: BorrowedFd<'_>, owner: Owner) -> Result<(), Errno> {
    rustix::fs::fsetxattr(file, ATTRIBUTE, owner.to_string().as_bytes(), XattrFlags::empty())
}

/// The file of owners beside `directory`, whole; `None`: there is none.
fn read_beside(directory: BorrowedFd<'_>) -> sys::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file: OwnedFd = match rustix::fs::openat(beside(directory)?, FILE, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(sys::Error::new("openat(owners)", error)),
    };
    let mut bytes = Vec::new();
    File::from(file).take(LIMIT + 1).read_to_end(&mut bytes).call("read(owners)")?;
    if bytes.len() as u64 > LIMIT { Err(unreadable("it is too long")) } else { Ok(Some(bytes)) }
}

/// The directory of the store in which `directory` lies.
fn beside(directory: BorrowedFd<'_>) -> sys::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(directory, c"..", flags, Mode::empty()).call("openat(..)")
}

fn unreadable(why: &str) -> sys::Error {
    sys::Error::new("read(owners)", io::Error::new(io::ErrorKind::InvalidData, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_devices_are_written_in_one_way() {
        let owner = Owner { uid: 33, gid: u32::MAX };
        assert_eq!((owner.to_string().as_str(), owner.to_string().parse()), ("33:4294967295", Ok(owner)));
        let device = Device { block: true, major: 8, minor: 1 };
        assert_eq!((device.to_string().as_str(), "b8:1".parse()), ("b8:1", Ok(device)));
        for bad in ["", ":", "1", "1:", "+1:1", "01:1", "1:4294967296", "-1:0", "1:2:3", " 1:2"] {
            assert!(bad.parse::<Owner>().is_err(), "{bad}");
            assert!(format!("c{bad}").parse::<Device>().is_err(), "{bad}");
        }
    }
}
