//! One file of credentials, as `podman login` and `docker login` write it: read for a registry, changed for one, and whatever else
//! it holds kept as it is.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value};

use super::{Credentials, from_keychain, keys};
use crate::host::config::{self, keychain};
use crate::host::{atomic_file, change};
use crate::oci::reference::DEFAULT_REGISTRY;
use crate::registry::{Error, Result};

/// What an `auth` has to be.
const AUTH: &str = "an `auth` in it is not base64 of `user:password`";

#[derive(Debug)]
pub struct AuthFile {
    path: PathBuf,
    content: Map<String, Value>,
}

impl AuthFile {
    /// `None`: there is no such file, or it is empty.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let bytes = config::read(path).map_err(|error| unusable(path, error))?;
        Ok(bytes.map(|bytes| Self::parse(path, &bytes)).transpose()?.flatten())
    }

    /// As long as it lives, nobody else changes the file. What is locked is its directory, so that nothing is left behind; it is
    /// made if it is missing.
    pub(super) fn lock(path: &Path) -> Result<File> {
        let file = behind(path)?;
        let directory = file.parent().unwrap_or(Path::new("/"));
        change::create_dirs(directory).map_err(|error| unusable(path, error))?;
        let locked = File::open(directory).and_then(|open| {
            flock(&open, FlockOperation::LockExclusive)?;
            Ok(open)
        });
        locked.map_err(|error| unusable(path, error))
    }

    /// A file that says nothing yet.
    pub fn empty(path: &Path) -> Self {
        Self { path: path.to_owned(), content: Map::new() }
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Self>> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        // serde's message would quote the file, and so a password: only the place is told.
        let content = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            unusable(path, format!("it is not a JSON file of credentials (line {line}, column {column})"))
        })?;
        Ok(Some(Self { path: path.to_owned(), content }))
    }

    /// What it says for `name` (`host[:port][/path]`); `None`: nothing. What is written for this registry wins over a keychain
    /// for all of them.
    pub fn find(&self, name: &str) -> Result<Option<Credentials>> {
        let keys = keys(name);
        for key in &keys {
            if let Some((keychain, server)) = self.keychain_of_one(key)? {
                return from_keychain(keychain, server);
            }
            for (_, entry) in self.entries(key)? {
                if let Some(credentials) = self.credentials(entry)? {
                    return Ok(Some(credentials));
                }
            }
        }
        let Some(keychain) = self.keychain_of_all()? else { return Ok(None) };
        match keys.iter().find_map(|key| self.entries(key).ok()?.into_iter().next()) {
            Some((key, _)) => from_keychain(keychain, key),
            None => Ok(None),
        }
    }

    /// Writes who we are to `key`, into the keychain that the file names for it if it does. What holds it now, for people.
    pub fn set(&mut self, key: &str, user: &str, password: &str) -> Result<String> {
        let (entry, holder) = match self.keychain_for(key)? {
            Some((keychain, server)) => {
                keychain::store(keychain, server, user, password)?;
                (Value::Object(Map::new()), format!("docker-credential-{keychain}"))
            }
            None => {
                let auth = STANDARD.encode(format!("{user}:{password}"));
                (serde_json::json!({ "auth": auth }), self.path.display().to_string())
            }
        };
        self.entries_mut()?.insert(key.to_owned(), entry);
        self.write()?;
        Ok(holder)
    }

    /// Forgets who we are to `key`. Whether it was known.
    pub fn remove(&mut self, key: &str) -> Result<bool> {
        let erased = match self.keychain_for(key)? {
            Some((keychain, server)) => keychain::erase(keychain, server)?,
            None => false,
        };
        let entries = self.entries_mut()?;
        let before = entries.len();
        entries.retain(|written, _| normal(written) != key);
        let removed = entries.len() < before;
        if removed {
            self.write()?;
        }
        Ok(erased || removed)
    }

    /// What it knows who we are to: `host[:port][/path]`, each once.
    pub fn keys(&self) -> Result<BTreeSet<String>> {
        let written = [self.map("auths")?, self.map("credHelpers")?].into_iter().flatten().flatten();
        Ok(written.map(|(key, _)| normal(key).to_owned()).collect())
    }

    /// Forgets all.
    pub fn clear(&mut self) -> Result<()> {
        for key in self.keys()? {
            self.remove(&key)?;
        }
        Ok(())
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.content).map_err(|error| unusable(&self.path, error))?;
        atomic_file::write(&behind(&self.path)?, &text, true).map_err(|error| unusable(&self.path, error))
    }

    /// The keychain that has the credentials of a key, and what they are called there.
    fn keychain_for<'a>(&'a self, key: &'a str) -> Result<Option<(&'a str, &'a str)>> {
        Ok(match self.keychain_of_one(key)? {
            None => self.keychain_of_all()?.map(|keychain| (keychain, key)),
            found => found,
        })
    }

    fn keychain_of_one(&self, key: &str) -> Result<Option<(&str, &str)>> {
        let named = self.map("credHelpers")?.into_iter().flatten().find(|(written, _)| normal(written) == key);
        match named {
            None => Ok(None),
            Some((server, Value::String(keychain))) => Ok(Some((keychain, server))),
            Some(_) => Err(self.wrong("a value in its `credHelpers` is no text")),
        }
    }

    fn keychain_of_all(&self) -> Result<Option<&str>> {
        match self.content.get("credsStore") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(name)) => Ok(Some(name.as_str()).filter(|name| !name.is_empty())),
            Some(_) => Err(self.wrong("its `credsStore` is no text")),
        }
    }

    fn map(&self, key: &'static str) -> Result<Option<&Map<String, Value>>> {
        match self.content.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(self.wrong(&format!("its `{key}` is no object"))),
        }
    }

    /// What is written for a key, in whatever form Docker wrote that.
    fn entries(&self, key: &str) -> Result<Vec<(&str, &Value)>> {
        let all = self.map("auths")?.into_iter().flatten();
        Ok(all
            .filter(|(written, _)| normal(written) == key)
            .map(|(written, entry)| (written.as_str(), entry))
            .collect())
    }

    fn entries_mut(&mut self) -> Result<&mut Map<String, Value>> {
        let wrong = self.wrong("its `auths` is no object");
        let auths = self.content.entry("auths").or_insert(Value::Null);
        if auths.is_null() {
            *auths = Value::Object(Map::new());
        }
        auths.as_object_mut().ok_or(wrong)
    }

    /// `None`: an empty entry, as Docker writes it where a keychain has the secret.
    fn credentials(&self, entry: &Value) -> Result<Option<Credentials>> {
        let Value::Object(entry) = entry else { return Err(self.wrong("an entry of its `auths` is no object")) };
        let text = |key: &str| match entry.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong("a value in an entry of its `auths` is no text")),
        };
        if let Some(token) = text("identitytoken")? {
            return Ok(Some(Credentials::Identity { token: token.to_owned() }));
        }
        if let Some(auth) = text("auth")? {
            let bytes = STANDARD.decode(auth.trim()).ok();
            let pair = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            // Docker pads with NULs.
            let pair = pair.as_deref().and_then(|pair| pair.trim_end_matches('\0').split_once(':'));
            let (user, password) = pair.ok_or_else(|| self.wrong(AUTH))?;
            return Ok(Some(Credentials::password(user, password)));
        }
        Ok(text("username")?.zip(text("password")?).map(|(user, password)| Credentials::password(user, password)))
    }

    fn wrong(&self, reason: &str) -> Error {
        unusable(&self.path, reason)
    }
}

/// What is behind a symlink is replaced, not the symlink.
fn behind(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, reason: impl ToString) -> Error {
    Error::AuthFile { path: path.to_owned(), reason: reason.to_string() }
}

/// A key as the program writes it: Docker writes some as URLs, `https://index.docker.io/v1/` for its own registry.
fn normal(key: &str) -> &str {
    let bare = match key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")) {
        Some(rest) => {
            let rest = rest.trim_end_matches('/');
            rest.strip_suffix("/v1").or_else(|| rest.strip_suffix("/v2")).unwrap_or(rest)
        }
        None => key,
    };
    if bare == "index.docker.io" { DEFAULT_REGISTRY } else { bare }
}
