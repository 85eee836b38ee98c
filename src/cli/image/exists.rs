//! `image exists`: the exit code is the answer.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::image::find::exists;

/// Tell by the exit code whether an image is here: 0 yes, 1 no
#[derive(Debug, Args)]
pub struct Exists {
    /// A name or the start of an id
    image: String,
}

impl Exists {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let found = exists(&context.store()?, &self.image)?;
        Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
