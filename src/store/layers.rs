//! Unpacked layers: `layers/<mode>-<diff-id hex>/{fs/,layer.json}`, immutable once they have that name. Beside the files of a
//! recorded one lies the table of their [`super::owners`]; one that was unpacked before there were tables is all root's.
//!
//! A layer is stored by the digest of its uncompressed bytes, so one layer under two images exists once.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::records::{self, Record};
use super::{Result, Store};
use crate::host::change;
use crate::oci::Digest;
use crate::sys::Call;

/// How the owners of a layer's files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Real owners, through the user's subordinate ids.
    #[default]
    Mapped,
    /// All files belong to the user; the owners that the layer names are metadata.
    Recorded,
}

impl Mode {
    pub const ALL: [Self; 2] = [Self::Mapped, Self::Recorded];

    /// As in directory names: `mapped`, `recorded`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Recorded => "recorded",
        }
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or(())
    }
}

/// `layer.json`: what is known about an unpacked layer. Written before the layer becomes visible, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRecord {
    pub diff_id: Digest,
    /// The compressed blob that it was made from. `None`: not from a blob (a commit, a build step).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<Digest>,
    /// Bytes of the uncompressed tar stream.
    pub tar_size: u64,
    /// Bytes of all regular files as the layer names them, holes included, each hard link set once.
    pub size: u64,
    /// Entries of the tar stream.
    pub entries: u64,
}

impl Record for LayerRecord {
    const KIND: &'static str = "layer";
    const VERSION: u32 = 1;
    const LIMIT: usize = 64 << 10;
}

/// Names within a layer's directory.
pub const FS: &str = "fs";
pub const RECORD: &str = "layer.json";

impl Store {
    /// The layer's directory, whether it exists or not.
    pub fn layer_path(&self, mode: Mode, diff_id: &Digest) -> PathBuf {
        self.layout().layers().join(format!("{}-{}", mode.name(), diff_id.hex()))
    }

    /// Its files: what an overlay takes as a lower directory.
    pub fn layer_fs(&self, mode: Mode, diff_id: &Digest) -> PathBuf {
        self.layer_path(mode, diff_id).join(FS)
    }

    pub fn has_layer(&self, mode: Mode, diff_id: &Digest) -> bool {
        rustix::fs::stat(self.layer_path(mode, diff_id)).is_ok()
    }

    /// `None`: there is no such layer.
    pub fn layer_record(&self, mode: Mode, diff_id: &Digest) -> Result<Option<LayerRecord>> {
        records::read(&self.layer_path(mode, diff_id).join(RECORD))
    }

    /// All layers, in no order. Directories with other names are left out.
    pub fn layers(&self) -> Result<Vec<(Mode, Digest)>> {
        let path = self.layout().layers();
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&path).call_with(|| format!("opendir({})", path.display()))? {
            let name = entry.call_with(|| format!("readdir({})", path.display()))?.file_name();
            let parts = name.to_str().and_then(|name| name.split_once('-'));
            let layer = parts.and_then(|(mode, hex)| Some((mode.parse().ok()?, Digest::from_hex(hex).ok()?)));
            all.extend(layer);
        }
        Ok(all)
    }

    /// Takes a layer out of sight, into a directory under `tmp/` whose content is then the caller's to remove, as root of the
    /// user's namespace. `None`: there is no such layer. Take the exclusive store lock first, and look who uses the layer.
    pub fn retire_layer(&self, mode: Mode, diff_id: &Digest) -> Result<Option<super::Tmp>> {
        if !self.has_layer(mode, diff_id) {
            return Ok(None);
        }
        let tmp = self.tmp_dir()?;
        change::rename(&self.layer_path(mode, diff_id), &tmp.path().join("layer"))?;
        Ok(Some(tmp))
    }
}
