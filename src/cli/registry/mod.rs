//! Commands about registries, and what names mean to them.

pub mod ask;
pub mod short_name;
