//! Images: what a user does with them, between the registry, the layers and the store.
//!
//! An image is named by references, stored as a manifest, and *is* its config: the image's id is the digest of the config.
//!
//! What must stay true:
//! * Nothing is used before its digest was checked: manifest, config, compressed layer, unpacked layer.
//! * Nothing is visible before it is whole and synced; the name comes last (see [`crate::store::commit`]).
//! * To start a container from a present image only `index.json`, one manifest and one config are read ([`find`]).
//! * This room neither prints nor asks: who waits is told through [`Progress`].

pub mod archive;
mod error;
pub mod find;
pub mod history;
pub mod import;
pub mod inspect;
pub mod list;
pub mod make;
pub mod manifest;
pub mod mount;
pub mod needs;
pub mod pull;
pub mod push;
pub mod remove;
pub mod salvage;
pub mod tag;
pub mod tree;

pub use error::{Error, Result};
pub use pull::progress::{Event, Progress};
