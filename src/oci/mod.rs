//! Formats of the Open Container Initiative, and their parsers: no I/O here.
//!
//! What comes from a registry is hostile until proved otherwise: every parser has limits, and refuses what two readers
//! could understand in two ways. Digests are always computed over the bytes as they came, never over what a parser kept,
//! so callers keep the raw bytes beside what these types show.

pub mod capability;
pub mod cdi;
pub mod digest;
pub mod hook;
pub mod image_config;
pub mod instruction;
pub mod manifest;
pub mod media_type;
pub mod platform;
pub mod policy;
pub mod reference;
pub mod registries;
pub mod scope;
pub mod signature;
pub mod yaml;

pub use digest::Digest;
pub use image_config::ImageConfig;
pub use manifest::{Descriptor, Document, Index, Manifest};
pub use media_type::Compression;
pub use platform::Platform;
pub use reference::Reference;
pub use registries::Registries;

/// Go programs write `null` where a list or map is empty: reads it as the empty one.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + serde::Deserialize<'de>,
{
    use serde::Deserialize;
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
