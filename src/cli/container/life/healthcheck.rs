//! `healthcheck run`: a check of a container now.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::into::health;

/// Check the health of a container
#[derive(Debug, Args)]
pub struct Healthcheck {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Run),
}

/// Run the health check of a container now; exit code 1: it failed
#[derive(Debug, Args)]
pub struct Run {
    /// Name or ID
    container: String,
}

impl Healthcheck {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let Command::Run(Run { container }) = self.command;
        if health::check(&find::find(&context.store()?, &container)?)? {
            return Ok(ExitCode::SUCCESS);
        }
        output::line("unhealthy");
        Ok(ExitCode::from(1))
    }
}
