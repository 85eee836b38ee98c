//! Unpacking a layer: each entry of the tar stream becomes what the overlay takes as a lower directory.
//!
//! ```text
//! entry ─▶ tree     where: the parent, opened beneath the root and cached; names are cleaned, `..` above the root is an error
//!       ─▶ node     what: file, directory, symlink, link, fifo, device; an older entry of that name is replaced, never followed
//!       ─▶ whiteout what is hidden below: 0:0 devices, or the attribute form; opaque marks
//!       ─▶ attributes  owner, then extended attributes, then mode, then times; directories' modes and times at the very end
//! ```
//!
//! Decisions that differ between engines:
//! * A root without an entry of its own gets mode 0555 (as Podman's store), a missing parent 0755.
//! * A device node can't be made in a user namespace: it becomes an empty regular file that carries the attribute
//!   `user.coracle.device` (`c 1:3`). So a `0:0` device of an archive never turns into a whiteout.
//! * Whiteouts hide what is below this layer only, wherever they stand among the layer's own entries (OCI image-spec,
//!   layer.md); `.wh..wh.*` other than the opaque mark is skipped as AUFS' own.
//! * Kept of the extended attributes: `user.*`, `security.capability` and POSIX ACLs. Dropped: what an overlay obeys (ours, the
//!   kernel's, fuse-overlayfs', `user.containers.*`), labels of the machine that packed the layer, and what the file
//!   system has no room for.
//! * Owners are set in mapped mode only; in recorded mode all files belong to the user, and the owners are told apart from
//!   them, for a table beside the layer.

use std::io::{BufRead, ErrorKind};
use std::os::fd::BorrowedFd;

use super::tar_stream::{Entry, Kind, TarStream};
use super::{Error, Problem, Result, shown};
use crate::host::fault;
use crate::store::layers::Mode;
use crate::store::owners::Table;
use crate::sys::Call;

mod attributes;
pub(super) mod data;
mod node;
mod owners;
#[cfg(test)]
mod tests;
pub(super) mod tree;
pub(super) mod whiteout;

use tree::Tree;

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// Entries of the archive.
    pub entries: u64,
    /// Bytes of the archive, everything behind its end included.
    pub tar_size: u64,
    /// Bytes of the regular files, holes included.
    pub size: u64,
    /// Extended attributes that were not kept.
    pub dropped_attributes: u64,
}

/// Unpacks the plain tar stream `source` to its very end into the empty directory `root`. In recorded mode, the table says
/// whose the files are.
///
/// After an error the directory holds a part, and is to be removed. `root` is opened for reading (not `O_PATH`).
pub fn unpack(source: impl BufRead, root: BorrowedFd<'_>, mode: Mode) -> Result<(Summary, Table)> {
    let mut stream = TarStream::new(source);
    let mut unpack = Unpack { tree: Tree::new(root)?, mode, summary: Summary::default() };
    while let Some(entry) = stream.next_entry()? {
        unpack.entry(&entry, &mut stream).map_err(|failure| match failure {
            Failure::Problem(problem) => Error::entry(&entry.path, problem),
            Failure::Stream(error) if error.kind() == ErrorKind::UnexpectedEof => {
                let place = format!("it ends within the data of `{}`", shown(&entry.path));
                Error::Read(std::io::Error::new(ErrorKind::UnexpectedEof, place))
            }
            Failure::Stream(error) => Error::Read(error),
        })?;
    }
    unpack.summary.entries = stream.entries();
    unpack.summary.tar_size = stream.drain()?;
    let owners = unpack.tree.owners()?;
    fault::point("unpack: finish").call("fchmod").map_err(Error::from)?;
    unpack.tree.finish()?;
    Ok((unpack.summary, owners))
}

struct Unpack<'a> {
    tree: Tree<'a>,
    mode: Mode,
    summary: Summary,
}

/// The entry is wrong, or the stream broke while its data was read.
#[derive(Debug)]
pub(super) enum Failure {
    Problem(Problem),
    Stream(std::io::Error),
}

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Self::Problem(problem.into())
    }
}

impl Unpack<'_> {
    fn entry<R: BufRead>(&mut self, entry: &Entry, stream: &mut TarStream<R>) -> std::result::Result<(), Failure> {
        if entry.kind == Kind::Label {
            return Ok(());
        }
        let path = tree::clean(&entry.path)?;
        if whiteout::is_below_one(&path) {
            return Err(Problem::BelowWhiteout.into());
        }
        let Some(place) = self.tree.place(&path)? else {
            if entry.kind != Kind::Directory {
                return Err(Problem::RootNotDirectory.into());
            }
            return Ok(self.root(entry)?);
        };
        if let Some(hidden) = whiteout::hidden(&place.name)? {
            fault::one_of_many("unpack: whiteout").call("mknodat")?;
            return Ok(self.tree.hide(&place, hidden)?);
        }
        fault::one_of_many("unpack: entry").call("openat")?;
        match entry.kind {
            Kind::File => self.file(&place, entry, stream)?,
            Kind::Directory => self.directory(&place, entry)?,
            Kind::Symlink => self.symlink(&place, entry)?,
            Kind::HardLink => self.hard_link(&place, entry)?,
            Kind::Fifo => self.fifo(&place, entry)?,
            Kind::CharDevice | Kind::BlockDevice => self.device(&place, entry)?,
            Kind::Label => {}
        }
        Ok(())
    }
}
