//! `compressed.json`: what blobs became that a push compressed. The next push asks the registry for that and, if it is there, has
//! nothing to do.
//!
//! A cache: of two pushes that write it at once, one may forget what the other has learnt. Then a blob is compressed once more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::records::{self, Record};
use super::{Result, Store};
use crate::oci::Digest;

/// Blobs of this store, by digest and by how they were compressed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    blobs: BTreeMap<Digest, BTreeMap<String, Compressed>>,
}

/// A blob that is not in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compressed {
    pub digest: Digest,
    pub size: u64,
}

impl Record for Known {
    const KIND: &'static str = "cache of compressed blobs";
    const VERSION: u32 = 1;
}

impl Store {
    /// What a blob becomes that is compressed in this way, if that was done before.
    pub fn compressed(&self, blob: &Digest, how: &str) -> Result<Option<Compressed>> {
        let mut known: Known = records::read(&self.layout().compressed())?.unwrap_or_default();
        Ok(known.blobs.remove(blob).and_then(|mut ways| ways.remove(how)))
    }

    /// Remembers it, and forgets what was made of blobs that are gone.
    pub fn remember_compressed(&self, blob: &Digest, how: &str, made: Compressed) -> Result<()> {
        let path = self.layout().compressed();
        let mut known: Known = records::read(&path)?.unwrap_or_default();
        known.blobs.retain(|blob, _| self.has_blob(blob));
        known.blobs.entry(blob.clone()).or_default().insert(how.to_owned(), made);
        records::write(&path, &known, false)
    }
}
