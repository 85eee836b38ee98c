//! `network prune`: all networks that no container is to be on go.

use std::process::ExitCode;

use clap::Args;

use super::filter::Filter;
use super::rm;
use crate::cli::prune::Removed;
use crate::cli::{Context, Report, output};
use crate::store::Store;

/// Remove all networks that no container uses
#[derive(Debug, Args)]
pub struct Prune {
    /// Only those that fit: `label=`, `label!=`, `until=`
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let warning = "WARNING! This will remove all networks not used by at least one container.";
        if !self.force && !output::agreed(warning)? {
            return Ok(ExitCode::SUCCESS);
        }
        let removed = prune(&context.store()?, self.filter)?;
        removed.show();
        removed.end()
    }
}

/// Removes those that no container uses and that fit.
pub fn prune(store: &Store, mut filter: Vec<String>) -> Result<Removed, Report> {
    filter.push("dangling=true".into());
    let filter = Filter::parse(&filter, store)?;
    let mut removed = Removed::default();
    for network in store.networks()?.found {
        if filter.fits(&network)? {
            match rm::remove(store, &network) {
                Ok(()) => removed.ids.push(network.name),
                Err(report) => removed.fail(report),
            }
        }
    }
    Ok(removed)
}
