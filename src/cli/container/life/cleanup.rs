//! `container cleanup`: what is left of containers that have ended.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::container::latest::latest;
use crate::cli::{Context, Report, output};
use crate::container::{Error, find, life};
use crate::layer::worker;

/// Tidy up behind containers that have ended; their monitors do so by themselves, unless they were killed
#[derive(Debug, Args)]
pub struct Cleanup {
    /// All containers
    #[arg(long, short)]
    all: bool,
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Remove those that do not run
    #[arg(long)]
    rm: bool,
    /// Names or IDs
    #[arg(required_unless_present_any = ["all", "latest"], value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Cleanup {
    pub fn run(mut self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        if self.latest {
            self.containers.push(latest(&store)?.container.id);
        }
        if self.all {
            self.containers.extend(find::ids(&store)?);
        }
        life::sweep::sweep(&store);
        worker::sweep(&store).map_err(Report::new)?;
        for name in &self.containers {
            let found = match find::find(&store, name) {
                Ok(found) => found,
                // It has tidied up behind itself.
                Err(Error::NotFound(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            if self.rm && !found.state()?.lives() {
                life::remove::remove(&store, &found, false, Duration::ZERO)?;
            }
            output::line(name);
        }
        Ok(ExitCode::SUCCESS)
    }
}
