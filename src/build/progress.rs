//! What a build tells while it goes on.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::container::commit::step::Output;

/// Which of a stage's steps, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Number {
    pub step: usize,
    pub steps: usize,
}

/// Which of the stages that are built, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose<'a> {
    pub stage: usize,
    pub stages: usize,
    /// As `AS` calls it.
    pub name: Option<&'a str>,
    /// No other is being built beside it.
    pub is_alone: bool,
}

/// What happens in a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// A step begins: the instruction as written.
    Step { number: Number, text: Cow<'a, str> },
    /// Its layer was there.
    Cached { key: Cow<'a, str> },
    /// It was not, or nobody wanted it; `why`, for who asked.
    Made { why: Cow<'a, str> },
}

pub trait Progress {
    fn event(&self, of: Whose<'_>, event: &Event<'_>);
    /// What the command of a RUN writes.
    fn output(&self, of: Whose<'_>, from: Output, bytes: &[u8]);
    /// All its steps are done, or, if `failed`, the last that was told is not and never will be.
    fn ended(&self, of: Whose<'_>, failed: bool);
    /// All stages are done, the image is put into the store.
    fn commit(&self, name: Option<&str>);
    /// A tenth of a second has gone by.
    fn tick(&self);
}
