//! `network exists`: the exit code tells.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};

/// Tell by the exit code whether a network exists: 0 or 1
#[derive(Debug, Args)]
pub struct Exists {
    /// Its name or ID
    network: String,
}

impl Exists {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let found = context.store()?.network(&self.network)?;
        Ok(if found.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
