//! Who the program runs as: `user[:group]` looked up in the container's own files.
//!
//! The files come from an image, so they are read beneath the container's root, only if they are regular, and only so far. A text of
//! digits is a number and never a name, and a number that no id can be is an error: it never becomes 0.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::sys::{self, Call, beneath};

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

/// Somebody whom the container's files are to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Their name where that is free inside, else the number serves.
    pub name: String,
    pub group: String,
    pub uid: u32,
    pub gid: u32,
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

    /// Adds somebody to the files beneath a root, as far as their ids are not known there. Files that are missing stay so.
    pub fn introduce(&mut self, root: BorrowedFd<'_>, login: &Login) -> sys::Result<()> {
        let Login { name, group, uid, gid, home } = login;
        let number = uid.to_string();
        let name = if is_field(name) && self.users().all(|user| user.name != name) { name } else { &number };
        if self.users().all(|user| user.uid != *uid) {
            let home = if is_field(home) { home } else { "/" };
            append(root, "/etc/passwd", &mut self.passwd, &format!("{name}:*:{uid}:{gid}::{home}:/bin/sh\n"))?;
        }
        if self.groups().all(|(_, known, _)| known != *gid) {
            let number = gid.to_string();
            let group =
                if is_field(group) && self.groups().all(|(known, ..)| known != group) { group } else { &number };
            append(root, "/etc/group", &mut self.group, &format!("{group}:x:{gid}:{name}\n"))?;
        }
        Ok(())
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

/// What a line of such a file can hold between two colons.
fn is_field(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == ':' || c.is_control())
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

/// Adds a line to a file of which `text` is known; to one that has text alone.
fn append(root: BorrowedFd<'_>, path: &str, text: &mut String, line: &str) -> sys::Result<()> {
    use std::io::Write;
    if text.is_empty() {
        return Ok(());
    }
    let Some(mut file) = open(root, path, OFlags::WRONLY | OFlags::APPEND)? else { return Ok(()) };
    let line = if text.ends_with('\n') { line.to_owned() } else { format!("\n{line}") };
    text.push_str(&line);
    file.write_all(line.as_bytes()).call_with(|| format!("write({path} in the container)"))
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

    #[test]
    fn a_stranger_is_introduced_once_and_by_a_free_name() {
        let root = std::env::temp_dir().join(format!("coracle-introduce-{}", std::process::id()));
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nann:x:5:5::/:").unwrap();
        let dir = std::fs::File::open(&root).unwrap();
        let login = |name: &str, uid| Login { name: name.into(), group: "g".into(), uid, gid: 7, home: "/h:me".into() };
        for login in [login("bob", 1000), login("bob", 1000), login("ann", 1001)] {
            Accounts::read(dir.as_fd()).unwrap().introduce(dir.as_fd(), &login).unwrap();
        }
        let text = std::fs::read_to_string(root.join("etc/passwd")).unwrap();
        assert!(text.ends_with("\nann:x:5:5::/:\nbob:*:1000:7::/:/bin/sh\n1001:*:1001:7::/:/bin/sh\n"), "{text}");
        assert!(!root.join("etc/group").exists());
        std::fs::remove_dir_all(root).unwrap();
    }
}
