//! `stop`: the stop signal, patience, the kill.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::container::{find, life};

/// Stop containers
#[derive(Debug, Args)]
pub struct Stop {
    /// All running containers
    #[arg(long, short)]
    all: bool,
    /// Names that no container has are no failure
    #[arg(long, short)]
    ignore: bool,
    /// Seconds before the kill [default: the container's, 10]
    #[arg(long, short, visible_alias = "timeout", value_name = "SECONDS")]
    time: Option<u32>,
    /// Names or IDs
    #[arg(required_unless_present = "all")]
    containers: Vec<String>,
}

impl Stop {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let mut names = self.containers.clone();
        if self.all {
            names.extend(find::list(&store)?.found.into_iter().map(|found| found.container.id));
        }
        if self.ignore {
            names.retain(|name| !matches!(find::find(&store, name), Err(crate::container::Error::NotFound(_))));
        }
        super::each(&store, &names, |found, name| {
            let patience = self.time.unwrap_or(found.container.stop_timeout);
            life::stop::stop(found, Duration::from_secs(patience.into()))?;
            output::line(name);
            Ok(())
        })
    }
}
