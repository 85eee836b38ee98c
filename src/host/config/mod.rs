//! What the programs of the field share on this machine: files of configuration and of credentials. One that is not there says
//! nothing, and each has a limit.

pub mod keychain;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::message;

/// A longer file is none of configuration, in bytes.
pub const LIMIT: u64 = 1 << 20;

/// The bytes of a file; `None`: there is none.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = there(File::open(path))? else { return Ok(None) };
    message::debug(|| format!("reading {}", path.display()));
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LIMIT {
        true => Err(io::Error::other(format!("it is longer than {LIMIT} bytes"))),
        false => Ok(Some(bytes)),
    }
}

/// The text of a file; `None`: there is none.
pub fn text(path: &Path) -> io::Result<Option<String>> {
    let text = |bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"));
    read(path)?.map(text).transpose()
}

/// The files of a folder with this extension, in their order; there may be no folder.
pub fn parts(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let Some(entries) = there(std::fs::read_dir(folder))? else { return Ok(Vec::new()) };
    let mut parts = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    parts.retain(|path| path.extension().is_some_and(|found| found == extension));
    parts.sort();
    Ok(parts)
}

fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        other => other.map(Some),
    }
}

/// The value of a variable that names a file; an empty one says nothing.
pub fn named_by(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The folders of this account and of the machine in which the field's programs have theirs; the account's first, if it has a home.
pub fn folders() -> Vec<PathBuf> {
    let home = directories::BaseDirs::new().map(|base| base.config_dir().join("containers"));
    home.into_iter().chain([PathBuf::from("/etc/containers")]).collect()
}
