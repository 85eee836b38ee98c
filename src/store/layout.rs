//! The paths of the store, each in one place. Pure: nothing here touches the disk.

use std::path::{Path, PathBuf};

use crate::host::dirs::Dirs;
use crate::oci::Digest;

/// Paths below one root; and another for what is true of this boot alone, where that is to lie elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
    run: PathBuf,
}

impl Layout {
    pub fn new(dirs: &Dirs) -> Self {
        Self { root: dirs.data.clone(), run: dirs.run.clone() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is true of this boot alone.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// What was found out about the kernel's overlay.
    pub fn probe(&self) -> PathBuf {
        self.run.join("overlay.json")
    }

    /// The OCI image layout.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    pub fn index(&self) -> PathBuf {
        self.root.join("images/index.json")
    }

    pub fn oci_layout(&self) -> PathBuf {
        self.root.join("images/oci-layout")
    }

    pub fn blobs(&self) -> PathBuf {
        self.root.join("images/blobs/sha256")
    }

    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    pub fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// The directory of one container. `id` is 64 hexadecimal digits.
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    pub fn names(&self) -> PathBuf {
        self.root.join("names")
    }

    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// The directory of one volume. `name` is one (see [`super::names::check`]).
    pub fn volume(&self, name: &str) -> PathBuf {
        self.volumes().join(name)
    }

    pub fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// Who is on which network.
    pub fn members(&self) -> PathBuf {
        self.root.join("members")
    }

    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    pub fn partial(&self) -> PathBuf {
        self.root.join("partial")
    }

    pub fn compressed(&self) -> PathBuf {
        self.root.join("compressed.json")
    }

    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Every directory of an empty store below the root, parents first, `tmp` last.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let mut all = vec![self.images(), self.root.join("images/blobs"), self.blobs()];
        all.extend([self.layers(), self.containers(), self.names(), self.volumes(), self.locks(), self.tmp()]);
        all
    }
}
