//! `create`: a container that waits for `start`.

use std::process::ExitCode;

use clap::Args;

use super::options::Options;
use crate::cli::{Context, Report, output};

/// Create a container without starting it
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Create {
    #[command(flatten)]
    options: Options,
}

impl Create {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let container = self.options.create_only(context, &context.store()?)?;
        output::line(&container.id);
        Ok(ExitCode::SUCCESS)
    }
}
