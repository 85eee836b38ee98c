//! Which ids this account may use in a user namespace, and how they get mapped.
//!
//! An administrator grants subordinate ids in `/etc/subuid` and `/etc/subgid` (subuid(5)) or in a source of the name service
//! switch, and the setuid helpers `newuidmap` and `newgidmap` of shadow write maps that use them. An account with no grant
//! maps its one own id to 0, which the kernel allows anybody (user_namespaces(7)).
//!
//! A range is never guessed: ids that nobody granted may belong to another user of this machine.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::{fault, message};
use crate::sys::{self, Call};

/// The most of a system file that is read: enough for 100,000 accounts.
const LIMIT: u64 = 16 << 20;

/// One line of a map: `count` ids from `inside` on are `outside` and following in the parent namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    pub inside: u32,
    pub outside: u32,
    pub count: u32,
}

/// The maps of a user namespace: users and groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMaps {
    pub uids: Vec<Extent>,
    pub gids: Vec<Extent>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("`{0}` is not installed, and without it subordinate ids can't be used")]
    HelperMissing(&'static str),
    #[error("`{helper}` refused the id map: {said}")]
    HelperRefused { helper: &'static str, said: String },
}

impl Error {
    /// What the user or the administrator can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::System(_) => None,
            Self::HelperMissing(_) => Some("install the package `uidmap` (Debian, Ubuntu) or `shadow-utils` (Fedora)".into()),
            Self::HelperRefused { .. } => Some(
                "the helper must be setuid root, and /etc/subuid and /etc/subgid must grant this account the ranges it asks for"
                    .into(),
            ),
        }
    }
}

impl IdMaps {
    /// The maps for this account: its own id as root, then all its subordinate ids, or its own id alone. Read once a process.
    pub fn of_account() -> Result<Self, Error> {
        static READ: OnceLock<IdMaps> = OnceLock::new();
        if let Some(maps) = READ.get() {
            return Ok(maps.clone());
        }
        let maps = Self::read()?;
        Ok(READ.get_or_init(|| maps).clone())
    }

    fn read() -> Result<Self, Error> {
        let uid = rustix::process::getuid().as_raw();
        let gid = rustix::process::getgid().as_raw();
        let granted = Granted::of(uid)?;
        if granted.uids.is_empty() || granted.gids.is_empty() {
            return Ok(Self::single(uid, gid));
        }
        Ok(Self { uids: stacked(uid, &granted.uids), gids: stacked(gid, &granted.gids) })
    }

    fn single(uid: u32, gid: u32) -> Self {
        let extent = |outside| vec![Extent { inside: 0, outside, count: 1 }];
        Self { uids: extent(uid), gids: extent(gid) }
    }

    /// The same ids again, for a namespace nested in one that has these maps.
    pub fn nested(&self) -> Self {
        let same = |extents: &[Extent]| extents.iter().map(|e| Extent { outside: e.inside, ..*e }).collect();
        Self { uids: same(&self.uids), gids: same(&self.gids) }
    }

    /// Whether only one id is mapped: no subordinate ids.
    pub fn is_single(&self) -> bool {
        self.count() == 1
    }

    /// Whether there is such a user inside.
    pub fn has_user(&self, id: u32) -> bool {
        has(&self.uids, id)
    }

    /// And such a group.
    pub fn has_group(&self, id: u32) -> bool {
        has(&self.gids, id)
    }

    /// How many user ids there are inside.
    pub fn count(&self) -> u32 {
        self.uids.iter().map(|extent| extent.count).sum()
    }

    /// The maps of the user namespace of a process, as this one reads them.
    pub fn of_process(pid: i32) -> Result<Self, sys::Error> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            let text = std::fs::read_to_string(&path).call_with(|| format!("read({path})"))?;
            let extent = |line: &str| {
                let mut numbers = line.split_whitespace().map(str::parse);
                let mut next = || numbers.next()?.ok();
                Some(Extent { inside: next()?, outside: next()?, count: next()? })
            };
            Ok(text.lines().filter_map(extent).collect())
        };
        Ok(Self { uids: read("uid_map")?, gids: read("gid_map")? })
    }

    /// Whether `text`, the uid_map of a process as this one reads it, is the map of these ids.
    pub fn describes(&self, text: &str) -> bool {
        let numbers = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        numbers(text) == numbers(&lines(&self.uids))
    }

    /// Gives these maps to the user namespace of process `pid`; called by a process of the parent namespace.
    pub fn write(&self, pid: Pid) -> Result<(), Error> {
        fault::point("subid: write maps").call("write id maps")?;
        let pid = pid.as_raw_nonzero();
        if self.is_single() {
            let process = format!("/proc/{pid}");
            write_file(&format!("{process}/setgroups"), "deny")?;
            write_file(&format!("{process}/uid_map"), &lines(&self.uids))?;
            return write_file(&format!("{process}/gid_map"), &lines(&self.gids));
        }
        // Both at once: each costs a fork, an exec and two file reads.
        let users = start_helper("newuidmap", pid.get(), &self.uids)?;
        let groups = start_helper("newgidmap", pid.get(), &self.gids)?;
        finish_helper("newuidmap", users).and(finish_helper("newgidmap", groups))
    }

    /// Gives these maps to a namespace nested in the caller's own, where the caller may map what it likes.
    ///
    /// `process` is the folder of the process in a /proc of the caller.
    pub fn write_nested(&self, process: &str) -> Result<(), Error> {
        write_file(&format!("{process}/uid_map"), &lines(&self.uids))?;
        write_file(&format!("{process}/gid_map"), &lines(&self.gids))
    }
}

fn stacked(own: u32, granted: &[(u32, u32)]) -> Vec<Extent> {
    let mut extents = vec![Extent { inside: 0, outside: own, count: 1 }];
    let mut inside = 1u32;
    for &(outside, count) in granted {
        let count = count.min(u32::MAX - inside);
        if count > 0 {
            extents.push(Extent { inside, outside, count });
            inside += count;
        }
    }
    extents
}

fn lines(extents: &[Extent]) -> String {
    let mut text = String::new();
    for Extent { inside, outside, count } in extents {
        let _ = writeln!(text, "{inside} {outside} {count}");
    }
    text
}

fn write_file(path: &str, text: &str) -> Result<(), Error> {
    // One write(2) whole, as these files demand.
    Ok(fs::write(path, text).call_with(|| format!("write({path})"))?)
}

fn start_helper(helper: &'static str, pid: i32, extents: &[Extent]) -> Result<std::process::Child, Error> {
    message::debug(|| format!("starting {helper} {pid} {}", lines(extents).replace('\n', " ")));
    let mut command = Command::new(helper);
    command.arg(pid.to_string());
    for Extent { inside, outside, count } in extents {
        command.args([inside.to_string(), outside.to_string(), count.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|error| {
        match error.kind() {
            io::ErrorKind::NotFound => Error::HelperMissing(helper),
            _ => sys::Error::new(format!("start {helper}"), error).into(),
        }
    })
}

fn finish_helper(helper: &'static str, child: std::process::Child) -> Result<(), Error> {
    let output = child.wait_with_output().call_with(|| format!("wait for {helper}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::HelperRefused { helper, said })
}

fn has(extents: &[Extent], id: u32) -> bool {
    extents.iter().any(|extent| id.checked_sub(extent.inside).is_some_and(|at| at < extent.count))
}

/// Ranges as `(first id, count)`.
struct Granted {
    uids: Vec<(u32, u32)>,
    gids: Vec<(u32, u32)>,
}

impl Granted {
    fn of(uid: u32) -> Result<Self, Error> {
        let name = account_name(uid)?;
        if has_other_source(&read("/etc/nsswitch.conf")?)
            && let Some(name) = &name
        {
            let ask = |groups| asked(name, groups);
            if let (Some(uids), Some(gids)) = (ask(false), ask(true)) {
                return Ok(Self { uids, gids });
            }
        }
        let parse = |path| -> Result<_, Error> { Ok(ranges(&read(path)?, name.as_deref(), uid)) };
        Ok(Self { uids: parse("/etc/subuid")?, gids: parse("/etc/subgid")? })
    }
}

/// A missing file grants nothing.
fn read(path: &str) -> Result<String, Error> {
    use io::Read;
    let mut bytes = Vec::new();
    match fs::File::open(path) {
        Ok(file) => file.take(LIMIT).read_to_end(&mut bytes).call_with(|| format!("read({path})"))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(sys::Error::new(format!("open({path})"), error).into()),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines of a subuid(5) file that grant to this account, by name or by number.
pub fn ranges(text: &str, name: Option<&str>, uid: u32) -> Vec<(u32, u32)> {
    let number = uid.to_string();
    let mut ranges = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim().split(':');
        let (Some(owner), Some(first), Some(count), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if Some(owner) != name && owner != number {
            continue;
        }
        ranges.extend(range(first, count).filter(|range| !ranges.contains(range)));
    }
    ranges
}

/// A range of ids that can exist; nobody is ever granted root's.
fn range(first: &str, count: &str) -> Option<(u32, u32)> {
    let (first, count) = (first.parse::<u32>().ok()?, count.parse::<u32>().ok()?);
    (first > 0 && count > 0 && first.checked_add(count).is_some()).then_some((first, count))
}

/// The account's name, from /etc/passwd or else from whatever the name service knows (`id` asks it, so that this static
/// program loads no module of it).
pub fn account_name(uid: u32) -> Result<Option<String>, Error> {
    for line in read("/etc/passwd")?.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(id)) = (fields.next(), fields.nth(1))
            && id.parse() == Ok(uid)
        {
            return Ok(Some(name.to_owned()));
        }
    }
    fault::point("subid: ask id").call("start id")?;
    let output = Command::new("id").arg("-un").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let name = output.ok().filter(|output| output.status.success());
    Ok(name.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|name| !name.is_empty()))
}

/// Whether the text of nsswitch.conf(5) names a source of subordinate ids other than the files.
fn has_other_source(text: &str) -> bool {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("subid:")).unwrap_or_default();
    let sources = line.split('#').next().unwrap_or_default();
    sources.split_whitespace().any(|source| source != "files")
}

/// What getsubids(1) says; `None`: it is not installed or does not know, so the files count.
fn asked(name: &str, groups: bool) -> Option<Vec<(u32, u32)>> {
    fault::point("subid: ask getsubids").ok()?;
    let mut command = Command::new("getsubids");
    if groups {
        command.arg("-g");
    }
    let output = command.arg(name).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| listed(&String::from_utf8_lossy(&output.stdout)))
}

/// The ranges that getsubids(1) lists: lines of `NUMBER: NAME FIRST COUNT`.
pub fn listed(text: &str) -> Vec<(u32, u32)> {
    let mut ranges = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [_, _, first, count] = fields.as_slice() {
            ranges.extend(range(first, count).filter(|range| !ranges.contains(range)));
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_found_by_name_and_by_number() {
        let text = "ann:100000:65536\n1000:300000:10\nbob:200000:65536\nann:100000:65536\nann:x:1\nann:1\nann:0:5\nann:4294967295:9\n";
        assert_eq!(ranges(text, Some("ann"), 1000), [(100_000, 65_536), (300_000, 10)]);
        assert_eq!(ranges(text, None, 1000), [(300_000, 10)]);
        assert_eq!(ranges(text, Some("eve"), 7), []);
    }

    #[test]
    fn a_source_besides_the_files_is_asked() {
        for (text, other) in [
            ("passwd: files sss\nsubid: sss\n", true),
            ("subid:\tfiles  # not sss\n", false),
            ("# subid: sss\n", false),
            ("passwd: sss\n", false),
        ] {
            assert_eq!(has_other_source(text), other, "{text}");
        }
        let text = "0: ann 100000 65536\n1: ann 300000 10\n2: ann 300000 10\n3: ann 0 5\n4: ann 7\nno ranges\n5: ann 4294967295 2\n";
        assert_eq!(listed(text), [(100_000, 65_536), (300_000, 10)]);
    }

    #[test]
    fn own_id_is_root_and_grants_follow() {
        let maps = IdMaps { uids: stacked(1000, &[(100_000, 10), (5, 3)]), gids: stacked(1000, &[]) };
        assert_eq!(lines(&maps.uids), "0 1000 1\n1 100000 10\n11 5 3\n");
        assert_eq!(lines(&maps.nested().uids), "0 0 1\n1 1 10\n11 11 3\n");
        assert!(!maps.is_single());
    }
}
