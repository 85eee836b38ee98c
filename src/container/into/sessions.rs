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

/// The ids of those that live, in no order.
pub fn living(container: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(container.join(FOLDER)).into_iter().flatten().flatten();
    let living = entries.filter(|entry| lock::is_held(&entry.path()).unwrap_or(false));
    living.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
