//! Digests of files, remembered from build to build.
//!
//! What stat(2) says of a file stands for its content: device, number, size, both times. A change that leaves all of these as
//! they were would have to set the clock back, since nobody can set a change time. A file that was changed in the second before it was read
//! is not remembered: another write in the same tick of the file system's clock would not be seen.

use std::collections::HashMap;
use std::path::PathBuf;

use rustix::fs::Stat;
use rustix::time::{ClockId, clock_gettime};

use super::Result;
use crate::host::atomic_file;
use crate::oci::Digest;

/// The longest file that is read, in bytes: some million files of a context.
const LIMIT: u64 = 256 << 20;

/// Device, number, size, modified, changed: in seconds and nanoseconds.
type Key = [u64; 7];

#[derive(Debug, Default)]
pub struct Hashes {
    path: Option<PathBuf>,
    known: HashMap<Key, [u8; 32]>,
    /// Those of this build: what a context no longer has is forgotten.
    used: HashMap<Key, [u8; 32]>,
    is_new: bool,
}

impl Hashes {
    /// What is remembered in a file; nothing, if it can't be read.
    pub fn load(path: PathBuf) -> Self {
        let fits = std::fs::metadata(&path).is_ok_and(|data| data.len() <= LIMIT);
        let bytes = if fits { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        Self { known: decode(&bytes).unwrap_or_default(), path: Some(path), ..Self::default() }
    }

    pub fn get_or(&mut self, stat: &Stat, make: impl FnOnce() -> Result<Digest>) -> Result<Digest> {
        let key = key(stat);
        let found = self.used.get(&key).or_else(|| self.known.get(&key)).copied();
        if let Some(bytes) = found {
            self.used.insert(key, bytes);
            return Ok(Digest::from_sha256(bytes));
        }
        let digest = make()?;
        let now = clock_gettime(ClockId::Realtime).tv_sec;
        if stat.st_ctime < now - 1
            && let Some(bytes) = raw(&digest)
        {
            self.used.insert(key, bytes);
            self.is_new = true;
        }
        Ok(digest)
    }

    /// Those that were used, for [`Self::take_in`].
    pub fn encode_used(&self) -> Vec<u8> {
        encode(&self.used)
    }

    /// What another process that began with these has used.
    pub fn take_in(&mut self, encoded: &[u8]) {
        for (key, digest) in decode(encoded).unwrap_or_default() {
            self.is_new |= !self.known.contains_key(&key);
            self.used.insert(key, digest);
        }
    }

    /// Remembers those that were used. Who is killed before remembers fewer.
    pub fn save(&self) -> Result<()> {
        match &self.path {
            Some(path) if self.is_new || self.used.len() < self.known.len() / 2 => {
                Ok(atomic_file::write(path, &encode(&self.used), false)?)
            }
            _ => Ok(()),
        }
    }
}

fn key(stat: &Stat) -> Key {
    let number = |number: i64| number.cast_unsigned();
    [
        stat.st_dev,
        stat.st_ino,
        number(stat.st_size),
        number(stat.st_mtime),
        stat.st_mtime_nsec,
        number(stat.st_ctime),
        stat.st_ctime_nsec,
    ]
}

fn raw(digest: &Digest) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digest.hex().get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

const MAGIC: &[u8] = b"coracle hashes 1\n";
const ENTRY: usize = 7 * 8 + 32;

/// Numbers are little-endian; an entry is its key and its digest.
fn encode(all: &HashMap<Key, [u8; 32]>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MAGIC.len() + all.len() * ENTRY);
    bytes.extend_from_slice(MAGIC);
    for (key, digest) in all {
        key.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes.extend_from_slice(digest);
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<HashMap<Key, [u8; 32]>> {
    let entries = bytes.strip_prefix(MAGIC)?.chunks_exact(ENTRY);
    let entry = |entry: &[u8]| {
        let mut key = [0; 7];
        for (number, bytes) in key.iter_mut().zip(entry.chunks_exact(8)) {
            *number = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        Some((key, entry.get(7 * 8..)?.try_into().ok()?))
    };
    entries.map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_remembered_is_read_again() {
        let all = HashMap::from([([1, 2, 3, 4, 5, 6, u64::MAX], [7; 32]), ([0; 7], [1; 32])]);
        assert_eq!(decode(&encode(&all)), Some(all));
        assert_eq!((decode(b""), decode(b"something else")), (None, None));
        let digest = Digest::of(b"x");
        assert_eq!(Digest::from_sha256(raw(&digest).unwrap()), digest);
    }

    #[test]
    fn a_file_is_read_once_unless_it_changes() {
        let path = std::env::temp_dir().join(format!("coracle-hashes.{}", std::process::id()));
        std::fs::write(&path, "x").unwrap();
        let mut stat = rustix::fs::stat(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut hashes = Hashes::default();
        let ask = |hashes: &mut Hashes, stat: &Stat, text: &str| {
            hashes.get_or(stat, || Ok(Digest::of(text.as_bytes()))).unwrap()
        };
        // Just written: read each time.
        assert_ne!(ask(&mut hashes, &stat, "a"), ask(&mut hashes, &stat, "b"));
        stat.st_ctime -= 10;
        assert_eq!(ask(&mut hashes, &stat, "a"), ask(&mut hashes, &stat, "b"));
        let first = ask(&mut hashes, &stat, "a");
        stat.st_mtime_nsec ^= 1;
        assert_ne!(first, ask(&mut hashes, &stat, "c"));
    }
}
