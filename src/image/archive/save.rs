//! From images in the store to an archive.
//!
//! The blobs go out as they are kept, so the digests stay; docker-archive alone has them uncompressed. Each is hashed on its way,
//! so that what has gone bad on the disk is an error and not a bad archive. The same images give the same bytes. No lock is held,
//! since who reads the archive may take any time: an image that is removed meanwhile is an error too.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::path::Path;

use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::layout::{self, Last};
use super::{Format, MANIFEST};
use crate::image::find::{Found, Meant, entry};
use crate::image::make::layer::LEVEL;
use crate::image::{Error, Event, Progress, Result, tag};
use crate::layer::archive::Writer;
use crate::layer::compression::{self, Window};
use crate::oci::manifest::{MAX_CONFIG, MAX_MANIFEST, ManifestError};
use crate::oci::media_type::{self, layer_kind};
use crate::oci::{Compression, Descriptor, Digest, Index, Manifest};
use crate::store::blobs::BlobWriter;
use crate::store::layers::Mode;
use crate::store::{Store, Tmp};
use crate::sys::Call;

/// How to save.
pub struct Save<'a> {
    pub store: &'a Store,
    pub progress: &'a dyn Progress,
    pub format: Format,
    /// Layers that are not compressed become so; of docker-dir alone.
    pub compress: bool,
}

/// An image, and the names that it gets in the archive.
#[derive(Debug)]
pub struct Chosen {
    pub image: Found,
    pub names: Vec<String>,
}

impl Chosen {
    /// The image that `text` names, under that name. [`Error::Unknown`] if there is none.
    pub fn find(store: &Store, text: &str) -> Result<Self> {
        let Meant { entry, name, names } = entry(store, text)?;
        Ok(Self { image: Found::load(store, &entry, names)?, names: name.into_iter().collect() })
    }

    /// One more name, as `tag` would give it.
    pub fn name(&mut self, text: &str) -> Result<()> {
        let name = tag::full_name(text)?;
        if !self.names.contains(&name) {
            self.names.push(name);
        }
        Ok(())
    }
}

impl Save<'_> {
    /// Writes an archive that is a file.
    pub fn to_stream(&self, images: &[Chosen], out: BorrowedFd<'_>) -> Result<()> {
        self.write(images, layout::empty(), Writer::tar(out).map_err(Error::Contents)?)
    }

    /// Writes an archive that is a directory. What is there under other names stays, and so do an OCI layout's other images.
    pub fn to_directory(&self, images: &[Chosen], path: &Path) -> Result<()> {
        let index = if self.format == Format::OciDir { layout::read(path)? } else { layout::empty() };
        self.write(images, index, Writer::directory(path).map_err(Error::Contents)?)
    }

    fn write(&self, images: &[Chosen], index: Index, mut out: Writer) -> Result<()> {
        let last = match self.format {
            Format::DockerArchive => self.docker_archive(images, &mut out)?,
            Format::OciArchive | Format::OciDir => self.oci(images, index, &mut out)?,
            Format::DockerDir => self.docker_dir(images, &mut out)?,
        };
        self.progress.event(Event::Writing);
        layout::finish(out, &last)
    }

    fn docker_archive(&self, images: &[Chosen], out: &mut Writer) -> Result<Last> {
        let mut items = Vec::new();
        for Chosen { image, names } in images {
            let mut layers = Vec::new();
            for (diff_id, blob) in image.layers.iter().zip(&image.manifest.layers) {
                let name = format!("{}.tar", diff_id.hex());
                if !out.has(&name) {
                    self.progress.event(Event::Started { layer: diff_id, size: blob.size });
                    let size = self.plain_size(diff_id, blob)?;
                    let mut plain = Checked::new(self.plain(blob)?, diff_id);
                    out.file(&name, size, &mut plain).map_err(Error::Contents)?;
                    self.progress.event(Event::Done { layer: diff_id });
                }
                layers.push(name);
            }
            // It has no words for anything else.
            image.manifest.check_is_image()?;
            let config = format!("{}.json", image.id.hex());
            self.config(image, &config, out)?;
            items.push(json!({"Config": config, "RepoTags": tagged(names), "Layers": layers}));
        }
        Ok(vec![(MANIFEST, serde_json::to_vec(&items).map_err(ManifestError::from)?)])
    }

    fn oci(&self, images: &[Chosen], mut index: Index, out: &mut Writer) -> Result<Last> {
        layout::make_directories(out)?;
        for Chosen { image, names } in images {
            for blob in &image.manifest.layers {
                self.blob(blob, &layout::path(&blob.digest), out)?;
            }
            self.config(image, &layout::path(&image.manifest.config.digest), out)?;
            let (manifest, media_type) = self.manifest(image, media_type::Format::Oci)?;
            let digest = Digest::of(&manifest);
            let name = layout::path(&digest);
            if !out.has(&name) {
                out.bytes(&name, &manifest).map_err(Error::Contents)?;
            }
            let entry = Descriptor::new(media_type, digest, manifest.len() as u64);
            layout::add(&mut index, &entry, names);
        }
        layout::last(&index)
    }

    fn docker_dir(&self, images: &[Chosen], out: &mut Writer) -> Result<Last> {
        let [Chosen { image, .. }] = images else { return Err(Error::OneImage) };
        let tmp = self.store.tmp_dir()?;
        let (mut manifest, _) = self.manifest(image, media_type::Format::Docker)?;
        let mut compressed = image.manifest.in_format(media_type::Format::Docker);
        let compress = self.compress && image.manifest.check_is_image().is_ok();
        for blob in &mut compressed.layers {
            let is_plain = layer_kind(&blob.media_type).is_some_and(|kind| kind.compression == Compression::None);
            match compress && is_plain {
                true => *blob = self.compressed(blob, &tmp, out)?,
                false => self.blob(blob, blob.digest.hex(), out)?,
            }
        }
        if compress {
            manifest = serde_json::to_vec(&compressed).map_err(ManifestError::from)?;
        }
        self.config(image, image.manifest.config.digest.hex(), out)?;
        Ok(layout::last_of_docker_dir(manifest))
    }

    /// Writes a blob as it is kept.
    fn blob(&self, blob: &Descriptor, name: &str, out: &mut Writer) -> Result<()> {
        if out.has(name) {
            return Ok(());
        }
        self.progress.event(Event::Started { layer: &blob.digest, size: blob.size });
        let mut file = Checked::new(self.store.open_blob(&blob.digest)?, &blob.digest);
        out.file(name, blob.size, &mut file).map_err(Error::Contents)?;
        self.progress.event(Event::Done { layer: &blob.digest });
        Ok(())
    }

    fn compressed(&self, blob: &Descriptor, tmp: &Tmp, out: &mut Writer) -> Result<Descriptor> {
        self.progress.event(Event::Started { layer: &blob.digest, size: blob.size });
        let path = tmp.path().join("blob");
        let mut packed = GzEncoder::new(BlobWriter::create(&path)?, flate2::Compression::new(LEVEL));
        let say = || format!("write({})", path.display());
        let mut plain = Checked::new(self.store.open_blob(&blob.digest)?, &blob.digest);
        io::copy(&mut plain, &mut packed).call_with(say)?;
        let (_, digest, size) = packed.finish().call_with(say)?.seal();
        if !out.has(digest.hex()) {
            let mut file = File::open(&path).call_with(|| format!("open({})", path.display()))?;
            out.file(digest.hex(), size, &mut file).map_err(Error::Contents)?;
        }
        self.progress.event(Event::Done { layer: &blob.digest });
        Ok(Descriptor::new(media_type::Format::Docker.layer(Compression::Gzip), digest, size))
    }

    fn config(&self, image: &Found, name: &str, out: &mut Writer) -> Result<()> {
        let digest = &image.manifest.config.digest;
        self.progress.event(Event::Config { digest });
        match out.has(name) {
            true => Ok(()),
            false => out.bytes(name, &self.store.read_blob(digest, MAX_CONFIG)?).map_err(Error::Contents),
        }
    }

    /// The bytes that were kept, if they are in this format or an artifact's; and their type.
    fn manifest(&self, image: &Found, format: media_type::Format) -> Result<(Vec<u8>, &'static str)> {
        let own = image.manifest.format();
        if own == format || image.manifest.check_is_image().is_err() {
            return Ok((self.store.read_blob(&image.manifest_digest, MAX_MANIFEST)?, own.manifest()));
        }
        let manifest: Manifest = image.manifest.in_format(format);
        Ok((serde_json::to_vec(&manifest).map_err(ManifestError::from)?, format.manifest()))
    }

    fn plain(&self, blob: &Descriptor) -> Result<Box<dyn Read + Send>> {
        let file = self.store.open_blob(&blob.digest)?;
        compression::plain(file, Window::default()).map_err(|error| Error::Contents(error.into()))
    }

    /// Bytes of the uncompressed layer, which a tar header tells before it is read.
    fn plain_size(&self, diff_id: &Digest, blob: &Descriptor) -> Result<u64> {
        let record = |mode| self.store.layer_record(mode, diff_id).ok().flatten();
        match Mode::ALL.into_iter().find_map(record) {
            Some(record) => Ok(record.tar_size),
            None => io::copy(&mut self.plain(blob)?, &mut io::sink()).map_err(|error| Error::Contents(error.into())),
        }
    }
}

/// The names that have tags: no others can be in docker-archive.
fn tagged(names: &[String]) -> Vec<&String> {
    names.iter().filter(|name| !name.contains('@')).collect()
}

/// Reads, and fails at the end unless what was read has the digest.
pub(super) struct Checked<R> {
    inner: R,
    hash: Sha256,
    expected: Digest,
}

impl<R> Checked<R> {
    pub fn new(inner: R, expected: &Digest) -> Self {
        Self { inner, hash: Sha256::new(), expected: expected.clone() }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() {
            let found = Digest::from_sha256(self.hash.clone().finalize().into());
            if found != self.expected {
                let error = format!("the store's copy has the digest `{found}`, not `{}`", self.expected);
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        Ok(read)
    }
}
