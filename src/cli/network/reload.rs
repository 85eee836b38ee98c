//! `network reload`: what names mean, told anew to containers that run.

use std::process::ExitCode;

use clap::Args;

use crate::cli::container::latest::latest;
use crate::cli::{Context, Report, output};
use crate::container::networks::change;
use crate::container::{Error, find};

/// Write anew where running containers look for names, after this machine's network has changed
///
/// Their /etc/hosts and /etc/resolv.conf are as at a start. There are no rules of a packet filter that could be lost.
#[derive(Debug, Args)]
pub struct Reload {
    /// All that run and have a network of their own
    #[arg(long, short)]
    all: bool,
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Names or IDs
    containers: Vec<String>,
}

impl Reload {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let names = match (self.all, self.latest, self.containers.is_empty()) {
            (false, false, false) => self.containers,
            (false, true, true) => vec![latest(&store)?.container.id],
            (true, false, true) => {
                let living = find::living(&store)?.found.into_iter().map(|found| found.container);
                living.filter(change::is_reloadable).map(|container| container.id).collect()
            }
            (true, false, false) => return Err(Report::new("no arguments are needed with --all")),
            (false, false, true) => return Err(Report::new("you must provide at least one name or id")),
            (_, true, _) => return Err(Report::new("--latest cannot be used with --all or containers")),
        };
        for name in names {
            let (found, _lock) = match find::to_change(&store, &name) {
                Err(Error::NotFound(_)) if self.all => continue,
                other => other?,
            };
            match change::reload(&store, &found) {
                // It has ended since.
                Err(Error::NoNetworkYet) if self.all => {}
                other => {
                    other?;
                    output::line(&found.container.id);
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
