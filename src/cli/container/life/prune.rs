//! `container prune`: all containers that do not run go.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::filter::Prunable;
use crate::cli::prune::Removed;
use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::size::Sizes;
use crate::container::{Error, life};
use crate::store::Store;

/// Remove all containers that do not run
#[derive(Debug, Args)]
pub struct Prune {
    /// Only containers that fit: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let filter = Prunable::parse(&self.filter)?;
        if !self.force && !output::agreed("WARNING! This will remove all non running containers.")? {
            return Ok(ExitCode::SUCCESS);
        }
        let removed = prune(&context.store()?, &filter)?;
        removed.show();
        removed.end()
    }
}

/// Removes the containers that do not run and fit.
pub fn prune(store: &Store, filter: &Prunable) -> Result<Removed, Report> {
    let mut chosen = Vec::new();
    for found in find::list(store)?.found {
        let container = &found.container;
        if filter.fits(&container.labels, chrono::DateTime::parse_from_rfc3339(&container.created).ok())
            && !found.state()?.lives()
        {
            chosen.push(found);
        }
    }
    let sizes = Sizes::measure(store, chosen.iter())?;
    let mut removed = Removed::default();
    for found in chosen {
        match life::remove::remove(store, &found, false, Duration::ZERO) {
            Ok(()) => {
                removed.bytes += sizes.of(store, &found).0;
                removed.ids.push(found.container.id);
            }
            // Started, or removed, meanwhile.
            Err(Error::RemoveRunning { .. } | Error::NotFound(_)) => {}
            Err(error) => removed.fail(error.into()),
        }
    }
    Ok(removed)
}
