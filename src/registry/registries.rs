//! registries.conf as this account has it: the file, its drop-ins, and the short names that were answered for before.
//!
//! ```text
//!   $CONTAINERS_REGISTRIES_CONF, else $XDG_CONFIG_HOME/containers/registries.conf, else /etc/containers/registries.conf
//!   /etc/containers/registries.conf.d/*.conf                  unless the account has a file of its own
//!   $XDG_CONFIG_HOME/containers/registries.conf.d/*.conf
//!   $XDG_CACHE_HOME/containers/short-name-aliases.conf        aliases alone; `pull` writes them once it has asked
//! ```

use std::path::{Path, PathBuf};

use super::{Error, Result};
use crate::host::{atomic_file, change, config};
use crate::oci::Reference;
use crate::oci::registries::{Registries, recorded};

const FILE: &str = "registries.conf";

/// What all files say, the later the stronger.
pub fn of_account() -> Result<Registries> {
    let folders = config::folders();
    let named = config::named_by("CONTAINERS_REGISTRIES_CONF");
    read(named.as_deref(), &folders, recorded_in().as_deref())
}

/// `folders`: the account's, then the machine's.
fn read(named: Option<&Path>, folders: &[PathBuf], recorded: Option<&Path>) -> Result<Registries> {
    let mut registries = Registries::default();
    // How many of the folders count.
    let mut counting = folders.len();
    match named {
        Some(path) => {
            let text = text(path)?.ok_or_else(|| unreadable(path, "it does not exist"))?;
            registries.read(path, &text)?;
        }
        None => {
            for (number, path) in folders.iter().map(|folder| folder.join(FILE)).enumerate() {
                if let Some(text) = text(&path)? {
                    registries.read(&path, &text)?;
                    counting = if number == 0 && folders.len() > 1 { 1 } else { counting };
                    break;
                }
            }
        }
    }
    for folder in folders.iter().take(counting).rev().map(|folder| folder.join(format!("{FILE}.d"))) {
        for path in config::parts(&folder, "conf").map_err(|error| unreadable(&folder, error))? {
            if let Some(text) = text(&path)? {
                registries.read(&path, &text)?;
            }
        }
    }
    if let Some(path) = recorded
        && let Some(text) = text(path)?
    {
        registries.read_recorded(path, &text)?;
    }
    Ok(registries)
}

/// Remembers what the user has chosen a short name to mean.
pub fn record_alias(short: &str, name: &Reference) -> Result<()> {
    let Some(path) = recorded_in() else { return Ok(()) };
    let before = text(&path)?.unwrap_or_default();
    let now = recorded(&path, &before, short, name)?;
    let written = path.parent().map_or(Ok(()), change::create_dirs);
    written.and_then(|()| atomic_file::write(&path, now.as_bytes(), false)).map_err(|error| unreadable(&path, error))
}

/// `None`: the account has no home.
fn recorded_in() -> Option<PathBuf> {
    Some(directories::BaseDirs::new()?.cache_dir().join("containers/short-name-aliases.conf"))
}

fn text(path: &Path) -> Result<Option<String>> {
    config::text(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, cause: impl ToString) -> Error {
    Error::Configuration { path: path.to_owned(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_files_count() {
        let top = std::env::temp_dir().join(format!("coracle-registries-{}", std::process::id()));
        let folders = [top.join("home"), top.join("etc")];
        let place = |path: &str, search: &str| {
            let path = top.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("unqualified-search-registries = ['{search}']")).unwrap();
        };
        let read = |named: Option<&str>| read(named.map(|name| top.join(name)).as_deref(), &folders, None);
        let searched = |named: Option<&str>| read(named).unwrap().searched().to_vec();
        assert_eq!(read(None).unwrap(), Registries::default());
        place("etc/registries.conf", "etc");
        assert_eq!(searched(None), ["etc"]);
        place("etc/registries.conf.d/2.conf", "etc-2");
        place("etc/registries.conf.d/1.conf", "etc-1");
        place("etc/registries.conf.d/3.off", "etc-3");
        assert_eq!(searched(None), ["etc-2"]);
        place("named.conf", "named");
        assert_eq!(searched(Some("named.conf")), ["etc-2"], "its drop-ins count");
        place("home/registries.conf", "home");
        assert_eq!(searched(None), ["home"], "and the machine's not at all");
        place("home/registries.conf.d/1.conf", "home-1");
        assert_eq!(searched(None), ["home-1"]);
        assert_eq!(searched(Some("named.conf")), ["home-1"]);
        let absent = read(Some("absent.conf")).unwrap_err().to_string();
        assert!(absent.contains("absent.conf` can't be used: it does not exist"), "{absent}");
        std::fs::remove_dir_all(top).unwrap();
    }
}
