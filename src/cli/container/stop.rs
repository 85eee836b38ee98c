//! `stop`: the stop signal, patience, the kill.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::choice::{Choice, Wide};
use crate::cli::container::options::value::patience;
use crate::cli::{Context, Report, output};
use crate::container::{Error, find, life};

/// Stop containers
#[derive(Debug, Args)]
pub struct Stop {
    /// All running containers
    #[arg(long, short)]
    all: bool,
    /// Only those that fit, as with `ps`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Names that no container has are no failure
    #[arg(long, short)]
    ignore: bool,
    /// Seconds before the kill, -1: never [default: the container's, 10]
    #[arg(long, short, visible_alias = "timeout", value_name = "SECONDS", value_parser = patience)]
    time: Option<u32>,
    #[command(flatten)]
    choice: Choice,
}

impl Stop {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let wide = Wide { all: self.all, filters: &self.filter, ignore: self.ignore, absent: None };
        let mut names = self.choice.names(&store, &wide)?;
        if self.all {
            let is_paused = |name: &String| find::find(&store, name)?.state().map(|state| state.paused);
            names.retain(|name| !is_paused(name).is_ok_and(|paused| paused));
        }
        super::each(&store, &names, |found, name| {
            if found.state()?.paused {
                return Err(Error::StopPaused(found.container.short_id().to_owned()).into());
            }
            let patience = self.time.unwrap_or(found.container.stop_timeout);
            life::stop::stop(found, Duration::from_secs(patience.into()))?;
            output::line(name);
            Ok(())
        })
    }
}
