//! What a container is kept apart by: ids, namespaces, filters, networks.

mod identity;
mod network;
pub mod ports;
mod sandbox;
mod user_namespace;
