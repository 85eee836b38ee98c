//! Who the program runs as: `user[:group]` looked up in the container's own files.
//!
//! The files come from an image, so they are read beneath the container's root, only if they are regular, and only so far. A text of
//! digits is a number and never a name, and a number that no id can be is an error: it never becomes 0.

mod introduce;

use std::os::fd::{AsFd, BorrowedFd};

pub use self::introduce::{Introductions, Login};
use crate::sys::{self, Call, beneath};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The most of /etc/passwd or /etc/group that is read.
const LIMIT: u64 = 1 << 20;
/// The highest id: what the kernel and most programs keep in a signed number.
const HIGHEST: u32 = i32::MAX as u32;

/// nobody's and nogroup's, which every image has and none gives files to.
const NOBODY: u32 = 65_534;

/// A resolved user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Supplementary groups are left as they are: the namespace does not allow to set them.
    pub keep_groups: bool,
    pub home: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoUser(String),
    #[error("unable to find group {0}: no matching entries in group file")]
    NoGroup(String),
    #[error("`{0}` is not a valid id: expected a number from 0 to {HIGHEST}")]
    BadId(String),
}

/// The texts of the two files.
#[derive(Debug, Default)]
pub struct Accounts {
    pub passwd: String,
    pub group: String,
}

impl Accounts {
    /// Reads both files beneath a root; one that is not there, or is no regular file, counts as empty.
    pub fn read(root: BorrowedFd<'_>) -> sys::Result<Self> {
        Ok(Self { passwd: read(root, "/etc/passwd")?, group: read(root, "/etc/group")? })
    }

    /// Resolves `user[:group]`; an empty user is root.
    pub fn identity(&self, user: &str, additional: &[String]) -> Result<Identity, Error> {
        let (user, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
        let user = if user.is_empty() { "0" } else { user };
        let line = match number(user)? {
            Some(uid) => self.users().find(|line| line.uid == uid).unwrap_or(User { name: "", uid, gid: 0, home: "/" }),
            None => self.users().find(|line| line.name == user).ok_or_else(|| Error::NoUser(user.to_owned()))?,
        };
        let mut identity = Identity { uid: line.uid, gid: line.gid, home: line.home.to_owned(), ..Identity::default() };
        match group.filter(|group| !group.is_empty()) {
            Some(group) => identity.gid = self.gid(group)?,
            None => identity.groups = self.memberships(line.name),
        }
        for group in additional {
            let gid = self.gid(group)?;
            if !identity.groups.contains(&gid) {
                identity.groups.push(gid);
            }
        }
        Ok(identity)
    }

    /// The highest id that the files know, but for nobody's.
    pub fn highest(&self) -> u32 {
        let ids = self.users().flat_map(|user| [user.uid, user.gid]).chain(self.groups().map(|(_, gid, _)| gid));
        ids.filter(|id| *id != NOBODY).max().unwrap_or(0)
    }

    /// The user with this id: name and home.
    pub fn user(&self, uid: u32) -> Option<(&str, &str)> {
        self.users().find(|user| user.uid == uid).map(|user| (user.name, user.home))
    }

    /// The name of the group with this id.
    pub fn group(&self, gid: u32) -> Option<&str> {
        self.groups().find(|(_, known, _)| *known == gid).map(|(name, ..)| name)
    }

    fn users(&self) -> impl Iterator<Item = User<'_>> {
        self.passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok().filter(|id| *id <= HIGHEST)?;
            let gid = fields.next()?.parse().ok().filter(|id| *id <= HIGHEST)?;
            let home = fields.nth(1).filter(|home| !home.is_empty()).unwrap_or("/");
            (!name.is_empty()).then_some(User { name, uid, gid, home })
        })
    }

    fn groups(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        self.group.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let gid = fields.nth(1)?.parse().ok().filter(|id| *id <= HIGHEST)?;
            Some((name, gid, fields.next().unwrap_or_default()))
        })
    }

    fn gid(&self, group: &str) -> Result<u32, Error> {
        match number(group)? {
            Some(gid) => Ok(gid),
            None => {
                let found = self.groups().find(|(name, ..)| *name == group);
                found.map(|(_, gid, _)| gid).ok_or_else(|| Error::NoGroup(group.to_owned()))
            }
        }
    }

    fn memberships(&self, user: &str) -> Vec<u32> {
        let member = |members: &str| !user.is_empty() && members.split(',').any(|member| member == user);
        self.groups().filter(|(.., members)| member(members)).map(|(_, gid, _)| gid).collect()
    }
}

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// A text of digits alone is a number, one with a sign before them is a mistake; other texts are names.
fn number(text: &str) -> Result<Option<u32>, Error> {
    let digits = text.trim_start_matches(['+', '-', ' ']);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match text.parse() {
        Ok(id) if id <= HIGHEST && digits == text => Ok(Some(id)),
        _ => Err(Error::BadId(text.to_owned())),
    }
}

/// A regular file beneath the root; `None`: there is none that could be opened.
fn open(root: BorrowedFd<'_>, path: &str, access: OFlags) -> sys::Result<Option<std::fs::File>> {
    // NONBLOCK: a FIFO of this name must not hold the start up.
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match beneath::open(root, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS | Errno::NXIO | Errno::ISDIR | Errno::ROFS) => {
            return Ok(None);
        }
        other => other.call_with(|| format!("openat2({path} in the container)"))?,
    };
    let stat = rustix::fs::fstat(file.as_fd()).call("fstat")?;
    Ok((FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then(|| file.into()))
}

fn read(root: BorrowedFd<'_>, path: &str) -> sys::Result<String> {
    use std::io::Read;
    let Some(file) = open(root, path, OFlags::RDONLY)? else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    let read = file.take(LIMIT).read_to_end(&mut bytes);
    read.call_with(|| format!("read({path} in the container)"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            passwd: "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:w:/var/www:/bin/sh\n99999999999:x:0:0::/:\n:x:0:0::/:\n-1:x:0:0::/:\n+1:x:0:0::/:\n"
                .into(),
            group: "root:x:0:\nwww-data:x:33:\nadm:x:4:www-data,root\nvideo:x:44:\n".into(),
        }
    }

    #[test]
    fn names_and_numbers_find_their_groups_and_home() {
        let www = accounts().identity("www-data", &["video".into(), "7".into()]).unwrap();
        assert_eq!((www.uid, www.gid, www.home.as_str()), (33, 33, "/var/www"));
        assert_eq!(www.groups, [4, 44, 7]);
        assert_eq!(accounts().identity("33", &[]).unwrap().groups, [4]);
        let with_group = accounts().identity("33:adm", &[]).unwrap();
        assert_eq!((with_group.gid, with_group.groups.len()), (4, 0));
        let stranger = accounts().identity("1000", &[]).unwrap();
        assert_eq!((stranger.uid, stranger.gid, stranger.home.as_str()), (1000, 0, "/"));
        assert_eq!(accounts().identity("", &[]).unwrap().home, "/root");
        assert_eq!(accounts().identity(":33", &[]).unwrap().gid, 33);
    }

    /// CVE-2026-30892, CVE-2024-40635: what looks like a number must not turn into root.
    #[test]
    fn odd_numbers_never_become_root() {
        for bad in ["4294967295", "4294967296", "2147483648", "99999999999", "-1", "+1", " 1", "0x0", "1:4294967296"] {
            assert!(accounts().identity(bad, &[]).is_err(), "{bad}");
        }
        assert_eq!(accounts().identity("01", &[]).unwrap().uid, 1);
    }

    #[test]
    fn the_highest_id_is_not_nobodys() {
        let passwd = "root:x:0:0::/:\nann:x:1000:1001::/:\nnobody:x:65534:65534::/:\n".to_owned();
        let group = "big:x:7000:\nnogroup:x:65534:\n".to_owned();
        assert_eq!(Accounts { passwd: passwd.clone(), group }.highest(), 7000);
        assert_eq!(Accounts { passwd, group: String::new() }.highest(), 1001);
        assert_eq!(Accounts::default().highest(), 0);
    }
}
