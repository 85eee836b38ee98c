//! `image mount`: the files of an image, read-only, for programs of this machine that run in the account's user namespace.
//!
//! The mount belongs to the mount namespace of whoever made it, and ends with that. What stays is its place, an empty directory
//! `mounts/<id of the image>` in the store, until it is unmounted.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode as FileMode, OFlags, StatxAttributes, StatxFlags};
use rustix::mount::UnmountFlags;

use super::find::{Found, find};
use super::{Error, Result};
use crate::host::change;
use crate::oci::Digest;
use crate::overlay::{Stack, kernel};
use crate::store::Store;
use crate::store::layers::Mode;
use crate::sys::mount::{Attributes, attach, clone_tree, set_attributes};
use crate::sys::{self, Call};

/// An image whose files can be seen.
#[derive(Debug)]
pub struct Mounted {
    pub image: Found,
    pub path: PathBuf,
}

/// Mounts the image that `text` names, unless it is mounted. The caller has CAP_SYS_ADMIN over its mount namespace.
pub fn mount(store: &Store, text: &str) -> Result<Mounted> {
    let image = find(store, text)?.ok_or_else(|| Error::Unknown { name: text.to_owned() })?;
    let path = place(store).join(image.id.hex());
    if !is_mounted(&path)? {
        let _lock = store.lock_shared()?;
        let tree = tree(store, &image)?;
        change::create_dirs(&path)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target =
            rustix::fs::open(&path, flags, FileMode::empty()).call_with(|| format!("open({})", path.display()))?;
        attach(tree.as_fd(), target.as_fd())?;
    }
    Ok(Mounted { image, path })
}

/// All images that are mounted here.
pub fn mounted(store: &Store) -> Result<Vec<Mounted>> {
    let place = place(store);
    let entries = match std::fs::read_dir(&place) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.call_with(|| format!("opendir({})", place.display()))?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.call_with(|| format!("readdir({})", place.display()))?.path();
        let id = path.file_name().and_then(|name| Digest::from_hex(name.to_str()?).ok());
        if let Some(id) = id.filter(|_| is_mounted(&path).unwrap_or(false))
            && let Some(image) = find(store, id.hex())?
        {
            all.push(Mounted { image, path });
        }
    }
    Ok(all)
}

/// Unmounts the image that `text` names, if it is mounted here. Its id.
pub fn unmount(store: &Store, text: &str) -> Result<Digest> {
    let image = find(store, text)?.ok_or_else(|| Error::Unknown { name: text.to_owned() })?;
    let path = place(store).join(image.id.hex());
    if is_mounted(&path)? {
        rustix::mount::unmount(&path, UnmountFlags::DETACH).call_with(|| format!("umount({})", path.display()))?;
        change::remove_dir(&path)?;
    }
    Ok(image.id)
}

fn place(store: &Store) -> PathBuf {
    store.layout().root().join("mounts")
}

fn is_mounted(path: &Path) -> Result<bool> {
    match rustix::fs::statx(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS) {
        Ok(found) => Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
        Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(error) => Err(sys::Error::new(format!("statx({})", path.display()), error).into()),
    }
}

/// The image's files, on a mount that hangs nowhere yet.
fn tree(store: &Store, image: &Found) -> Result<OwnedFd> {
    let missing = |mode: Mode| image.layers.iter().find(|layer| !store.has_layer(mode, layer));
    let mode = Mode::ALL.into_iter().find(|mode| missing(*mode).is_none()).ok_or_else(|| {
        let diff_id = missing(Mode::Mapped).unwrap_or(&image.id).clone();
        Error::NotUnpacked { diff_id, image: image.display_name() }
    })?;
    let mut seen = std::collections::BTreeSet::new();
    // Of a layer that is there twice only the upper one shows.
    let layers = image.layers.iter().rev().filter(|layer| seen.insert(*layer));
    let open = |layer: &Digest| {
        let path = store.layer_fs(mode, layer);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&path, flags, FileMode::empty()).call_with(|| format!("open({})", path.display()))
    };
    let lowers = layers.map(open).collect::<sys::Result<Vec<_>>>()?;
    match lowers.as_slice() {
        // overlayfs takes two at least.
        [only] => {
            let tree = clone_tree(only.as_fd(), c"", false)?;
            set_attributes(tree.as_fd(), Attributes::READ_ONLY | Attributes::NO_DEV, None, false)?;
            Ok(tree)
        }
        _ => {
            kernel::mount(&Stack { lowers, upper: None }, false, None).map_err(|error| Error::Mount(error.to_string()))
        }
    }
}
