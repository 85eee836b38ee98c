//! `wait`: until the end; prints the exit code.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::container::life;

/// Wait until containers have ended and print their exit codes
#[derive(Debug, Args)]
pub struct Wait {
    /// Names or IDs
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Wait {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        super::each(&store, &self.containers, |found, _| {
            let code = life::stop::wait(found)?;
            // Podman's word for a code that nobody knows.
            output::line(&code.unwrap_or(-1).to_string());
            Ok(())
        })
    }
}
