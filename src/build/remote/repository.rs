//! A repository of git, checked out by the user's own `git`.
//!
//! `ADDRESS[#[REFERENCE][:DIRECTORY]]`, where the address is one of git's or ssh's, or one of HTTP whose path ends in `.git`.

use super::{Files, failed};
use crate::build::context::Context;
use crate::build::context::unpacked::Unpacked;
use crate::build::{Error, Result};
use crate::host::change;
use crate::host::remote::git;
use crate::store::Store;

/// What its address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    reference: Option<String>,
    directory: Option<String>,
}

/// One commit of it.
#[derive(Debug)]
pub struct Repository {
    address: Address,
    commit: String,
    keeps_git: bool,
    /// Its files, where it took them to find out which commit is meant.
    made: Option<Unpacked>,
}

/// `None`: it is a file's address.
pub fn parse(text: &str) -> Option<Address> {
    let (url, fragment) = text.split_once('#').map_or((text, ""), |(url, fragment)| (url, fragment));
    let of_http = url.starts_with("http://") || url.starts_with("https://");
    let is_git = ["git://", "ssh://", "git@"].iter().any(|start| url.starts_with(start))
        || of_http && url.split('?').next().is_some_and(|path| path.ends_with(".git"));
    let (reference, directory) = fragment.split_once(':').unwrap_or((fragment, ""));
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (reference, directory) = (some(reference), some(directory.trim_matches('/')));
    is_git.then(|| Address { url: url.to_owned(), reference, directory })
}

impl Repository {
    /// The commit that is meant. `checksum`: how its name must begin.
    pub fn look(store: &Store, address: Address, checksum: Option<&str>, keeps_git: bool) -> Result<Self> {
        let failed = |error: git::Error| failed(&address.url, &error.to_string(), error.hint());
        let reference = address.reference.as_deref();
        let (commit, made) = match reference.filter(|reference| git::is_commit(reference)) {
            Some(commit) => (commit.to_ascii_lowercase(), None),
            None => match git::resolve(&address.url, reference) {
                // The start of a commit's name, which only the whole repository can tell.
                Err(git::Error::NoReference(name)) if is_start_of_commit(&name) => {
                    let made = Unpacked::new(store)?;
                    let commit = git::check_out(&address.url, None, &name, made.path()).map_err(failed)?;
                    (commit, Some(made))
                }
                found => (found.map_err(failed)?, None),
            },
        };
        if let Some(checksum) = checksum
            && !(is_start_of_commit(checksum) && commit.starts_with(&checksum.to_ascii_lowercase()))
        {
            let url = super::shown(&address.url);
            return Err(Error::Refused(format!("`{url}` is at commit {commit}, and {checksum} is expected")));
        }
        Ok(Self { address, commit, keeps_git, made })
    }

    pub fn key(&self) -> Vec<&str> {
        let kept = if self.keeps_git { self.address.url.as_str() } else { "" };
        vec!["git", &self.commit, self.address.directory.as_deref().unwrap_or_default(), kept]
    }

    /// The files at the place that the address says.
    pub fn fetch(self, store: &Store) -> Result<Files> {
        let (context, place) = self.whole(store)?;
        Files::of(context, &place)
    }

    /// The same, a directory, as a build context.
    pub fn context(self, store: &Store) -> Result<Context> {
        let (context, place) = self.whole(store)?;
        if place.is_empty() { Ok(context) } else { context.below(&place) }
    }

    /// All files, and the place that the address says.
    fn whole(self, store: &Store) -> Result<(Context, String)> {
        let Address { url, reference, directory } = self.address;
        let failed = |error: git::Error| failed(&url, &error.to_string(), error.hint());
        let made = match self.made {
            Some(made) => made,
            None => {
                let made = Unpacked::new(store)?;
                git::check_out(&url, reference.as_deref(), &self.commit, made.path()).map_err(failed)?;
                made
            }
        };
        let time = git::time_of_commit(made.path()).map_err(failed)?;
        if !self.keeps_git {
            change::remove_tree(&made.path().join(".git"))?;
        }
        let title = format!("the repository `{}`", super::shown(&url));
        Ok((Context::of_commit(made, &title, time)?, directory.unwrap_or_default()))
    }
}

/// Seven digits tell the commits of a repository apart, as a rule.
fn is_start_of_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_files() {
        let parsed = |text: &str| parse(text).map(|address| (address.url, address.reference, address.directory));
        let of = |url: &str, reference: Option<&str>, directory: Option<&str>| {
            Some((url.to_owned(), reference.map(str::to_owned), directory.map(str::to_owned)))
        };
        assert_eq!(parsed("https://h/x.git"), of("https://h/x.git", None, None));
        assert_eq!(parsed("https://h/x.git#v1:a/b/"), of("https://h/x.git", Some("v1"), Some("a/b")));
        assert_eq!(parsed("git@h:x#:a"), of("git@h:x", None, Some("a")));
        assert_eq!(parsed("git://h/x#main"), of("git://h/x", Some("main"), None));
        assert_eq!(parsed("ssh://git@h/x"), of("ssh://git@h/x", None, None));
        for file in ["https://h/x.tar", "http://h/x.git/raw", "https://h/"] {
            assert_eq!(parse(file), None, "{file}");
        }
    }
}
