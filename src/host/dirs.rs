//! Where this account's files are (XDG Base Directory Specification, by the crate `directories`).
//!
//! Two roots: data (images, layers, containers, volumes) and configuration. Nothing essential lies in `$XDG_RUNTIME_DIR`: it may
//! be unset (`su`, cron, CI) and is deleted at logout, so this module does not even look at it.
//!
//! A home on a network file system can't hold the data: files of subordinate ids, renames that replace nothing, an overlay's
//! marks are refused there. The data then goes to a directory of the account's on a disk of this machine.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use rustix::fs::FsWord;

use super::change;
use crate::sys;

/// The roots of the program's files. Absolute paths that need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// `$XDG_DATA_HOME/coracle`, or what `--root` says, or a local directory in its stead.
    pub data: PathBuf,
    /// Why the data is not where the account's home would have it.
    pub moved: Option<String>,
    /// For what is true of this boot alone: what `--runroot` says, else with the data.
    pub run: PathBuf,
    /// `$XDG_CONFIG_HOME/coracle`. `None`: the account has no home (possible with `--root` alone), so built-in defaults apply.
    pub config: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this account has no home directory: `HOME` is unset and the user database names none")]
    NoHome,
    #[error("the directory `{}` can't be made absolute: {source}", path.display())]
    Root { path: PathBuf, source: io::Error },
    #[error(transparent)]
    System(#[from] sys::Error),
    #[error("{moved}, and `{}` belongs to somebody else or is open to others", local.display())]
    NotOurs { moved: String, local: PathBuf },
}

/// Where the data of an account goes whose home can't hold it; its uid is added.
const LOCAL: &str = "/var/tmp/coracle-";

/// Network file systems by the number that statfs(2) gives (linux/magic.h).
const NETWORK: [(FsWord, &str); 5] =
    [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB"), (0x0102_1997, "9P"), (0x5346_414F, "AFS")];

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("set `HOME`, or name a directory of your own with `--root DIRECTORY`".into()),
            Self::Root { .. } => Some("name an absolute path".into()),
            Self::System(_) | Self::NotOurs { .. } => {
                Some("name a directory of your own on a local disk with `--root DIRECTORY`".into())
            }
        }
    }
}

impl Dirs {
    /// The roots of this account. `root` is the value of the global option `--root`; a relative one counts from the current
    /// directory.
    pub fn of_account(root: Option<&Path>) -> Result<Self, Error> {
        let dirs = Self::from_parts(root, ProjectDirs::from("", "", "coracle"))?;
        match network(&dirs.data) {
            // Who names a root has looked.
            Some(kind) if root.is_none() => {
                dirs.moved_to(format!("{LOCAL}{}", rustix::process::getuid().as_raw()).into(), kind)
            }
            _ => Ok(dirs),
        }
    }

    /// The data at `data`, and no configuration.
    pub fn at(data: &Path) -> Self {
        Self { data: data.to_owned(), run: data.to_owned(), moved: None, config: None }
    }

    /// The same with the data in `local`, made here and now: nobody else can make it then.
    fn moved_to(self, local: PathBuf, kind: &str) -> Result<Self, Error> {
        let moved = format!("{} is on {kind}, which can't hold layers and locks", self.data.display());
        change::create_dir(&local)?;
        let ours = |found: std::fs::Metadata| {
            found.is_dir() && found.uid() == rustix::process::getuid().as_raw() && found.mode() & 0o077 == 0
        };
        if !std::fs::symlink_metadata(&local).is_ok_and(ours) {
            return Err(Error::NotOurs { moved, local });
        }
        Ok(Self { run: local.clone(), data: local, moved: Some(moved), ..self })
    }

    fn from_parts(root: Option<&Path>, account: Option<ProjectDirs>) -> Result<Self, Error> {
        let config = account.as_ref().map(|dirs| dirs.config_dir().to_owned());
        let data = match (root, account) {
            (Some(root), _) => absolute(root)?,
            (None, Some(dirs)) => dirs.data_dir().to_owned(),
            (None, None) => return Err(Error::NoHome),
        };
        Ok(Self { run: data.clone(), data, moved: None, config })
    }

    /// With what is true of this boot alone in `run`; a relative path counts from the current directory.
    pub fn with_run(self, run: &Path) -> Result<Self, Error> {
        Ok(Self { run: absolute(run)?, ..self })
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::Root { path: path.to_owned(), source })
}

/// The kind of network file system that a path is on, or would be once it is made; `None`: a local one.
pub fn network(path: &Path) -> Option<&'static str> {
    let found = path.ancestors().find_map(|there| rustix::fs::statfs(there).ok())?;
    NETWORK.iter().find(|(number, _)| *number == found.f_type).map(|(_, kind)| *kind)
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
        assert_eq!(dirs, Dirs::at(Path::new("/srv/c")));
    }

    #[test]
    fn a_relative_root_counts_from_here() {
        let dirs = Dirs::from_parts(Some(Path::new("x")), None).unwrap();
        assert_eq!(dirs.data, std::env::current_dir().unwrap().join("x"));
    }

    #[test]
    fn data_that_the_home_cannot_hold_goes_to_a_directory_of_ones_own() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let local = std::env::temp_dir().join(format!("coracle-dirs-{}", std::process::id()));
        let moved = || Dirs::at(Path::new("/net/home/me")).moved_to(local.clone(), "NFS");
        for _ in 0..2 {
            let dirs = moved().unwrap();
            assert_eq!(dirs.data, local);
            assert!(dirs.moved.unwrap().starts_with("/net/home/me is on NFS"));
        }
        // Somebody else may look, or has put something there first.
        std::fs::set_permissions(&local, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(matches!(moved(), Err(Error::NotOurs { .. })));
        std::fs::remove_dir(&local).unwrap();
        symlink("/tmp", &local).unwrap();
        let error = moved().unwrap_err();
        assert!(error.to_string().contains("is on NFS") && error.hint().unwrap().contains("--root"), "{error}");
        std::fs::remove_file(&local).unwrap();
        assert_eq!(network(Path::new("/proc/no/such")), None);
    }
}
