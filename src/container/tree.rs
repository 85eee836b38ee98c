//! The file system of a container, for who reads it from outside: `diff`, `commit`, `export`.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{CWD, Mode as FileMode, OFlags};

use super::find::Found;
use super::record::Container;
use super::state::State;
use super::watch::events::{self, Action};
use super::{Error, Result, life, spec};
use crate::host::lock;
use crate::host::subid::IdMaps;
use crate::layer::pack::Form;
use crate::layer::read::{self, Layer, Live, Tree};
use crate::oci::Digest;
use crate::store::Store;
use crate::store::layers::Mode;
use crate::sys;

/// Directories that every container has on something else than its own file system.
const MOUNT_POINTS: [&str; 4] = ["dev", "proc", "run", "sys"];

/// The layers of an image, the topmost first, as they lie in the store.
pub fn layers(store: &Store, mode: Mode, diff_ids: &[Digest]) -> Vec<Layer> {
    diff_ids.iter().rev().map(|diff_id| Layer::of_image(store.layer_fs(mode, diff_id), mode)).collect()
}

/// A container's tree: what it wrote, above its image's layers. What a running one has written is in it.
pub fn of(store: &Store, found: &Found) -> Result<Tree> {
    Ok(Tree { live: live(found)?, ..at_rest(store, found) })
}

/// The same of one in which nothing runs.
pub fn at_rest(store: &Store, found: &Found) -> Tree {
    let Container { mode, layers: diff_ids, rootfs, .. } = &found.container;
    let upper = Layer::upper(found.directory.join("upper"), *mode);
    let (top, below) = match rootfs {
        None => (upper, layers(store, *mode, diff_ids)),
        Some(rootfs) if rootfs.overlay => (upper, vec![Layer::foreign(rootfs.path.clone())]),
        Some(rootfs) => (Layer::foreign(rootfs.path.clone()), Vec::new()),
    };
    Tree { top, below, live: None }
}

/// Paths within the tree, without a slash before them, of files that are the program's own: in the tree there is at most the
/// empty file on which they are mounted.
pub fn own_files(container: &Container) -> Vec<&'static str> {
    spec::files(container).map(|(_, path)| path.trim_start_matches('/')).collect()
}

/// What the start of a container may have made in its tree: nobody wants to read of it.
pub fn own_paths(container: Option<&Container>) -> Vec<&'static str> {
    MOUNT_POINTS.into_iter().chain(container.into_iter().flat_map(own_files)).collect()
}

/// Writes all that the container shows, as one tar stream.
pub fn export(store: &Store, found: &Found, out: BorrowedFd<'_>) -> Result<()> {
    let tree = of(store, found)?;
    let packed = read::start_pack(&IdMaps::of_account()?, &tree, Form::TREE, &[], out).and_then(|pack| pack.finish());
    // Half of its files were missing then, or all.
    if found.is_gone() {
        return Err(Error::NotFound(found.container.name.clone()));
    }
    packed?;
    events::record_of(found.root(), &found.container, &[Action::Export], None);
    Ok(())
}

/// `None`: it does not run, or the kernel keeps nothing of what it writes to itself.
fn live(found: &Found) -> Result<Option<Live>> {
    while life::stop::runs(&found.directory, &found.container.id)? {
        let state = found.state()?;
        if state.driver != "fuse" {
            return Ok(None);
        }
        if let Some(live) = reach(found, &state) {
            return Ok(Some(live));
        }
        // It has ended between two looks: its monitor is writing that down.
    }
    Ok(None)
}

fn reach(found: &Found, state: &State) -> Option<Live> {
    let open = |path: String, flags| rustix::fs::openat(CWD, path, flags | OFlags::CLOEXEC, FileMode::empty()).ok();
    let pidfd = state.pidfd()?;
    let user_namespace = open(format!("/proc/{}/ns/user", state.monitor_pid), OFlags::RDONLY)?;
    let root = open(format!("/proc/{}/root", state.pid), OFlags::PATH | OFlags::DIRECTORY)?;
    // Looked at after both were opened: who lives now had these pids then.
    let lives = sys::signal::exists(pidfd.as_fd()) && lock::is_held(&found.directory.join("lock")).ok()?;
    lives.then_some(Live { user_namespace, root })
}
