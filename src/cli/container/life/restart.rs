//! `restart`: stop, then start.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::container::latest::latest;
use crate::cli::container::{each, run};
use crate::cli::{Context, Report, output};
use crate::container::find::{self, Found};
use crate::container::life;
use crate::container::state::Status;
use crate::container::watch::events::{self, Action};
use crate::store::Store;

/// Stop containers, if they run, and start them
#[derive(Debug, Args)]
pub struct Restart {
    /// All containers
    #[arg(long, short)]
    all: bool,
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Only those that run
    #[arg(long)]
    running: bool,
    /// Seconds before the kill [default: the container's, 10]
    #[arg(long, short, visible_alias = "timeout", value_name = "SECONDS")]
    time: Option<u32>,
    /// Names or IDs
    #[arg(required_unless_present_any = ["all", "latest", "running"])]
    containers: Vec<String>,
}

impl Restart {
    pub fn run(mut self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        if self.latest {
            self.containers.push(latest(&store)?.container.id);
        }
        if self.all || (self.running && self.containers.is_empty()) {
            self.containers.extend(find::list(&store)?.found.into_iter().map(|found| found.container.id));
        }
        each(&store, &self.containers, |found, name| {
            let runs = found.state()?.status == Status::Running;
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
        events::record_of(found.root(), container, &[Action::Restart], None);
        life::stop::stop(found, Duration::from_secs(self.time.unwrap_or(container.stop_timeout).into()))?;
        run::leave(context, store, found)
    }
}
