//! Commands about registries, and what names mean to them.

mod ask;
pub mod confidential;
mod key;
pub mod login;
pub mod logout;
pub mod page;
pub mod search;
pub mod short_name;
