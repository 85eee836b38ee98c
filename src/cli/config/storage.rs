//! storage.conf (containers-storage.conf(5)), where `CONTAINERS_STORAGE_CONF` names one: on what disk Podman keeps this account's images
//! and containers. Those of this program then lie there, too, in a folder of their own; nothing else of the file is for it.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::file;
use crate::cli::Report;
use crate::host::config;

/// The folder beside Podman's files.
const FOLDER: &str = "coracle";

/// Where everything is kept; `None`: no file is named, or it does not say.
pub fn root() -> Result<Option<PathBuf>, Report> {
    let Some(path) = config::named_by("CONTAINERS_STORAGE_CONF") else { return Ok(None) };
    let absent = || Report::new(format!("the configuration file `{}` does not exist", path.display()));
    let text = file::text(&path)?.ok_or_else(absent)?;
    let found = graph_root(&text).map_err(|what| Report::new(format!("{}: {what}", path.display())))?;
    Ok(found.map(|found| Path::new(&expanded(&found)).join(FOLDER)))
}

fn graph_root(text: &str) -> Result<Option<String>, String> {
    let document = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let Some(DeValue::Table(storage)) = document.get_ref().get("storage").map(|value| value.get_ref()) else {
        return Ok(None);
    };
    match storage.get("graphroot").map(|value| value.get_ref()) {
        None => Ok(None),
        Some(DeValue::String(root)) if root.is_empty() => Ok(None),
        Some(DeValue::String(root)) => Ok(Some(root.to_string())),
        Some(_) => Err("`graphroot` must be a text in quotes".to_owned()),
    }
}

/// With what Podman puts in for a user.
fn expanded(path: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    path.replace("$HOME", &home).replace("$UID", &rustix::process::getuid().as_raw().to_string())
}

#[cfg(test)]
mod tests {
    use super::graph_root;

    #[test]
    fn the_graph_root_is_found_beside_what_is_not_for_us() {
        let text = "[storage]\ndriver = 'vfs'\ngraphroot = '/disk'\n[storage.options]\nsize = 1\n";
        assert_eq!(graph_root(text), Ok(Some("/disk".to_owned())));
        assert_eq!(graph_root("[storage]\ngraphroot = ''\n"), Ok(None));
        assert_eq!(graph_root(""), Ok(None));
        assert!(graph_root("[storage]\ngraphroot = 1\n").is_err() && graph_root("[storage").is_err());
    }
}
