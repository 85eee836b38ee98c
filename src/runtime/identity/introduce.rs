//! Whom the container's account files are made to know beside those whom the image does.
//!
//! Nothing is replaced: a line is added for an id that no line has, by a name that is free.

use std::io::Write;
use std::os::fd::BorrowedFd;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::{Accounts, number, open};
use crate::sys::{self, Call};

/// Who is made known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Introductions {
    pub logins: Vec<Login>,
    /// The program's own user, too, where a number is all that is known.
    pub user: bool,
    /// Lines in place of the usual ones, in which `$USERNAME`, `$UID`, `$GID`, `$NAME` and `$HOME`, or `$GROUPNAME`, `$GID` and
    /// `$USERLIST`, are replaced.
    pub passwd_entry: Option<String>,
    pub group_entry: Option<String>,
}

/// Somebody whom the container's files are to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Their name where that is free inside, else the number serves.
    pub name: String,
    #[serde(default)]
    pub full_name: String,
    pub group: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
}

const PASSWD: &str = "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh";
const GROUP: &str = "$GROUPNAME:x:$GID:$USERLIST";

impl Introductions {
    /// Adds them to the files beneath a root. `user`: the program's, `user[:group]`; `home`: where they are at home.
    pub fn carry_out(&self, accounts: &mut Accounts, root: BorrowedFd<'_>, user: &str, home: &str) -> sys::Result<()> {
        let own = self.user.then(|| stranger(accounts, user, home)).flatten();
        self.logins.iter().chain(&own).try_for_each(|login| self.introduce(accounts, root, login))
    }

    /// As far as their ids are not known. Files that are missing stay so.
    fn introduce(&self, accounts: &mut Accounts, root: BorrowedFd<'_>, login: &Login) -> sys::Result<()> {
        let Login { name, full_name, group, uid, gid, home } = login;
        let (uid_text, gid_text) = (uid.to_string(), gid.to_string());
        let name = if is_field(name) && accounts.users().all(|user| user.name != name) { name } else { &uid_text };
        let (new_user, new_group) = (accounts.user(*uid).is_none(), accounts.group(*gid).is_none());
        if new_user {
            let home = if is_field(home) { home } else { "/" };
            let full_name = if is_field(full_name) { full_name } else { "" };
            let values = [
                ("USERNAME", name.as_str()),
                ("UID", &uid_text),
                ("GID", &gid_text),
                ("NAME", full_name),
                ("HOME", home),
            ];
            let line = fill(self.passwd_entry.as_deref().unwrap_or(PASSWD), &values);
            append(root, "/etc/passwd", &mut accounts.passwd, &line)?;
        }
        if new_group {
            let free = is_field(group) && accounts.groups().all(|(known, ..)| known != group);
            let values =
                [("GROUPNAME", if free { group.as_str() } else { &gid_text }), ("GID", &gid_text), ("USERLIST", name)];
            let line = fill(self.group_entry.as_deref().unwrap_or(GROUP), &values);
            append(root, "/etc/group", &mut accounts.group, &line)?;
        }
        Ok(())
    }
}

/// A user of whom there is but a number.
fn stranger(accounts: &Accounts, user: &str, home: &str) -> Option<Login> {
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let uid = number(user).ok().flatten().filter(|uid| accounts.user(*uid).is_none())?;
    let gid = if group.is_empty() { 0 } else { accounts.gid(group).ok()? };
    let (name, group) = (uid.to_string(), gid.to_string());
    Some(Login { name, full_name: "container user".into(), group, uid, gid, home: home.to_owned() })
}

/// A template with its variables replaced, as one line.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let filled =
        values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value));
    filled.lines().next().unwrap_or_default().to_owned() + "\n"
}

/// What a line of such a file can hold between two colons.
fn is_field(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == ':' || c.is_control())
}

/// Adds a line to a file of which `text` is known; to one that has text alone.
fn append(root: BorrowedFd<'_>, path: &str, text: &mut String, line: &str) -> sys::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let Some(mut file) = open(root, path, OFlags::WRONLY | OFlags::APPEND)? else { return Ok(()) };
    let line = if text.ends_with('\n') { line.to_owned() } else { format!("\n{line}") };
    text.push_str(&line);
    file.write_all(line.as_bytes()).call_with(|| format!("write({path} in the container)"))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_stranger_is_introduced_once_and_by_a_free_name() {
        let root = std::env::temp_dir().join(format!("coracle-introduce-{}", std::process::id()));
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nann:x:5:5::/:").unwrap();
        let dir = std::fs::File::open(&root).unwrap();
        let login = |name: &str, uid| Login {
            name: name.into(),
            full_name: "Full".into(),
            group: "g".into(),
            uid,
            gid: 7,
            home: "/h:me".into(),
        };
        for login in [login("bob", 1000), login("bob", 1000), login("ann", 1001)] {
            let introductions = Introductions { logins: vec![login], user: true, ..Introductions::default() };
            let mut accounts = Accounts::read(dir.as_fd()).unwrap();
            introductions.carry_out(&mut accounts, dir.as_fd(), "2000:7", "/w").unwrap();
        }
        let text = std::fs::read_to_string(root.join("etc/passwd")).unwrap();
        assert!(text.ends_with("\nann:x:5:5::/:\nbob:*:1000:7:Full:/:/bin/sh\n2000:*:2000:7:container user:/w:/bin/sh\n1001:*:1001:7:Full:/:/bin/sh\n"), "{text}");
        assert!(!root.join("etc/group").exists());
        std::fs::remove_dir_all(root).unwrap();
    }
}
