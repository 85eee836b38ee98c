//! Whose files are, as a tree is to show it: on a mount where stat(2) says something else, whom to ask.

use std::os::fd::AsFd;
use std::path::Path;

use coracle::overlay::owners::OWNER;
use coracle::overlay::view::View;
use coracle::store::owners::Owner;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Stat, Uid, XattrFlags};
use rustix::io::Errno;

#[derive(Debug, Clone)]
pub enum Owners {
    /// As stat(2) says.
    Shown,
    /// As stat(2) says, but who has no name belongs to nobody.
    Named,
    /// All are one id's for stat(2), and the overlay has written down whose those with a name would be.
    Noted,
    /// With the ids of the disk, as a mount without this view shows them.
    Stored(View),
}

impl Owners {
    /// What stat(2) said of the file at `path`, with its owner.
    pub fn of(&self, path: &Path, stat: Stat) -> Stat {
        self.put(stat, |value| rustix::fs::lgetxattr(path, OWNER, value))
    }

    /// As [`Owners::of`], of an open file.
    pub fn of_open(&self, file: impl AsFd, stat: Stat) -> Stat {
        self.put(stat, |value| rustix::fs::fgetxattr(&file, OWNER, value))
    }

    fn put(&self, mut stat: Stat, noted: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Stat {
        match self {
            Self::Shown => {}
            Self::Stored(view) => {
                (stat.st_uid, stat.st_gid) = (view.shown_uid(stat.st_uid), view.shown_gid(stat.st_gid));
            }
            Self::Named | Self::Noted if stat.st_nlink == 0 => (stat.st_uid, stat.st_gid) = (0, 0),
            Self::Named => {}
            Self::Noted => {
                assert_eq!((stat.st_uid, stat.st_gid), (0, 0), "all are one id's");
                let mut value = [0; 32];
                let length = noted(&mut value).unwrap();
                let owner: Owner = std::str::from_utf8(&value[..length]).unwrap().parse().unwrap();
                (stat.st_uid, stat.st_gid) = (owner.uid, owner.gid);
            }
        }
        stat
    }

    /// The value of an attribute, with the ids that it is to have.
    pub fn of_attribute(&self, name: &str, value: &[u8]) -> Vec<u8> {
        match self {
            Self::Stored(view) => view.shown_attribute(name.as_bytes(), value.to_vec()).unwrap(),
            _ => value.to_vec(),
        }
    }

    /// chown(2), but not through a link; where it is only noted, as the supervisor of the calls has it done.
    pub fn change(&self, path: &Path, uid: u32, gid: u32) -> Result<(), Errno> {
        if !matches!(self, Self::Noted) {
            let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            return rustix::fs::chownat(CWD, path, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
        }
        let mode = rustix::fs::lstat(path)?.st_mode;
        let taken = match FileType::from_raw_mode(mode) {
            FileType::Directory | FileType::Symlink => 0,
            _ if mode & 0o010 != 0 => 0o6000,
            _ => 0o4000,
        };
        if mode & taken != 0 {
            rustix::fs::chmod(path, Mode::from_raw_mode(mode & 0o7777 & !taken))?;
        }
        rustix::fs::lsetxattr(path, OWNER, format!("{uid}:{gid}").as_bytes(), XattrFlags::empty())
    }
}
