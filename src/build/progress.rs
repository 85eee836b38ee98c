//! What a build tells while it goes on.

use crate::container::commit::step::Output;

/// Which stage, and which of its steps; both from 1.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    pub stage: usize,
    pub stages: usize,
    pub step: usize,
    pub steps: usize,
}

#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins: the instruction as written.
    Step { number: Number, name: Option<&'a str>, text: &'a str },
    /// Its layer was there; `why`, for who asked.
    Cached { key: &'a str },
    /// It was not, or nobody wanted it.
    Made { why: &'a str },
    /// What the command of a RUN writes.
    Output { from: Output, bytes: &'a [u8] },
    /// All stages are done, the image is put into the store.
    Commit { name: Option<&'a str> },
}

pub trait Progress {
    fn event(&self, event: Event<'_>);
}
