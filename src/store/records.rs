//! Records: JSON files with a `"version"`.
//!
//! An older version is read (its type fills what it lacks by `#[serde(default)]`, or [`Record::upgrade`] rewrites it), a newer
//! one is refused with a hint, since writing it back would lose what we don't know. Replaced by rename: a reader sees the old
//! record or the new one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Error, Result};
use crate::host::atomic_file::{self, Staged};
use crate::sys::{self, Call};

/// One kind of record. The type holds every field but `version`.
pub trait Record: Serialize + DeserializeOwned {
    /// As errors call it: `container state`.
    const KIND: &'static str;
    /// What this program writes. It grows when an older program would misread the file.
    const VERSION: u32;
    /// The longest file that is read, in bytes.
    const LIMIT: usize = 4 << 20;

    /// Turns the JSON of an older `version` into that of [`Self::VERSION`].
    fn upgrade(version: u32, value: serde_json::Value) -> serde_json::Value {
        let _ = version;
        value
    }
}

#[derive(Deserialize)]
struct OnlyVersion {
    version: u32,
}

#[derive(Serialize)]
struct Versioned<'a, R> {
    version: u32,
    #[serde(flatten)]
    record: &'a R,
}

/// The record at `path`; `None`: there is no such file.
pub fn read<R: Record>(path: &Path) -> Result<Option<R>> {
    let Some(bytes) = read_limited(path, R::KIND, R::LIMIT)? else { return Ok(None) };
    parse(path, &bytes).map(Some)
}

/// Replaces the record at `path`. `durable`: it survives a power cut once this has returned (see [`atomic_file::write`]).
pub fn write<R: Record>(path: &Path, record: &R, durable: bool) -> Result<()> {
    Ok(atomic_file::write(path, &bytes(path, record)?, durable)?)
}

/// Replaces the record at `path`, even where the disk has no room for another file: then it is written over, and a reader that comes
/// at that very moment may not be able to read it.
pub fn write_at_any_price<R: Record>(path: &Path, record: &R, durable: bool) -> Result<()> {
    let bytes = bytes(path, record)?;
    match atomic_file::write(path, &bytes, durable) {
        Err(error) if matches!(error.errno(), libc::ENOSPC | libc::EDQUOT) => Ok(atomic_file::write_over(path, bytes)?),
        other => Ok(other?),
    }
}

/// The first half of [`write`]: all that takes time.
pub fn stage<R: Record>(path: &Path, record: &R, durable: bool) -> Result<Staged> {
    Ok(atomic_file::stage(path, &bytes(path, record)?, durable)?)
}

/// Writes a new record in a directory that nobody sees yet (see [`atomic_file::create`]).
pub fn create<R: Record>(path: &Path, record: &R, durable: bool) -> Result<()> {
    Ok(atomic_file::create(path, &bytes(path, record)?, 0o600, durable)?)
}

fn bytes<R: Record>(path: &Path, record: &R) -> Result<Vec<u8>> {
    let unwritable = |source| Error::Record { kind: R::KIND, path: path.to_owned(), source };
    let mut bytes = serde_json::to_vec(&Versioned { version: R::VERSION, record }).map_err(unwritable)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn parse<R: Record>(path: &Path, bytes: &[u8]) -> Result<R> {
    let unreadable = |source| Error::Record { kind: R::KIND, path: path.to_owned(), source };
    // What this program writes begins with the version, and need not be read twice.
    if bytes.starts_with(format!("{{\"version\":{},", R::VERSION).as_bytes()) {
        return serde_json::from_slice(bytes).map_err(unreadable);
    }
    let OnlyVersion { version } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if version > R::VERSION {
        return Err(Error::Newer { kind: R::KIND, path: path.to_owned(), found: version, known: R::VERSION });
    }
    if version == R::VERSION {
        return serde_json::from_slice(bytes).map_err(unreadable);
    }
    let value = serde_json::from_slice(bytes).map_err(unreadable)?;
    serde_json::from_value(R::upgrade(version, value)).map_err(unreadable)
}

/// The bytes of a file of ours, never more than `limit`; `None`: it does not exist.
pub fn read_limited(path: &Path, kind: &'static str, limit: usize) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(sys::Error::new(format!("open({})", path.display()), error).into()),
    };
    let bytes = read_whole(&file, limit).call_with(|| format!("read({})", path.display()))?;
    if bytes.len() > limit {
        return Err(Error::TooLarge { kind, path: path.to_owned(), limit });
    }
    Ok(Some(bytes))
}

/// All bytes of a file, or one more than `limit`. Small files come with one call: a short read is the end.
pub(super) fn read_whole(file: &File, limit: usize) -> std::io::Result<Vec<u8>> {
    const FIRST: usize = 16 << 10;
    let mut bytes = Vec::with_capacity(FIRST);
    if rustix::io::read(file, rustix::buffer::spare_capacity(&mut bytes))? == FIRST {
        file.take((limit + 1).saturating_sub(FIRST) as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Scratch;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Boat {
        name: String,
        #[serde(default)]
        oars: u32,
    }

    impl Record for Boat {
        const KIND: &'static str = "boat";
        const VERSION: u32 = 2;
        const LIMIT: usize = 100;
    }

    #[test]
    fn older_is_read_and_newer_is_refused() {
        let scratch = Scratch::new("records");
        let path = scratch.root.join("boat.json");
        assert_eq!(read::<Boat>(&path).unwrap(), None);
        let boat = Boat { name: "a".into(), oars: 1 };
        write(&path, &boat, true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"version\":2,\"name\":\"a\",\"oars\":1}\n");
        assert_eq!(read::<Boat>(&path).unwrap(), Some(boat));
        std::fs::write(&path, r#"{"version":1,"name":"old"}"#).unwrap();
        assert_eq!(read::<Boat>(&path).unwrap(), Some(Boat { name: "old".into(), oars: 0 }));
        std::fs::write(&path, r#"{"version":3,"name":"new","wheels":4}"#).unwrap();
        let error = read::<Boat>(&path).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 3, known: 2, .. }));
        assert!(error.hint().is_some());
        for bad in ["", "{}", r#"{"version":-1,"name":"x"}"#, r#"{"version":2}"#, "[2]"] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(read::<Boat>(&path), Err(Error::Record { .. })), "{bad}");
        }
        std::fs::write(&path, " ".repeat(101)).unwrap();
        assert!(matches!(read::<Boat>(&path), Err(Error::TooLarge { .. })));
    }
}
