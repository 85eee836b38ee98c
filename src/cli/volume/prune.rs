//! `volume prune`: all volumes that no container uses go.

use std::process::ExitCode;

use clap::Args;

use super::filter::Filters;
use crate::cli::prune::Removed;
use crate::cli::{Context, Report, output};
use crate::container::mount::volumes;
use crate::container::{Error, size};
use crate::layer::worker;
use crate::store::{self, Store};

/// Remove all volumes that no container uses
#[derive(Debug, Args)]
pub struct Prune {
    /// Only volumes that fit, as with `volume ls`
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let names = unused(&store, self.filter)?;
        let warning = "WARNING! This will remove all volumes not used by at least one container.";
        if !self.force {
            let listed = if names.is_empty() {
                String::new()
            } else {
                format!(" The following volumes will be removed:\n{}", names.join("\n"))
            };
            if !output::agreed(&format!("{warning}{listed}"))? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        let removed = remove(&store, &names)?;
        removed.show();
        removed.end()
    }
}

/// The names of those that no container uses and that fit.
pub fn unused(store: &Store, mut filter: Vec<String>) -> Result<Vec<String>, Report> {
    filter.push("dangling=true".into());
    let filters = Filters::parse(&filter, store)?;
    Ok(store.volumes()?.found.into_iter().filter(|volume| filters.fit(volume)).map(|volume| volume.name).collect())
}

/// Removes volumes, unless somebody has come to use them.
pub fn remove(store: &Store, names: &[String]) -> Result<Removed, Report> {
    let sizes = size::volumes(store, std::iter::empty())?;
    let mut removed = Removed::default();
    for name in names {
        match volumes::retire(store, name) {
            Ok(gone) => {
                removed.bytes += sizes.iter().find(|volume| volume.name == *name).map_or(0, |volume| volume.bytes);
                removed.ids.push(name.clone());
                drop(gone);
            }
            // Used, or removed, meanwhile.
            Err(Error::VolumeInUse { .. } | Error::Store(store::Error::NoVolume(_))) => {}
            Err(error) => removed.fail(error.into()),
        }
    }
    // What belongs to subordinate ids.
    let _ = worker::sweep(store);
    Ok(removed)
}
