//! Secrets: `secrets/<SHA-256 of the name>.json`, each a file that only its user can read (0600), made under `tmp/` and renamed.
//!
//! The bytes stay in the file and in the copies that containers keep; what is printed of a [`Secret`] for debugging lacks them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::records::{self, Record};
use super::{Error, Result, Store};
use crate::host::change;
use crate::oci::Digest;
use crate::sys::Call;

/// A secret is shorter than that.
pub const LIMIT: usize = 512_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// 25 hexadecimal digits; a secret that takes the place of another has one of its own.
    pub id: String,
    pub name: String,
    /// RFC 3339, UTC.
    pub created: String,
    pub updated: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub driver_options: BTreeMap<String, String>,
    pub data: Data,
}

/// The bytes of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Data(pub Vec<u8>);

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(|_| serde::de::Error::custom("not base64"))
    }
}

impl Record for Secret {
    const KIND: &'static str = "secret";
    const VERSION: u32 = 1;
    const LIMIT: usize = 1 << 20;
}

/// What there is.
#[derive(Debug, Default)]
pub struct Secrets {
    /// Oldest first.
    pub found: Vec<Secret>,
    /// Files that can't be read: a newer program's, or damaged. By its name such a secret can be replaced and removed.
    pub broken: Vec<(PathBuf, Error)>,
}

/// As Podman: neither `=`, `/`, `,` nor NUL, and at most 253 bytes.
pub fn is_name(name: &str) -> bool {
    (1..=253).contains(&name.len()) && !name.contains(['=', '/', ',', '\0'])
}

impl Store {
    /// Keeps a secret. `false`: there is one of this name, which only `replace` takes the place of.
    pub fn keep_secret(&self, secret: &Secret, replace: bool) -> Result<bool> {
        let place = self.tmp_dir()?;
        let file = place.path().join("secret.json");
        records::create(&file, secret, true)?;
        let directory = self.layout().secrets();
        change::create_dir(&directory)?;
        let path = self.secret_path(&secret.name);
        if replace {
            change::rename(&file, &path)?;
        } else if !change::rename_new(&file, &path)? {
            return Ok(false);
        }
        change::sync_dir(&directory)?;
        Ok(true)
    }

    /// The secret of this name, or the only one whose id begins so.
    pub fn secret(&self, name_or_id: &str) -> Result<Option<Secret>> {
        if let Some(secret) = records::read(&self.secret_path(name_or_id))? {
            return Ok(Some(secret));
        }
        let begins = |secret: &Secret| !name_or_id.is_empty() && secret.id.starts_with(name_or_id);
        let mut fitting = self.secrets()?.found.into_iter().filter(begins);
        match (fitting.next(), fitting.next()) {
            (Some(_), Some(_)) => Err(Error::AmbiguousSecret(name_or_id.to_owned())),
            (found, _) => Ok(found),
        }
    }

    /// All secrets, as far as they can be read.
    pub fn secrets(&self) -> Result<Secrets> {
        let directory = self.layout().secrets();
        let entries = match std::fs::read_dir(&directory) {
            // No secret was ever kept.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Secrets::default()),
            other => other.call_with(|| format!("opendir({})", directory.display()))?,
        };
        let mut all = Secrets::default();
        for entry in entries {
            let path = entry.call_with(|| format!("readdir({})", directory.display()))?.path();
            match records::read::<Secret>(&path) {
                // Removed meanwhile: none.
                Ok(secret) => all.found.extend(secret),
                Err(error) => all.broken.push((path, error)),
            }
        }
        all.found.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
        Ok(all)
    }

    /// Removes a secret; containers that have it keep their copy. `false`: it was gone.
    pub fn remove_secret(&self, name: &str) -> Result<bool> {
        let removed = change::remove_file(&self.secret_path(name))?;
        change::sync_dir(&self.layout().secrets())?;
        Ok(removed)
    }

    /// A name may have letters that no file name has.
    fn secret_path(&self, name: &str) -> PathBuf {
        self.layout().secrets().join(format!("{}.json", Digest::of(name.as_bytes()).hex()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn secret(name: &str, id: &str) -> Secret {
        let time = "2026-01-01T00:00:00Z".to_owned();
        let (labels, driver_options) = (BTreeMap::new(), BTreeMap::new());
        let data = Data(b"hush".to_vec());
        Secret { id: id.into(), name: name.into(), created: time.clone(), updated: time, labels, driver_options, data }
    }

    #[test]
    fn one_name_is_one_secret() {
        let scratch = Scratch::new("secrets");
        let store = &scratch.store;
        assert!(store.secrets().unwrap().found.is_empty() && store.secret("..").unwrap().is_none());
        assert!(store.keep_secret(&secret("..", "aa1"), false).unwrap());
        assert!(!store.keep_secret(&secret("..", "aa2"), false).unwrap());
        assert!(store.keep_secret(&secret("..", "aa3"), true).unwrap());
        assert!(store.keep_secret(&secret("b", "ab4"), false).unwrap());
        assert_eq!(store.secret("..").unwrap().unwrap().id, "aa3");
        assert_eq!(store.secret("ab").unwrap().unwrap().name, "b");
        assert!(matches!(store.secret("a"), Err(Error::AmbiguousSecret(_))) && store.secret("").unwrap().is_none());
        for entry in std::fs::read_dir(store.layout().secrets()).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        }
        assert!(!format!("{:?}", store.secrets().unwrap()).contains("104"), "the bytes of a secret are printed");
        assert!(store.remove_secret("..").unwrap() && !store.remove_secret("..").unwrap());
        assert_eq!(
            (store.secrets().unwrap().found.len(), std::fs::read_dir(store.layout().tmp()).unwrap().count()),
            (1, 0)
        );
    }
}
