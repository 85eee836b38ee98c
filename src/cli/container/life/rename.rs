//! `rename`: another name for a container.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::container::{find, life};

/// Give a container another name
#[derive(Debug, Args)]
pub struct Rename {
    /// Name or ID
    container: String,
    /// The new name
    name: String,
}

impl Rename {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (found, _lock) = find::to_change(&store, &self.container)?;
        life::rename::rename(&store, found, self.name.trim_start_matches('/'))?;
        Ok(ExitCode::SUCCESS)
    }
}
