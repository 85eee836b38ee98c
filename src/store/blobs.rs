//! Blobs: files named by the digest of their bytes, as an OCI image layout has them (`blobs/sha256/<hex>`).
//!
//! A blob has its name only when all its bytes were checked and synced (see [`super::commit`]), so a reader trusts the name;
//! [`Store::read_blob`] checks again all the same, since manifests and configurations are small.
//!
//! Digests are those of the crate sha2: 1780 MB a second where the processor has instructions for it (SHA-NI), as ring (1770) and
//! aws-lc-rs (1760), which have nothing else that is needed for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Error, Result, Store, records};
use crate::host::fault;
use crate::oci::Digest;
use crate::sys::{self, Call};

impl Store {
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.layout().blob(digest)
    }

    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_size(digest).is_some()
    }

    /// Its bytes; `None`: there is no such blob.
    pub fn blob_size(&self, digest: &Digest) -> Option<u64> {
        rustix::fs::stat(self.blob_path(digest)).ok().map(|found| found.st_size.cast_unsigned())
    }

    /// The blob, to be read from its start. [`Error::NoBlob`] if it is not there.
    pub fn open_blob(&self, digest: &Digest) -> Result<File> {
        let path = self.blob_path(digest);
        match File::open(&path) {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NoBlob { digest: digest.clone() }),
            Err(error) => Err(sys::Error::new(format!("open({})", path.display()), error).into()),
        }
    }

    /// All bytes of a blob of at most `limit` bytes, checked against its digest.
    pub fn read_blob(&self, digest: &Digest, limit: usize) -> Result<Vec<u8>> {
        let path = self.blob_path(digest);
        let bytes =
            records::read_whole(&self.open_blob(digest)?, limit).call_with(|| format!("read({})", path.display()))?;
        if bytes.len() > limit {
            return Err(Error::TooLarge { kind: "blob", path, limit });
        }
        let found = Digest::of(&bytes);
        if &found != digest {
            return Err(Error::WrongDigest { expected: digest.clone(), found });
        }
        Ok(bytes)
    }

    /// What the digest of a blob is now, whatever its name says: disks lose bits.
    pub fn hash_blob(&self, digest: &Digest) -> Result<Digest> {
        let mut file = self.open_blob(digest)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = file.read(&mut buffer).call_with(|| format!("read({})", self.blob_path(digest).display()))?;
            match buffer.get(..count).filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => hash.update(bytes),
                None => return Ok(Digest::from_sha256(hash.finalize().into())),
            }
        }
    }

    /// The digests of all blobs, in no order. Files with other names are left out.
    pub fn blobs(&self) -> Result<Vec<Digest>> {
        let path = self.layout().blobs();
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&path).call_with(|| format!("opendir({})", path.display()))? {
            let name = entry.call_with(|| format!("readdir({})", path.display()))?.file_name();
            all.extend(name.to_str().and_then(|name| Digest::from_hex(name).ok()));
        }
        Ok(all)
    }

    /// Removes a blob that nothing names any more; `false`: it was gone. Take the exclusive store lock first.
    pub fn remove_blob(&self, digest: &Digest) -> Result<bool> {
        Ok(crate::host::change::remove_file(&self.blob_path(digest))?)
    }
}

/// A blob that is being received: every byte is hashed as it is written. It lies in a directory under `tmp/`.
#[derive(Debug)]
pub struct BlobWriter {
    file: File,
    path: PathBuf,
    hash: Sha256,
    size: u64,
}

impl BlobWriter {
    /// Starts the file `path` anew.
    pub fn create(path: &Path) -> Result<Self> {
        fault::point("blobs: create").call("open")?;
        let file = File::create(path).call_with(|| format!("open({})", path.display()))?;
        Ok(Self { file, path: path.to_owned(), hash: Sha256::new(), size: 0 })
    }

    /// Goes on where an earlier attempt was cut (an absent file counts as empty); what is there is hashed first.
    pub fn resume(path: &Path) -> Result<Self> {
        fault::point("blobs: resume").call("open")?;
        let say = || format!("open({})", path.display());
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path).call_with(say)?;
        let mut writer = Self { file, path: path.to_owned(), hash: Sha256::new(), size: 0 };
        let mut buffer = vec![0; 256 << 10];
        loop {
            let read = writer.file.read(&mut buffer).call_with(|| format!("read({})", path.display()))?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return Ok(writer) };
            writer.hash.update(bytes);
            writer.size += read as u64;
        }
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What was written, whose digest nobody knew before: its path for [`super::Commit::blob`], digest and size. Nothing is
    /// synced yet.
    pub fn seal(self) -> (PathBuf, Digest, u64) {
        (self.path, Digest::from_sha256(self.hash.finalize().into()), self.size)
    }

    /// Checks the digest of all bytes and gives the path for [`super::Commit::blob`]. Nothing is synced yet.
    pub fn finish(self, expected: &Digest) -> Result<PathBuf> {
        let (path, found, _) = self.seal();
        if &found == expected { Ok(path) } else { Err(Error::WrongDigest { expected: expected.clone(), found }) }
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::one_of_many("blobs: write")?;
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
