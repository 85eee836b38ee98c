//! The files of an image that was built, for who wants no image: as a tar archive, or in a directory.
//!
//! A directory gets them as the user's own. Nothing is made outside of it, whatever symlinks lie in it: all paths lead within.

use std::fs::File;
use std::io::BufReader;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::{Error, Result};
use crate::container::tree;
use crate::host::change;
use crate::host::subid::IdMaps;
use crate::image::find;
use crate::layer::copy::{self, Owners, Root, Stream, Target};
use crate::layer::pack::Form;
use crate::layer::read::{Tree, start_pack};
use crate::layer::{About, worker};
use crate::oci::Digest;
use crate::store::Store;
use crate::sys::Call;

/// What is read at a time.
const PIECE: usize = 256 << 10;

/// The files of one image.
pub struct Output<'a> {
    store: &'a Store,
    ids: IdMaps,
    layers: Vec<Digest>,
    form: Form,
}

impl<'a> Output<'a> {
    /// `latest`: no file is younger, in seconds since 1970.
    pub fn of(store: &'a Store, id: &Digest, latest: Option<i64>) -> Result<Self> {
        let found = find::find(store, id.hex())?;
        let found = found.ok_or_else(|| Error::Refused(format!("the image {} has gone", id.hex())))?;
        Ok(Self { store, ids: IdMaps::of_account()?, layers: found.layers, form: Form { latest, ..Form::TREE } })
    }

    /// Writes a tar archive, its owners as the image has them.
    pub fn to_archive(&self, out: BorrowedFd<'_>) -> Result<()> {
        let Some(tree) = self.tree() else {
            let mut out = File::from(out.try_clone_to_owned().call_with(|| "fcntl(F_DUPFD_CLOEXEC)".into())?);
            return super::context::end(&mut out);
        };
        Ok(start_pack(&self.ids, &tree, self.form, &[], out)?.finish().map(drop)?)
    }

    /// Makes the files in a directory, which is made if it is not there. What has their names is replaced, and the rest stays.
    pub fn to_directory(&self, path: &Path) -> Result<()> {
        change::create_dirs(path)?;
        let directory =
            rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let directory = directory.call_with(|| format!("open({})", path.display()))?;
        let Some(tree) = self.tree() else { return Ok(()) };
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).call("pipe2")?;
        let packing = start_pack(&self.ids, &tree, self.form, &[], write.as_fd())?;
        drop(write);
        let target = Target {
            path: b"/".to_vec(),
            place: "the output".into(),
            stream: Stream::Archive,
            overwrite: true,
            parents: false,
            owners: Owners::Own,
            recorded: false,
        };
        let source = BufReader::with_capacity(PIECE, File::from(read));
        let made = copy::unpack(Root::Container(directory.as_fd()), &target, source);
        match (made, packing.finish()) {
            // Who reads knows why the stream was cut.
            (Err(ours), Err(theirs)) if ours.about() == About::Stream => Err(theirs.into()),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error.into()),
            (Ok(_), Ok(_)) => Ok(()),
        }
    }

    /// `None`: the image has no layers.
    fn tree(&self) -> Option<Tree> {
        let mut layers = tree::layers(self.store, worker::mode_for(&self.ids), &self.layers);
        (!layers.is_empty()).then(|| Tree { top: layers.remove(0), below: layers, live: None })
    }
}
