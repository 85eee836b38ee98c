//! `volume prune`: all volumes that no container uses go.

use std::process::ExitCode;

use clap::Args;

use super::filter::Filters;
use crate::cli::{Context, Report, output};
use crate::container::Error;
use crate::container::mount::volumes;
use crate::layer::worker;
use crate::store;

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
        let mut texts = self.filter;
        texts.push("dangling=true".into());
        let filters = Filters::parse(&texts, &store)?;
        let names = store.volumes()?.into_iter().filter(|volume| filters.fit(volume)).map(|volume| volume.name);
        let names: Vec<String> = names.collect();
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
        let mut failed: Option<Report> = None;
        for name in &names {
            match volumes::retire(&store, name) {
                Ok(gone) => {
                    output::line(name);
                    drop(gone);
                }
                // Used, or removed, meanwhile.
                Err(Error::VolumeInUse { .. } | Error::Store(store::Error::NoVolume(_))) => {}
                Err(error) => match &mut failed {
                    Some(failed) => failed.join(error.into()),
                    None => failed = Some(error.into()),
                },
            }
        }
        // What belongs to subordinate ids.
        let _ = worker::sweep(&store);
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}
