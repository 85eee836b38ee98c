//! `image exists`: the exit code is the answer.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::image::find::find;

/// Tell by the exit code whether an image is here: 0 yes, 1 no
#[derive(Debug, Args)]
pub struct Exists {
    /// A name or the start of an id
    image: String,
}

impl Exists {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let found = find(&context.store()?, &self.image)?.is_some();
        Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
