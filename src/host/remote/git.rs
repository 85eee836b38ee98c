//! Repositories of others, by the user's own `git`: with the user's keys, proxies and stored credentials, and nothing that a
//! repository brings along is run.
//!
//! * Hooks: the new repository is made from no template, and `core.hooksPath` leads nowhere. A repository's configuration does not
//!   travel.
//! * Only the network's protocols are spoken, by submodules, too: no local path, no `ext::`.
//! * Nobody is asked for a password: there may be nobody.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::host::fault;
use crate::sys::{self, Call};

/// Said to every command.
const CONFIGURATION: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "core.symlinks=true",
    "advice.detachedHead=false",
    "init.defaultBranch=main",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
];
const PROTOCOLS: &str = "http:https:git:ssh";
/// Variables of git's that say how it reaches others; all the rest, as inside of a hook, are about another repository.
const KEPT: [&str; 4] = ["GIT_SSH", "GIT_SSL_", "GIT_PROXY_", "GIT_CONFIG_GLOBAL"];
/// Characters of what it says.
const WORDS: usize = 300;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the program `git` is not there")]
    NoGit,
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("{0}")]
    Failed(String),
    #[error("`{0}` is neither a branch nor a tag of it")]
    NoReference(String),
    #[error("`{0}` is no name of a branch, a tag or a commit")]
    Reference(String),
}

impl Error {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoGit => Some("install git, as with `apt install git`, or fetch what you need beforehand".into()),
            Self::Failed(words) if words.contains("could not read Username") => {
                Some("store the credentials with `git config credential.helper`, or use an address of ssh".into())
            }
            _ => None,
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// A whole name of a commit.
pub fn is_commit(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The commit that a branch or tag means there; without one, the default branch. What is none may be the start of a commit's
/// name: [`Error::NoReference`].
pub fn resolve(url: &str, reference: Option<&str>) -> Result<String> {
    let name = checked(reference.unwrap_or("HEAD"))?;
    let output = git(None, &["ls-remote", "--", url])?;
    let listed: Vec<(&str, &str)> = output.lines().filter_map(|line| line.split_once('\t')).collect();
    let wanted = |prefix: &str, suffix: &str| {
        let full = format!("{prefix}{name}{suffix}");
        listed.iter().find(|(_, known)| *known == full).map(|(commit, _)| (*commit).to_owned())
    };
    // Of a tag with a text of its own, the commit that it stands for.
    let found = [("refs/heads/", ""), ("refs/tags/", "^{}"), ("refs/tags/", ""), ("", "^{}"), ("", "")];
    let found = found.iter().find_map(|(prefix, suffix)| wanted(prefix, suffix)).filter(|commit| is_commit(commit));
    found.ok_or_else(|| Error::NoReference(name.to_owned()))
}

/// Puts the files of a commit, and of its submodules, into an empty directory, with no more history than it takes. `reference`:
/// where it is to be found, for servers that give only what has a name; gives the commit's whole name. What logs in there is not
/// written down.
pub fn check_out(url: &str, reference: Option<&str>, commit: &str, directory: &Path) -> Result<String> {
    let commit = checked(commit)?;
    let reference = checked(reference.unwrap_or("HEAD"))?;
    git(Some(directory), &["init", "--quiet", "--template="])?;
    git(Some(directory), &["remote", "add", "origin", url])?;
    let fetch = |depth: &str, what: &str| {
        let said = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", depth, "origin", what];
        git(Some(directory), &said)
    };
    let whole = is_commit(commit);
    let mut found = whole && fetch("--depth=1", commit).is_ok();
    if !found && whole && reference != commit {
        fetch("--depth=1", reference)?;
        found = git(Some(directory), &["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok();
    }
    if !found {
        // It may be anywhere below a branch or a tag.
        let all =
            ["fetch", "--quiet", "--no-recurse-submodules", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"];
        git(Some(directory), &all)?;
    }
    git(Some(directory), &["checkout", "--quiet", "--detach", commit])?;
    if directory.join(".gitmodules").exists() {
        git(Some(directory), &["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"])?;
    }
    git(Some(directory), &["remote", "set-url", "origin", &without_login(url)])?;
    Ok(git(Some(directory), &["rev-parse", "HEAD"])?.trim().to_owned())
}

/// When the commit was made that is checked out in a directory, in seconds since 1970.
pub fn time_of_commit(directory: &Path) -> Result<i64> {
    let said = git(Some(directory), &["show", "--no-patch", "--no-show-signature", "--format=%ct", "HEAD"])?;
    // One before 1970 has no number that git would take.
    Ok(said.trim().parse().unwrap_or(0))
}

/// The address without a user's name and password, but for ssh's, which has no password in it.
pub fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "ssh") else {
        return url.to_owned();
    };
    let host = rest.find('/').unwrap_or(rest.len());
    match rest[..host].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// What git would take for a flag, or for more than a name, is none.
fn checked(name: &str) -> Result<&str> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"~^:?*[\\".contains(c);
    let good = !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) && !name.contains("..");
    if good { Ok(name) } else { Err(Error::Reference(name.chars().take(80).collect())) }
}

fn git(directory: Option<&Path>, words: &[&str]) -> Result<String> {
    fault::point("git: start").call("execve(git)")?;
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if is_foreign(&name) {
            command.env_remove(name);
        }
    }
    command.env("GIT_ALLOW_PROTOCOL", PROTOCOLS).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C.UTF-8");
    if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    if let Some(directory) = directory {
        command.arg("-C").arg(directory);
    }
    command.args(CONFIGURATION.iter().flat_map(|pair| ["-c", pair])).args(words).stdin(Stdio::null());
    let Output { status, stdout, stderr } = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Error::NoGit),
        output => output.call("execve(git)")?,
    };
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    Err(Error::Failed(last_words(&String::from_utf8_lossy(&stderr))))
}

fn is_foreign(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("GIT_") && !KEPT.iter().any(|kept| name.starts_with(kept))
}

/// Why it failed: the line that says so, without what could steer a terminal.
fn last_words(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().find_map(|line| line.strip_prefix("fatal: ")).or_else(|| lines().next_back());
    let plain = line.unwrap_or("git failed").chars().take(WORDS).map(|c| if c.is_control() { ' ' } else { c });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_flags() {
        for good in ["main", "v1.0", "feature/x", "refs/pull/1/head", "0123456789abcdef0123456789abcdef01234567"] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "--upload-pack=x", "a b", "a..b", "a:b", "a^", "a\n", "*"] {
            assert!(checked(bad).is_err(), "{bad}");
        }
        assert!(is_commit(&"a".repeat(40)) && !is_commit(&"a".repeat(39)) && !is_commit(&"g".repeat(40)));
    }

    #[test]
    fn nobodys_password_is_kept() {
        assert_eq!(without_login("https://me:secret@example.org/a@b"), "https://example.org/a@b");
        assert_eq!(without_login("https://example.org/a@b"), "https://example.org/a@b");
        for same in ["git@example.org:a.git", "ssh://git@example.org/a", "git://h/x"] {
            assert_eq!(without_login(same), same);
        }
    }

    #[test]
    fn why_it_failed_is_one_line() {
        assert_eq!(last_words("hint: x\nfatal: repository \u{1b}[2J not found\nmore"), "repository  [2J not found");
        assert_eq!(last_words("one\ntwo\n"), "two");
        assert_eq!(last_words(""), "git failed");
        assert!(is_foreign(&"GIT_DIR".into()) && !is_foreign(&"GIT_SSH_COMMAND".into()) && !is_foreign(&"PATH".into()));
    }
}
