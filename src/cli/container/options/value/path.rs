//! Paths of this machine.

use std::path::{Path, PathBuf};

use crate::cli::Report;

/// A path that counts from the current directory, which may be gone.
pub fn absolute(path: impl AsRef<Path>) -> Result<PathBuf, Report> {
    let path = path.as_ref();
    std::path::absolute(path).map_err(|error| {
        Report::new(format!("the path `{}` leads nowhere: {error}", path.display()))
            .hint("name an absolute path, or change to a directory that exists")
    })
}
