//! `port`: which ports of a container are published.

use std::process::ExitCode;

use clap::Args;

use crate::cli::container::latest::latest;
use crate::cli::{Context, Report};
use crate::container::find;

/// List the ports of containers that are published on this machine
#[derive(Debug, Args)]
pub struct Port {
    /// Of all running containers
    #[arg(long, short)]
    all: bool,
    /// Of the container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Name or ID; then a port, such as `80/tcp`
    #[arg(value_names = ["CONTAINER", "PORT"], num_args = 0..=2)]
    container_and_port: Vec<String>,
}

impl Port {
    /// Nothing is published by this version, so there is nothing to list.
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        match (self.container_and_port.first(), self.all, self.latest) {
            (Some(_), true, _) | (Some(_), _, true) => {
                return Err(Report::new("--all and --latest cannot be used with the name of a container"));
            }
            (Some(name), ..) => drop(find::find(&store, name)?),
            (None, false, true) => drop(latest(&store)?),
            (None, true, _) => {}
            (None, false, false) => return Err(Report::new("you must supply a running container name or id")),
        }
        Ok(ExitCode::SUCCESS)
    }
}
