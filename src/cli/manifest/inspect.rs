//! `manifest inspect`: a list as it is.

use std::process::ExitCode;

use clap::Args;

use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::image::manifest::Open;

/// Show a list
#[derive(Debug, Args)]
pub struct Inspect {
    /// The name or id of the list
    list: String,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let open = Open::read(&context.store()?, &self.list)?;
        output::print(&format::json(&open.index)?);
        Ok(ExitCode::SUCCESS)
    }
}
