//! The files that make a directory, or a tar file, an archive, and in which a reader finds what is in it.

use std::path::Path;

use super::{INDEX, MANIFEST, OCI_LAYOUT, VERSION};
use crate::image::{Error, Result};
use crate::layer::archive::Writer;
use crate::oci::manifest::{Document, MAX_MANIFEST, ManifestError, parse};
use crate::oci::media_type::OCI_INDEX;
use crate::oci::{Descriptor, Digest, Index};
use crate::store::images::REF_NAME;
use crate::store::records;

/// Files that a reader looks for, with their bytes; they are written last.
pub type Last = Vec<(&'static str, Vec<u8>)>;

/// Where a blob lies in an OCI layout.
pub fn path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

pub fn make_directories(out: &mut Writer) -> Result<()> {
    ["blobs", "blobs/sha256"].into_iter().try_for_each(|path| out.make_directory(path)).map_err(Error::Contents)
}

/// The index of a layout that may be there.
pub fn read(directory: &Path) -> Result<Index> {
    let Some(bytes) = records::read_limited(&directory.join(INDEX), "image index", MAX_MANIFEST)? else {
        return Ok(empty());
    };
    match parse(&bytes, None)? {
        Document::Index(index) => Ok(index),
        Document::Manifest(_) => Err(Error::NoArchive.in_archive(&directory.display().to_string())),
    }
}

/// Adds an entry under each of these names, or without one.
pub fn add(index: &mut Index, entry: &Descriptor, names: &[String]) {
    let mut entries: Vec<_> = names.iter().map(|name| with_name(entry, name)).collect();
    if entries.is_empty() {
        entries.push(entry.clone());
    }
    index.manifests.retain(|old| !entries.iter().any(|new| replaces(new, old)));
    index.manifests.extend(entries);
}

pub fn last(index: &Index) -> Result<Last> {
    let index = serde_json::to_vec(index).map_err(ManifestError::from)?;
    Ok(vec![(OCI_LAYOUT, b"{\"imageLayoutVersion\":\"1.0.0\"}".to_vec()), (INDEX, index)])
}

pub fn last_of_docker_dir(manifest: Vec<u8>) -> Last {
    vec![(VERSION, b"Directory Transport Version: 1.1\n".to_vec()), (MANIFEST, manifest)]
}

pub fn finish(out: Writer, last: &Last) -> Result<()> {
    let last: Vec<(&str, &[u8])> = last.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    out.finish(&last).map_err(Error::Contents)
}

fn with_name(entry: &Descriptor, name: &str) -> Descriptor {
    Descriptor { annotations: [(REF_NAME.to_owned(), name.to_owned())].into(), ..entry.clone() }
}

/// A name moves to the new entry; without one, an image is there once.
fn replaces(new: &Descriptor, old: &Descriptor) -> bool {
    let name = |entry: &Descriptor| entry.annotations.get(REF_NAME).cloned();
    name(new) == name(old) && (name(new).is_some() || new.digest == old.digest)
}

pub fn empty() -> Index {
    Index { schema_version: 2, media_type: Some(OCI_INDEX.to_owned()), ..Index::default() }
}
