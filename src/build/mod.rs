//! Building an image from instructions: what a Containerfile says, and what follows from it.
//!
//! ```text
//!  text ──parse──▶ Dockerfile (instructions with their spans) ──graph──▶ stages, in the order that they need each other
//!                        words: unexpanded                      │
//!                          └──── words, arguments ◀── a stage's variables, as its instructions set them
//!  .dockerignore ──ignore, pattern──▶ what of the context is left out
//! ```
//!
//! What must stay true: what is wrong with a file is said with its line, column and text; a file that is refused is refused
//! before anything runs.

pub mod arguments;
pub mod graph;
pub mod ignore;
pub mod parse;
pub mod pattern;
pub mod source;
pub mod words;

pub use source::{Fault, Place, Source, Span};
