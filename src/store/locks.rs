//! The locks of the store as a whole. Single objects (a container, a layer in the making) have their own.
//!
//! `locks/store` is shared by who makes a container from an image, or pulls one, and exclusive for who removes layers or blobs:
//! so nothing is removed between the moment when somebody decides to use it and the moment when a record says so.
//! `locks/index` is exclusive for who rewrites `index.json`; `locks/ids` for who gives a container ids that no other has, until
//! its record says so; `locks/names` for who takes a name away. Readers take none.

use super::{Result, Store};
use crate::host::lock::{Lock, PATIENCE};

impl Store {
    /// As long as it lives, no layer, blob or image is removed.
    pub fn lock_shared(&self) -> Result<Lock> {
        Ok(Lock::shared_within(&self.layout().locks().join("store"), PATIENCE)?)
    }

    /// As long as it lives, nobody makes a container from an image and no pull commits.
    pub fn lock_exclusive(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("store"), PATIENCE)?)
    }

    /// As long as it lives, nobody else gives ids to a container of its own.
    pub fn lock_ids(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("ids"), PATIENCE)?)
    }

    pub(super) fn lock_names(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("names"), PATIENCE)?)
    }

    pub(super) fn lock_index(&self) -> Result<Lock> {
        Ok(Lock::exclusive_within(&self.layout().locks().join("index"), PATIENCE)?)
    }
}
