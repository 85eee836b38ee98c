//! `restart`: stop, then start.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::container::choice::{Choice, Wide};
use crate::cli::container::options::value::patience;
use crate::cli::container::session::handed_on::HandedOn;
use crate::cli::container::{each, run};
use crate::cli::{Context, Report, output};
use crate::container::find::Found;
use crate::container::watch::events::{self, Action};
use crate::container::{Error, life};
use crate::store::Store;

/// Stop containers, if they run, and start them
#[derive(Debug, Args)]
pub struct Restart {
    /// All containers
    #[arg(long, short)]
    all: bool,
    /// Only those that fit, as with `ps`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Only those that run
    #[arg(long)]
    running: bool,
    /// Seconds before the kill, -1: never [default: the container's, 10]
    #[arg(long, short, visible_alias = "timeout", value_name = "SECONDS", value_parser = patience)]
    time: Option<u32>,
    #[command(flatten)]
    choice: Choice,
}

impl Restart {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let all = self.all || (self.running && self.choice.is_empty());
        let names = self.choice.names(&store, &Wide { all, filters: &self.filter, ..Wide::default() })?;
        each(&store, &names, |found, name| {
            let state = found.state()?;
            if state.paused {
                return Err(Error::RestartPaused.into());
            }
            let runs = state.lives();
            if runs || !self.running {
                self.restart(context, &store, found, runs)?;
                output::line(name);
            }
            Ok(())
        })
    }

    fn restart(&self, context: &Context, store: &Store, found: &Found, runs: bool) -> Result<(), Report> {
        let container = &found.container;
        if runs && container.remove {
            return Err(Report::new(format!(
                "container {} removes itself when it is stopped, so it can't be restarted",
                container.short_id()
            ))
            .hint("run it without `--rm`"));
        }
        // Before it is stopped: one whose ports are sockets that are passed is its service manager's to start.
        HandedOn::default().lend(container)?;
        events::record_of(found.root(), container, &[Action::Restart], None);
        life::stop::stop(found, Duration::from_secs(self.time.unwrap_or(container.stop_timeout).into()))?;
        run::leave(context, store, found, None, &HandedOn::default(), None)
    }
}
