//! Archives of images as containers of files: a tar file, compressed or not, or a directory, in which an image's parts lie under
//! names that are known beforehand ([`contents`] reads them, [`writer`] writes them). What the parts mean, the room `image` knows.
//!
//! What must stay true:
//! * No name from an archive is ever opened: what is looked for is found in a table of names, or beneath a directory's descriptor.
//! * Two readers must find the same: a name that is there twice is an error.
//! * Memory is bounded by the number of entries, whatever they hold.

pub mod contents;
pub mod writer;

pub use contents::{Contents, Member};
pub use writer::Writer;

use std::io;

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("it has more than {0} entries")]
    TooManyEntries(usize),
    #[error("it holds more than {0} bytes, which is nine tenths of what the store's disk has free")]
    TooMuch(u64),
    #[error("it has two entries `{0}`")]
    Twice(String),
    #[error("its entry `{0}` is not a file")]
    NotAFile(String),
    #[error("its entry `{0}` is a link that leads to no file in it")]
    Dangling(String),
    #[error("its entry `{0}` is a sparse file")]
    Sparse(String),
    #[error("it ends within its entry `{0}`")]
    Truncated(String),
    #[error("its entry `{name}` has {size} bytes, more than the {limit} that are allowed")]
    TooLarge { name: String, size: u64, limit: u64 },
    #[error("what is to be in it as `{name}` can't be read: {source}")]
    Unreadable { name: String, source: io::Error },
    #[error("what is to be in it as `{name}` has {found} bytes, not {expected}")]
    WrongSize { name: String, expected: u64, found: u64 },
}
