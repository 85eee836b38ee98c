//! The commands that run in a container beside its program: `sessions/<id>`, an empty file each, which the command's joiner holds
//! locked to its end. As with containers, locked means alive.

use std::path::{Path, PathBuf};

use crate::container::Result;
use crate::host::change;
use crate::host::lock::{self, Lock};

/// In the container's directory.
const FOLDER: &str = "sessions";

/// One that has begun; dropped, it has ended.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    _lock: Lock,
}

impl Session {
    pub fn begin(container: &Path, id: &str) -> Result<Self> {
        let folder = container.join(FOLDER);
        change::create_dir(&folder)?;
        sweep(&folder);
        let path = folder.join(id);
        Ok(Self { _lock: Lock::exclusive(&path)?, path })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The container may be gone, and this with it.
        let _ = change::remove_file(&self.path);
    }
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Removes what joiners left that were killed.
fn sweep(folder: &Path) {
    for path in files(folder) {
        if let Ok(Some(_lock)) = Lock::try_exclusive(&path) {
            let _ = change::remove_file(&path);
        }
    }
}

/// The ids of those that live, in no order.
pub fn living(container: &Path) -> Vec<String> {
    let living = files(&container.join(FOLDER)).filter(|path| lock::is_held(path).unwrap_or(false));
    living.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}
