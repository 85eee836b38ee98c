//! `--cidfile`: a file that tells scripts the container's ID.

use std::path::Path;

use crate::cli::Report;
use crate::host::{atomic_file, change};

/// The file of `--cidfile`: claimed before anything is made, and gone again if that fails.
pub struct IdFile<'a> {
    path: &'a Path,
    filled: bool,
}

impl<'a> IdFile<'a> {
    /// Makes the file, which must not exist: another container's ID would be lost.
    pub fn claim(path: &'a Path) -> Result<Self, Report> {
        match atomic_file::create(path, b"", 0o644, false) {
            Err(error) if error.errno() == libc::EEXIST => Err(Report::new(format!(
                "container id file exists. Ensure another container is not using it or delete {}",
                path.display()
            ))
            .hint(format!("`rm {}`, if its container is not needed any more", path.display()))),
            other => Ok(other.map(|()| Self { path, filled: false })?),
        }
    }

    pub fn fill(mut self, id: &str) -> Result<(), Report> {
        atomic_file::write(self.path, id.as_bytes(), false)?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for IdFile<'_> {
    fn drop(&mut self) {
        if !self.filled {
            // It stays empty at worst.
            let _ = change::remove_file(self.path);
        }
    }
}
