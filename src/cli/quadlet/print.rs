//! `quadlet print`: one, as it is on disk.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Report, output};
use crate::systemd::quadlet::find;

/// Show a quadlet
#[derive(Debug, Args)]
pub struct Print {
    /// Its name, as in `list`
    #[arg(value_name = "QUADLET")]
    name: String,
}

impl Print {
    pub fn run(self) -> Result<ExitCode, Report> {
        let path = find::named(&self.name, &find::folders()).ok_or_else(|| super::unknown(&self.name))?;
        let text = std::fs::read_to_string(&path);
        output::print(&text.map_err(|error| Report::new(format!("{}: {error}", path.display())))?);
        Ok(ExitCode::SUCCESS)
    }
}
