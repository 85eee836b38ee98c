//! `manifest inspect`: a list as it is, here or at its registry.

use std::process::ExitCode;

use clap::Args;

use super::words::at_registry;
use crate::cli::image::push::destination;
use crate::cli::image::reach::Reach;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::image::Error;
use crate::image::manifest::{Open, remote};
use crate::oci::Document;

/// Show a list
#[derive(Debug, Args)]
pub struct Inspect {
    #[command(flatten)]
    reach: Reach,
    /// Accepted for scripts: all of it is shown
    #[arg(long, short, hide = true)]
    verbose: bool,
    /// The name or id of the list; what is not here is looked for at its registry, as is what `docker://` begins
    list: String,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let text = match Open::read(&context.store()?, &self.list) {
            Ok(open) => format::json(&open.index)?,
            Err(Error::Unknown { .. } | Error::NotAnIndex { .. }) => self.at_registry()?,
            Err(error) => return Err(error.into()),
        };
        output::print(&text);
        Ok(ExitCode::SUCCESS)
    }

    /// An image's own manifest is shown, too.
    fn at_registry(&self) -> Result<String, Report> {
        let name = destination(&self.list)?;
        match remote::document(&at_registry(&name, &self.reach)?, &name)? {
            (_, Document::Index(index)) => format::json(&index),
            (_, Document::Manifest(manifest)) => format::json(&manifest),
        }
    }
}
