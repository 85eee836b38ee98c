//! Where this account's files are (XDG Base Directory Specification, by the crate `directories`).
//!
//! Two roots: data (images, layers, containers, volumes) and configuration. Nothing essential lies in `$XDG_RUNTIME_DIR`: it may
//! be unset (`su`, cron, CI) and is deleted at logout, so this module does not even look at it.

use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The roots of the program's files. Absolute paths that need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// `$XDG_DATA_HOME/coracle`, or what `--root` says.
    pub data: PathBuf,
    /// `$XDG_CONFIG_HOME/coracle`. `None`: the account has no home (possible with `--root` alone), so built-in defaults apply.
    pub config: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this account has no home directory: `HOME` is unset and the user database names none")]
    NoHome,
    #[error("`--root {}` can't be made absolute: {source}", path.display())]
    Root { path: PathBuf, source: io::Error },
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("set `HOME`, or name a directory of your own with `--root DIRECTORY`".into()),
            Self::Root { .. } => Some("name an absolute path".into()),
        }
    }
}

impl Dirs {
    /// The roots of this account. `root` is the value of the global option `--root`; a relative one counts from the current
    /// directory.
    pub fn of_account(root: Option<&Path>) -> Result<Self, Error> {
        Self::from_parts(root, ProjectDirs::from("", "", "coracle"))
    }

    fn from_parts(root: Option<&Path>, account: Option<ProjectDirs>) -> Result<Self, Error> {
        let config = account.as_ref().map(|dirs| dirs.config_dir().to_owned());
        let data = match (root, account) {
            (Some(root), _) => {
                std::path::absolute(root).map_err(|source| Error::Root { path: root.to_owned(), source })?
            }
            (None, Some(dirs)) => dirs.data_dir().to_owned(),
            (None, None) => return Err(Error::NoHome),
        };
        Ok(Self { data, config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_home_needs_a_root() {
        let error = Dirs::from_parts(None, None).unwrap_err();
        assert!(matches!(error, Error::NoHome));
        assert!(error.hint().is_some_and(|hint| hint.contains("--root")));
        let dirs = Dirs::from_parts(Some(Path::new("/srv/c")), None).unwrap();
        assert_eq!(dirs, Dirs { data: "/srv/c".into(), config: None });
    }

    #[test]
    fn a_relative_root_counts_from_here() {
        let dirs = Dirs::from_parts(Some(Path::new("x")), None).unwrap();
        assert_eq!(dirs.data, std::env::current_dir().unwrap().join("x"));
    }
}
