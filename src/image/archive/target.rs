//! An archive as what a list is pushed to, with all that it leads to: an OCI layout, or a directory of docker's.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::save::Checked;
use super::{Format, layout};
use crate::host::atomic_file::Unfinished;
use crate::image::push::Destination;
use crate::image::{Error, Result};
use crate::layer::archive::Writer;
use crate::oci::{Descriptor, Digest, Index, Reference};
use crate::registry::{Mount, Outgoing, Upload};
use crate::sys::Call;

/// An archive that is being written. Nothing of it is seen before [`Target::finish`], or of a directory, nothing that a reader
/// would look for.
pub struct Target {
    format: Format,
    /// The archive, if it is a file.
    file: Option<Unfinished>,
    /// What a layout has already.
    index: Index,
    inner: Mutex<Inner>,
}

struct Inner {
    out: Writer,
    /// What was pushed under no digest: its type and its bytes.
    pushed: Option<(String, Vec<u8>)>,
}

impl Target {
    /// The address of whatever is pushed to an archive: only a digest counts, and no image has a name there.
    pub const ADDRESS: &str = "archive.invalid/list";

    pub fn create(format: Format, path: &Path) -> Result<Self> {
        let (index, file, mut out) = match format {
            Format::DockerArchive => return Err(Error::NoLists),
            Format::OciArchive => {
                let file = Unfinished::create(path)?;
                let out = Writer::tar(file.fd()).map_err(Error::Contents)?;
                (layout::empty(), Some(file), out)
            }
            Format::OciDir => (layout::read(path)?, None, Writer::directory(path).map_err(Error::Contents)?),
            Format::DockerDir => (layout::empty(), None, Writer::directory(path).map_err(Error::Contents)?),
        };
        if format != Format::DockerDir {
            layout::make_directories(&mut out)?;
        }
        Ok(Self { format, file, index, inner: Mutex::new(Inner { out, pushed: None }) })
    }

    /// All is there: it becomes an archive, in which the list has these names.
    pub fn finish(self, names: &[String]) -> Result<()> {
        let Inner { mut out, pushed } = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some((media_type, bytes)) = pushed else { return Err(Error::GivenUp) };
        let last = match self.format {
            Format::DockerDir => layout::last_of_docker_dir(bytes),
            _ => {
                let (mut index, digest) = (self.index, Digest::of(&bytes));
                put(&mut out, &layout::path(&digest), &bytes)?;
                layout::add(&mut index, &Descriptor::new(&media_type, digest, bytes.len() as u64), names);
                layout::last(&index)?
            }
        };
        layout::finish(out, &last)?;
        Ok(self.file.map_or(Ok(()), Unfinished::finish)?)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn blob(&self, digest: &Digest) -> String {
        if self.format == Format::DockerDir { digest.hex().to_owned() } else { layout::path(digest) }
    }

    fn document(&self, digest: &Digest) -> String {
        match self.format {
            Format::DockerDir => format!("{}.manifest.json", digest.hex()),
            _ => layout::path(digest),
        }
    }
}

fn put(out: &mut Writer, name: &str, bytes: &[u8]) -> Result<()> {
    if out.has(name) { Ok(()) } else { out.bytes(name, bytes).map_err(Error::Contents) }
}

impl Destination for Target {
    fn has_blob(&self, _: &Reference, digest: &Digest, _: u64) -> Result<bool> {
        Ok(self.inner().out.has(&self.blob(digest)))
    }

    fn mount(&self, _: &Reference, _: &Digest, _: &str) -> Result<Option<Mount>> {
        Ok(None)
    }

    fn push_blob(
        &self,
        _: &Reference,
        blob: &Outgoing,
        _: Option<Upload>,
        _: &dyn Fn(u64),
        _: &dyn Fn() -> bool,
    ) -> Result<()> {
        let file = File::open(&blob.path).call_with(|| format!("open({})", blob.path.display()))?;
        let mut content = Checked::new(file, &blob.digest);
        self.inner().out.file(&self.blob(&blob.digest), blob.size, &mut content).map_err(Error::Contents)
    }

    fn put_manifest(&self, to: &Reference, media_type: &str, bytes: &[u8]) -> Result<Option<String>> {
        let mut inner = self.inner();
        match to.digest() {
            Some(digest) => put(&mut inner.out, &self.document(digest), bytes)?,
            None => inner.pushed = Some((media_type.to_owned(), bytes.to_vec())),
        }
        Ok(None)
    }
}
