//! `system migrate` and `system renumber`: what a program needs that keeps a database, and locks by number.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};

/// Nothing to do: records of earlier versions are read as they are
#[derive(Debug, Args)]
pub struct Migrate {
    /// Accepted for scripts
    #[arg(long, hide = true, value_name = "RUNTIME")]
    new_runtime: Option<String>,
}

impl Migrate {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        output::line("nothing to do: there is no database, and records of earlier versions are read as they are");
        Ok(ExitCode::SUCCESS)
    }
}

/// Nothing to do: locks have no numbers
#[derive(Debug, Args)]
pub struct Renumber {}

impl Renumber {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        output::line("nothing to do: each container has its own lock, and none has a number");
        Ok(ExitCode::SUCCESS)
    }
}
