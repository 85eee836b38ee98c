//! `volume mount`, `unmount`, `reload`: what there is to do for a volume that is a directory.

use std::process::ExitCode;

use clap::Args;

use super::get;
use crate::cli::{Context, Report, output};

/// Refused: a volume is mounted in containers only
#[derive(Debug, Args)]
pub struct Mount {
    /// Their names
    #[arg(required = true, value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// Accepted for scripts: no volume is mounted outside of containers
#[derive(Debug, Args)]
pub struct Unmount {
    /// Their names
    #[arg(required = true, value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// Accepted for scripts: there are no volume plugins to be asked for their volumes
#[derive(Debug, Args)]
pub struct Reload {}

impl Mount {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        for name in &self.volumes {
            get(&store, name)?;
        }
        Err(Report::new("a volume can't be mounted for programs outside of containers")
            .hint("`coracle volume inspect --format '{{.Mountpoint}}' VOLUME` tells where its files are; `coracle run -v VOLUME:/data …` has them"))
    }
}

impl Unmount {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        for name in &self.volumes {
            output::line(&get(&store, name)?.name);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Reload {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        Ok(ExitCode::SUCCESS)
    }
}
