//! `volume exists`: the exit code is the answer.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};

/// Tell by the exit code whether a volume exists: 0 or 1
#[derive(Debug, Args)]
pub struct Exists {
    /// Its name
    volume: String,
}

impl Exists {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let exists = context.store()?.has_volume(&self.volume);
        Ok(if exists { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}
