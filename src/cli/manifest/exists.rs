//! `manifest exists`: the exit code is the answer.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::image::Error;
use crate::image::manifest::Open;

/// Tell by the exit code whether a list is here: 0 yes, 1 no
#[derive(Debug, Args)]
pub struct Exists {
    /// The name or id of the list
    list: String,
}

impl Exists {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match Open::read(&context.store()?, &self.list) {
            Ok(_) => Ok(ExitCode::SUCCESS),
            Err(Error::Unknown { .. }) => Ok(ExitCode::from(1)),
            Err(error) => Err(error.into()),
        }
    }
}
