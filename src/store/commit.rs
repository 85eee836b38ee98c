//! Making what was received visible, so that a power cut at any instant leaves all of it or none.
//!
//! ```text
//! files in tmp/  ── one syncfs for all ──▶  rename each into place  ── fsync of the directories ──▶  index.json names them
//! ```
//!
//! The last step is [`Store::tag`], which is durable by itself. A renamed layer or blob that no index names yet is whole and
//! harmless: the next pull uses it, the next prune removes it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::fs::{Mode as FileMode, OFlags};

use super::layers::Mode;
use super::{Result, Store, Tmp};
use crate::host::change;
use crate::oci::Digest;

/// How often [`Store::write_out`] looks.
const WRITE_OUT: Duration = Duration::from_millis(100);

impl Store {
    /// Has the disk write what is made under `tmp/` meanwhile, until `working` is dropped at its other end: it would be idle, and
    /// [`Commit::finish`] waits for all that is left.
    pub fn write_out(&self, working: &Receiver<()>) {
        while working.recv_timeout(WRITE_OUT) == Err(RecvTimeoutError::Timeout) {
            // The commit tells what fails.
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let _ = rustix::fs::open(self.layout().tmp(), flags, FileMode::empty()).map(rustix::fs::syncfs);
        }
    }

    /// Has the disk write all that was made under `tmp/`.
    pub fn sync_made(&self) -> Result<()> {
        Ok(change::sync_fs(&self.layout().tmp())?)
    }
}

/// Things under `tmp/` that are ready to become visible together.
#[derive(Debug)]
pub struct Commit<'a> {
    store: &'a Store,
    blobs: Vec<(PathBuf, PathBuf)>,
    layers: Vec<(PathBuf, PathBuf)>,
    /// For small blobs given as bytes; made when the first comes.
    small: Option<Tmp>,
}

impl<'a> Commit<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self { store, blobs: Vec::new(), layers: Vec::new(), small: None }
    }

    /// Adds a blob whose bytes were checked: `path` is what [`super::blobs::BlobWriter::finish`] gave.
    pub fn blob(&mut self, path: PathBuf, digest: &Digest) {
        self.blobs.push((path, self.store.blob_path(digest)));
    }

    /// Adds a blob of a few kilobytes (a manifest, a configuration) and tells its digest.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<Digest> {
        use std::io::Write;
        let digest = Digest::of(bytes);
        // One that the disk has damaged is replaced.
        if self.store.read_blob(&digest, bytes.len()).is_err() {
            let tmp = match self.small.take() {
                Some(tmp) => tmp,
                None => self.store.tmp_dir()?,
            };
            let path = self.small.insert(tmp).path().join(digest.hex());
            let mut writer = super::blobs::BlobWriter::create(&path)?;
            let written = writer.write_all(bytes);
            crate::sys::Call::call_with(written, || format!("write({})", path.display()))?;
            self.blob(path, &digest);
        }
        Ok(digest)
    }

    /// Adds an unpacked layer: `path` is a directory under `tmp/` that holds `fs/` and `layer.json`.
    pub fn layer(&mut self, path: PathBuf, mode: Mode, diff_id: &Digest) {
        self.layers.push((path, self.store.layer_path(mode, diff_id)));
    }

    /// Syncs all data once, renames, syncs the directories. A layer that exists already (somebody else was faster) is left as it
    /// is; a blob takes the place of one of the same bytes, or of what the disk has made of them.
    pub fn finish(self) -> Result<()> {
        if !(self.blobs.is_empty() && self.layers.is_empty()) {
            self.store.sync_made()?;
        }
        for (from, to) in &self.layers {
            change::rename_new(from, to)?;
        }
        for (from, to) in &self.blobs {
            change::rename(from, to)?;
        }
        // Also what another pull renamed a moment ago and has not synced yet: the index is about to name it.
        change::sync_dir(&self.store.layout().blobs())?;
        change::sync_dir(&self.store.layout().layers())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Error;
    use crate::store::blobs::BlobWriter;
    use crate::store::layers::{FS, LayerRecord, RECORD};
    use crate::store::records;
    use crate::store::testing::Scratch;
    use std::io::Write;

    #[test]
    fn nothing_is_visible_before_the_end_and_nothing_is_left_after() {
        let scratch = Scratch::new("commit");
        let store = &scratch.store;
        let tmp = store.tmp_dir().unwrap();
        let path = tmp.path().join("blob");
        BlobWriter::create(&path).unwrap().write_all(b"one ").unwrap();
        let mut writer = BlobWriter::resume(&path).unwrap();
        assert_eq!(writer.size(), 4);
        writer.write_all(b"two").unwrap();
        let digest = Digest::of(b"one two");
        let path = writer.finish(&digest).unwrap();

        let diff_id = Digest::of(b"layer");
        let layer = tmp.path().join("layer");
        change::create_dirs(&layer.join(FS)).unwrap();
        let record = LayerRecord { diff_id: diff_id.clone(), blob: None, tar_size: 1, size: 2, entries: 3 };
        records::write(&layer.join(RECORD), &record, false).unwrap();

        let mut commit = Commit::new(store);
        commit.blob(path, &digest);
        let small = commit.bytes(b"manifest").unwrap();
        commit.layer(layer.clone(), Mode::Mapped, &diff_id);
        assert!(!store.has_blob(&digest) && !store.has_blob(&small) && !store.has_layer(Mode::Mapped, &diff_id));
        commit.finish().unwrap();
        assert_eq!(store.read_blob(&digest, 100).unwrap(), b"one two");
        assert_eq!(store.read_blob(&small, 100).unwrap(), b"manifest");
        assert_eq!(store.blobs().unwrap().len(), 2);
        assert_eq!(store.layers().unwrap(), [(Mode::Mapped, diff_id.clone())]);
        assert_eq!(store.layer_record(Mode::Mapped, &diff_id).unwrap(), Some(record));

        // The same layer again: the first stays.
        change::create_dirs(&layer.join("other")).unwrap();
        let mut again = Commit::new(store);
        again.layer(layer, Mode::Mapped, &diff_id);
        again.finish().unwrap();
        assert!(store.layer_fs(Mode::Mapped, &diff_id).exists());
        drop(store.retire_layer(Mode::Mapped, &diff_id).unwrap().unwrap());
        drop(tmp);
        assert!(!store.has_layer(Mode::Mapped, &diff_id));
        assert_eq!(std::fs::read_dir(store.layout().tmp()).unwrap().count(), 0);
    }

    #[test]
    fn a_blob_is_what_its_digest_says() {
        let scratch = Scratch::new("blobs");
        let store = &scratch.store;
        let tmp = store.tmp_dir().unwrap();
        let digest = Digest::of(b"right");
        let mut writer = BlobWriter::create(&tmp.path().join("b")).unwrap();
        writer.write_all(b"wrong").unwrap();
        assert!(matches!(writer.finish(&digest), Err(Error::WrongDigest { .. })));
        assert!(matches!(store.open_blob(&digest), Err(Error::NoBlob { .. })));
        std::fs::write(store.blob_path(&digest), b"rotten").unwrap();
        assert!(matches!(store.read_blob(&digest, 100), Err(Error::WrongDigest { .. })));
        assert!(matches!(store.read_blob(&digest, 3), Err(Error::TooLarge { .. })));
        assert!(store.remove_blob(&digest).unwrap() && !store.remove_blob(&digest).unwrap());
    }
}
