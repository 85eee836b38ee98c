//! Certificates that one registry needs (containers-certs.d(5)): authorities that sign for it, and who we are to it.
//!
//! ```text
//! $XDG_CONFIG_HOME/containers/certs.d/HOST:PORT/   the first of these folders that exists, or the one that `--cert-dir` names
//! /etc/containers/certs.d/HOST:PORT/
//! /etc/docker/certs.d/HOST:PORT/
//!     *.crt            authorities, besides those of the machine
//!     *.cert  *.key    a client's certificate and its key; of several, the first by name
//! ```

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use reqwest::{Certificate, Identity};

use super::{Error, Result};

/// Of a file, in bytes, and files in a folder.
const LIMIT: u64 = 1 << 20;
const FILES: usize = 100;

#[derive(Default)]
pub(super) struct Certificates {
    pub authorities: Vec<Certificate>,
    pub identity: Option<Identity>,
}

impl Certificates {
    /// Those for `registry` (`host[:port]`). `named`: the only folder that counts, which must be there.
    pub fn of(registry: &str, named: Option<&Path>) -> Result<Self> {
        if let Some(folder) = named {
            return Self::in_folder(folder)?.ok_or_else(|| wrong(folder, "it does not exist"));
        }
        for folder in usual(registry) {
            if let Some(found) = Self::in_folder(&folder)? {
                return Ok(found);
            }
        }
        Ok(Self::default())
    }

    /// `None`: there is no such folder, or it is not for us to read.
    fn in_folder(folder: &Path) -> Result<Option<Self>> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => return Ok(None),
            Err(error) => return Err(wrong(folder, &error.to_string())),
        };
        let mut paths = BTreeSet::new();
        for entry in entries.take(FILES) {
            paths.insert(entry.map_err(|error| wrong(folder, &error.to_string()))?.path());
        }
        let mut found = Self::default();
        for path in &paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => {
                    let authorities = Certificate::from_pem_bundle(&read(path)?).unwrap_or_default();
                    if authorities.is_empty() {
                        return Err(wrong(path, "it holds no certificate in PEM"));
                    }
                    found.authorities.extend(authorities);
                }
                Some("cert") if found.identity.is_none() => {
                    let key = path.with_extension("key");
                    let mut pem = read(path)?;
                    pem.push(b'\n');
                    pem.extend(read(&key)?);
                    let identity = Identity::from_pem(&pem);
                    found.identity =
                        Some(identity.map_err(|_| wrong(path, "with its `.key` it makes no identity in PEM"))?);
                }
                Some("key") if !paths.contains(&path.with_extension("cert")) => {
                    return Err(wrong(path, "there is no `.cert` for this key"));
                }
                _ => {}
            }
        }
        Ok(Some(found))
    }
}

fn usual(registry: &str) -> Vec<PathBuf> {
    let user = directories::BaseDirs::new().map(|base| base.config_dir().join("containers/certs.d"));
    let system = ["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from);
    user.into_iter().chain(system).map(|folder| folder.join(registry)).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(|error| wrong(path, &error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(wrong(path, &format!("it is larger than {LIMIT} bytes")));
    }
    Ok(bytes)
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::Certificates { path: path.to_owned(), reason: reason.to_owned() }
}
