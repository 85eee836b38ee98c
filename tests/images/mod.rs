//! Registries that lie, break off or fail, and pulls that are killed: nothing half done becomes visible, and the error names
//! the cause.

mod archives;
mod artifacts;
mod corpus;
mod damage;
mod escapes;
mod full;
mod hostile;
mod interrupted;
mod keys;
mod layers;
mod listed;
mod looks;
mod manifest;
mod names;
mod newer;
pub mod push;
mod registry;
mod scp;
pub mod server;
mod tagged;
