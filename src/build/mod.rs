//! Building an image from instructions: what a Containerfile says, and what follows from it.
//!
//! ```text
//!  text ──parse──▶ Dockerfile (instructions with their spans) ──graph──▶ stages, in the order that they need each other
//!                        words: unexpanded                      │                            │ engine
//!                          └──── words, arguments ◀── a stage's variables        stage: config, layers, variables
//!  .dockerignore ──ignore, pattern──▶ what of the context is left out                        │ step/{run,copy,settings}
//!                                      └── context, hashes ──▶ keys ──▶ the layer that the cache has, or a new one
//! ```
//!
//! What must stay true: what is wrong with a file is said with its line, column and text; a file that is refused is refused
//! before anything runs; what a key is made of is all that a layer depends on; a build that is killed leaves whole layers that are
//! remembered, and directories under `tmp/` that anybody sweeps.

pub mod arguments;
pub mod caches;
pub mod checks;
pub mod context;
pub mod engine;
mod error;
pub mod graph;
mod hashes;
pub mod ignore;
mod keys;
pub mod output;
pub mod parse;
pub mod pattern;
pub mod progress;
pub mod prune;
pub mod remote;
pub mod source;
mod stage;
pub mod step;
mod why;
pub mod words;

pub use error::{Error, Said};
pub use source::{Fault, Place, Source, Span};

pub type Result<T> = std::result::Result<T, Error>;
