//! `--storage-opt`: what is asked of the container's own part of its file system.

use super::{Options, bytes};
use crate::cli::Report;

impl Options {
    /// The bytes of `size=`.
    pub fn quota(&self) -> Result<Option<u64>, Report> {
        let mut quota = None;
        for option in &self.storage_opt {
            let size = option.strip_prefix("size=").ok_or_else(|| {
                Report::new(format!("the storage option `{option}` is not known")).hint("`size=BYTES[bkmgt]` is")
            })?;
            quota = Some(bytes(size)?).filter(|bytes| *bytes > 0);
        }
        if quota.is_some() && self.rootfs && !self.name_of_image().ends_with(":O") {
            return Err(Report::new("the size of a directory that is a root itself can't be limited")
                .hint(format!("`--rootfs {}:O` keeps what is written apart, and can limit it", self.name_of_image())));
        }
        Ok(quota)
    }
}
