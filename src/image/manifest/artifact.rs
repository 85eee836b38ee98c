//! An artifact of files, for an index: a manifest whose layers are the files as they are (OCI image-spec, manifest.md,
//! "Guidelines for Artifact Usage").

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::platform::Words;
use super::{add, change};
use crate::image::{Error, Result};
use crate::oci::manifest::{MAX_CONFIG, MAX_LAYERS, ManifestError};
use crate::oci::media_type::{OCI_CONFIG, OCI_EMPTY, OCI_MANIFEST};
use crate::oci::{Descriptor, Digest, Manifest};
use crate::store::blobs::BlobWriter;
use crate::store::{Commit, Store};
use crate::sys::Call;

/// What an artifact is where nobody says it; as Podman has it.
const UNKNOWN: &str = "application/vnd.unknown.artifact.v1";
/// What a file is called (image-spec, annotations.md).
const TITLE: &str = "org.opencontainers.image.title";
/// Bytes of a config that is written into the manifest, too, so that nobody has to fetch it.
const INLINE: usize = 1024;

/// What an artifact is to be.
#[derive(Debug, Default)]
pub struct Artifact {
    /// A media type, as all types here.
    pub kind: Option<String>,
    /// The file that is its config; `None`: an empty one.
    pub config: Option<PathBuf>,
    pub config_type: Option<String>,
    /// Of all files; `None`: what they begin with tells it.
    pub layer_type: Option<String>,
    /// The files' names are not kept.
    pub untitled: bool,
    /// What it belongs to.
    pub subject: Option<Descriptor>,
}

impl Artifact {
    /// Makes an artifact of these files, and adds it to the index that `index` names, whose id it gives.
    pub fn add(self, store: &Store, index: &str, files: &[PathBuf], words: &Words) -> Result<Digest> {
        if files.len() > MAX_LAYERS {
            return Err(ManifestError::TooManyLayers(files.len()).into());
        }
        let tmp = store.tmp_dir()?;
        let mut blobs = Vec::new();
        for (number, file) in files.iter().enumerate() {
            blobs.push(self.layer(file, &tmp.path().join(number.to_string()))?);
        }
        let config = self.config_bytes()?;
        let kind = self.kind.unwrap_or_else(|| UNKNOWN.to_owned());
        let named = if self.config.is_some() { OCI_CONFIG } else { OCI_EMPTY };
        let config_type = self.config_type.unwrap_or_else(|| named.to_owned());
        let mut described = Descriptor::new(&config_type, Digest::of(&config), config.len() as u64);
        if config.len() <= INLINE {
            described.extra.insert("data".to_owned(), STANDARD.encode(&config).into());
        }
        let layers = blobs.iter().map(|(layer, _)| layer.clone()).collect();
        let mut manifest = Manifest::new(OCI_MANIFEST, described, layers);
        manifest.artifact_type = Some(kind.clone());
        if let Some(subject) = self.subject {
            manifest.extra.insert("subject".to_owned(), serde_json::to_value(subject).map_err(ManifestError::from)?);
        }
        let manifest = serde_json::to_vec(&manifest).map_err(ManifestError::from)?;
        let mut entry = Descriptor::new(OCI_MANIFEST, Digest::of(&manifest), manifest.len() as u64);
        entry.extra.insert("artifactType".to_owned(), kind.into());
        // Under the lock, as nothing names the blobs yet.
        change(store, index, |open| {
            let mut commit = Commit::new(store);
            blobs.into_iter().for_each(|(layer, path)| commit.blob(path, &layer.digest));
            commit.bytes(&config)?;
            commit.bytes(&manifest)?;
            commit.finish()?;
            add::insert(open, entry, words);
            Ok(open.id().clone())
        })
    }

    fn config_bytes(&self) -> Result<Vec<u8>> {
        let Some(path) = &self.config else { return Ok(b"{}".to_vec()) };
        let mut bytes = Vec::new();
        let read = open(path)?.take(MAX_CONFIG as u64 + 1).read_to_end(&mut bytes);
        read.call_with(|| format!("read({})", path.display()))?;
        match bytes.len() > MAX_CONFIG {
            true => Err(crate::oci::image_config::ConfigError::TooLarge(bytes.len()).into()),
            false => Ok(bytes),
        }
    }

    /// Copies a file to `to`: its descriptor, and where its bytes are.
    fn layer(&self, file: &Path, to: &Path) -> Result<(Descriptor, PathBuf)> {
        let say = || format!("read({})", file.display());
        let mut source = open(file)?;
        let mut start = Vec::new();
        source.by_ref().take(512).read_to_end(&mut start).call_with(say)?;
        let kind = self.layer_type.as_deref().unwrap_or_else(|| told_by(&start));
        let mut blob = BlobWriter::create(to)?;
        io::copy(&mut start.chain(source), &mut blob).call_with(say)?;
        let (path, digest, size) = blob.seal();
        let mut layer = Descriptor::new(kind, digest, size);
        if let Some(name) = file.file_name().filter(|_| !self.untitled) {
            layer.annotations.insert(TITLE.to_owned(), name.to_string_lossy().into_owned());
        }
        Ok((layer, path))
    }
}

fn open(path: &Path) -> Result<File> {
    let file = File::open(path).call_with(|| format!("open({})", path.display()))?;
    match file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        true => Ok(file),
        false => Err(Error::NotAFile { path: path.to_owned() }),
    }
}

/// The media type of a file that begins so: the common ones, else text or bytes.
fn told_by(start: &[u8]) -> &'static str {
    const MARKS: [(&[u8], &str); 11] = [
        (b"\x1f\x8b", "application/gzip"),
        (b"\x28\xb5\x2f\xfd", "application/zstd"),
        (b"BZh", "application/x-bzip2"),
        (b"\xfd7zXZ\0", "application/x-xz"),
        (b"PK\x03\x04", "application/zip"),
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"\x7fELF", "application/x-elf"),
        (b"\0asm", "application/wasm"),
    ];
    if let Some((_, kind)) = MARKS.iter().find(|(mark, _)| start.starts_with(mark)) {
        return kind;
    }
    if start.get(257..262) == Some(b"ustar") {
        return "application/x-tar";
    }
    // A character may go on behind the start.
    let is_text = std::str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true);
    if !is_text || start.iter().any(|byte| *byte < b' ' && !b"\t\n\x0c\r\x1b".contains(byte)) {
        return "application/octet-stream";
    }
    let text = start.trim_ascii_start();
    match text.first() {
        Some(b'{' | b'[') => "application/json",
        Some(b'<') if text.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<html")) => "text/html",
        _ if text.get(..9).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<!doctype")) => "text/html",
        _ if text.starts_with(b"<?xml") => "text/xml",
        _ => "text/plain",
    }
}

#[cfg(test)]
mod tests {
    use super::told_by;

    #[test]
    fn files_are_told_by_their_beginning() {
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar\0");
        for (start, kind) in [
            (&b"hello\n"[..], "text/plain"),
            (b"", "text/plain"),
            ("é".repeat(300).as_bytes().get(..511).unwrap_or_default(), "text/plain"),
            (b"\x01\x02\0bin", "application/octet-stream"),
            (b"\xff\xfe\xfd", "application/octet-stream"),
            (b" {\"a\":1}", "application/json"),
            (b"<HTML><body>", "text/html"),
            (b"<!DOCTYPE html>", "text/html"),
            (b"<?xml version", "text/xml"),
            (b"%PDF-1.4", "application/pdf"),
            (&tar, "application/x-tar"),
        ] {
            assert_eq!(told_by(start), kind, "{start:?}");
        }
    }
}
