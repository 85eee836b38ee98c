//! Images in archives: what `load` reads and `save` writes, and what `pull` takes by the names of transports.
//!
//! ```text
//! docker-archive   tar        manifest.json [{Config, RepoTags, Layers}]  HEX.json  HEX.tar, uncompressed     (docker save)
//! oci-archive      tar        oci-layout  index.json  blobs/sha256/HEX                                        (image-spec, image-layout.md)
//! oci-dir          directory  the same
//! docker-dir       directory  version  manifest.json  HEX                                                     (skopeo's `dir:`)
//! ```
//!
//! An [`Archive`] is a [`Registry`]: it is pulled from, so all that holds for what comes over a network (digests, sizes, limits,
//! nothing visible before it is whole) holds for archives too. docker-archive has no manifest of an image, so one is made,
//! always the same of the same archive.

mod docker;
mod layout;
pub mod load;
pub mod save;
mod source;
pub mod target;
pub mod transport;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::image::{Error, Result};
use crate::layer::{self, archive::Contents};
use crate::oci::manifest::{Document, MAX_MANIFEST, parse};
use crate::oci::{Digest, Index};
use crate::store::images::{FULL_NAME, REF_NAME};
use crate::store::{Store, Tmp};
use crate::sys::Call;

/// The format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    DockerArchive,
    OciArchive,
    OciDir,
    DockerDir,
}

const OCI_LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";
const MANIFEST: &str = "manifest.json";
const VERSION: &str = "version";

/// An archive that was opened, and the images in it.
#[derive(Debug)]
pub struct Archive {
    format: Format,
    contents: Contents,
    /// As it is called in errors.
    name: String,
    /// Where it is, without symbolic links; `None`: it was read from a pipe.
    path: Option<PathBuf>,
    images: Vec<Offered>,
    /// Manifests that lie under no name of their own.
    manifests: BTreeMap<Digest, Vec<u8>>,
    blobs: Blobs,
    /// What could not be read where it was.
    _tmp: Tmp,
}

/// Where blobs lie.
#[derive(Debug)]
enum Blobs {
    /// `blobs/sha256/HEX`.
    Layout,
    /// `HEX`.
    Flat,
    /// As docker-archive calls them.
    Named(BTreeMap<Digest, String>),
}

/// One image of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// As they stand there.
    pub names: Vec<String>,
    /// Of its manifest, or of an index of manifests.
    pub manifest: Digest,
}

impl Archive {
    /// Opens the file or directory at `path`, whatever its format.
    pub fn open(store: &Store, path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let tmp = store.tmp_dir()?;
        let opened = Contents::open(path, &tmp).map_err(Error::Contents).and_then(Parts::of);
        let archive = Self::new(name, tmp, opened)?;
        let path = path.canonicalize().call_with(|| format!("realpath({})", path.display()))?;
        Ok(Self { path: Some(path), ..archive })
    }

    /// Reads it from a file, from its current place on, or from a pipe.
    pub fn read(store: &Store, file: File, name: &str) -> Result<Self> {
        let tmp = store.tmp_dir()?;
        let opened = Contents::read(file, &tmp).map_err(Error::Contents).and_then(Parts::of);
        Self::new(name.to_owned(), tmp, opened)
    }

    fn new(name: String, tmp: Tmp, opened: Result<Parts>) -> Result<Self> {
        let parts = opened.map_err(|error| match error {
            // It names the path.
            Error::Contents(layer::Error::System(error)) => error.into(),
            error => error.in_archive(&name),
        })?;
        let Parts { format, contents, images, manifests, blobs } = parts;
        Ok(Self { format, contents, name, path: None, images, manifests, blobs, _tmp: tmp })
    }

    pub fn images(&self) -> &[Offered] {
        &self.images
    }
}

/// What is in an archive.
struct Parts {
    format: Format,
    contents: Contents,
    images: Vec<Offered>,
    manifests: BTreeMap<Digest, Vec<u8>>,
    blobs: Blobs,
}

impl Parts {
    fn of(contents: Contents) -> Result<Self> {
        let bytes = |name| contents.bytes(name, MAX_MANIFEST).map_err(Error::Contents);
        // What `docker save` writes today is both, and its OCI layout says more.
        if bytes(OCI_LAYOUT)?.is_some()
            && let Some(index) = bytes(INDEX)?
        {
            let images = of_index(&index)?;
            let format = if contents.is_directory() { Format::OciDir } else { Format::OciArchive };
            return Ok(Self { format, contents, images, manifests: BTreeMap::new(), blobs: Blobs::Layout });
        }
        let Some(manifest) = bytes(MANIFEST)? else { return Err(Error::NoArchive) };
        if bytes(VERSION)?.is_none() {
            let docker = docker::read(&contents, &manifest)?;
            let docker::Docker { images, manifests, blobs } = docker;
            let (format, blobs) = (Format::DockerArchive, Blobs::Named(blobs));
            return Ok(Self { format, contents, images, manifests, blobs });
        }
        let digest = Digest::of(&manifest);
        let images = vec![Offered { names: Vec::new(), manifest: digest.clone() }];
        let manifests = [(digest, manifest)].into();
        Ok(Self { format: Format::DockerDir, contents, images, manifests, blobs: Blobs::Flat })
    }
}

/// The images of an OCI layout, each once.
fn of_index(index: &[u8]) -> Result<Vec<Offered>> {
    let Document::Index(Index { manifests, .. }) = parse(index, None)? else { return Err(Error::NoArchive) };
    let mut images: Vec<Offered> = Vec::new();
    for entry in manifests {
        let name = entry.annotations.get(FULL_NAME).or_else(|| entry.annotations.get(REF_NAME)).cloned();
        match images.iter_mut().find(|image| image.manifest == entry.digest) {
            Some(image) => image.names.extend(name),
            None => images.push(Offered { names: name.into_iter().collect(), manifest: entry.digest }),
        }
    }
    Ok(images)
}
