//! What ADD takes from other machines, and what a build context may be: a file that a server of HTTP has, or a repository of git.
//!
//! ```text
//!   look    what it is now, as far as the key of the step needs it: a digest, a commit.  No more is fetched than that takes.
//!   fetch   the files, where no step with that key was done before: a build context of their own, in a directory under `tmp/`
//! ```

pub mod download;
mod repository;

use std::fs::File;
use std::path::Path;

use super::context::{Context, Source};
use super::parse::Add;
use super::stage::Stage;
use super::{Error, Result};
pub use crate::host::remote::git::without_login as shown;
use crate::registry::Patience;
use crate::store::Store;

/// A source of ADD that lies elsewhere.
#[derive(Debug)]
pub enum Remote {
    File(download::Download),
    Repository(repository::Repository),
}

/// Files that were fetched, until the value goes.
#[derive(Debug)]
pub struct Files {
    pub context: Context,
    pub sources: Vec<Source>,
}

/// A build context that lies elsewhere.
#[derive(Debug)]
pub enum Arrived {
    /// A repository's files.
    Directory(Context),
    /// What a server of HTTP has, and how it is called.
    File(File, String),
}

impl Files {
    /// What lies at a path in a directory that was made for it.
    fn of(context: Context, path: &str) -> Result<Self> {
        let sources = vec![context.exact(path)?];
        Ok(Self { context, sources })
    }
}

/// Fetches a build context. `keeps_git`: of a repository, also what git has written down.
pub fn context(store: &Store, patience: Patience, text: &str, keeps_git: bool) -> Result<Arrived> {
    match repository::parse(text) {
        Some(address) => {
            let found = repository::Repository::look(store, address, None, keeps_git)?;
            found.context(store).map(Arrived::Directory)
        }
        None => {
            let url = text.split('#').next().unwrap_or(text);
            let file = download::download(store, patience, url)?;
            Ok(Arrived::File(file, format!("`{}`", shown(url))))
        }
    }
}

/// Whether a source of ADD, or a context, is an address.
pub fn is_remote(text: &str) -> bool {
    ["http://", "https://", "git://", "ssh://", "git@"].iter().any(|start| text.starts_with(start))
}

impl Remote {
    /// Finds out what it is now.
    pub fn look(stage: &Stage<'_>, text: &str, add: &Add) -> Result<Self> {
        let checksum = add.checksum.as_ref().map(|word| stage.word(word)).transpose()?;
        match repository::parse(text) {
            Some(address) => {
                let store = stage.build.request.store;
                let found = repository::Repository::look(store, address, checksum.as_deref(), add.keep_git_dir)?;
                Ok(Self::Repository(found))
            }
            None => Ok(Self::File(download::Download::look(stage, text, checksum.as_deref())?)),
        }
    }

    /// What a layer with it depends on.
    pub fn key(&self) -> Vec<&str> {
        match self {
            Self::File(file) => file.key(),
            Self::Repository(repository) => repository.key(),
        }
    }

    /// The files.
    pub fn fetch(self, stage: &Stage<'_>) -> Result<Files> {
        match self {
            Self::File(file) => file.fetch(stage),
            Self::Repository(repository) => repository.fetch(stage.build.request.store),
        }
    }
}

/// The last component of the path of an address.
fn name_of(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (_, rest) = path.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let name = Path::new(path).file_name()?.to_str()?;
    Some(name).filter(|name| !path.ends_with('/') && *name != "..")
}

fn failed(text: &str, cause: &str, hint: Option<String>) -> Error {
    let text = format!("`{}` can't be fetched: {cause}", shown(text));
    match hint {
        Some(hint) => Error::Hinted { text, hint },
        None => Error::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, name) in [
            ("https://example.org/a/b.tar?x=/y#z", Some("b.tar")),
            ("https://example.org/a/", None),
            ("https://example.org", None),
            ("https://example.org/", None),
            ("https://example.org/..", None),
        ] {
            assert_eq!(name_of(url), name, "{url}");
        }
    }
}
