//! `volume rm`: volumes go, with `--force` the containers that use them, too.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::find;
use crate::cli::container::options::value::patience;
use crate::cli::{Context, Report, output};
use crate::container::mount::volumes;
use crate::container::{Error, find as containers, life};
use crate::layer::worker;
use crate::store::volumes::Volumes;
use crate::store::{self, Store};

/// Remove volumes
#[derive(Debug, Args)]
pub struct Rm {
    /// All volumes
    #[arg(long, short, conflicts_with = "volumes")]
    all: bool,
    /// Containers that use them go first; names that no volume has are no failure
    #[arg(long, short)]
    force: bool,
    /// Seconds before the kill of a container that runs, -1: never [default: the container's, 10]
    #[arg(long, short, value_name = "SECONDS", requires = "force", value_parser = patience)]
    time: Option<u32>,
    /// Their names
    #[arg(value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// Of all, readable or not.
fn names(store: &Store) -> Result<Vec<String>, Report> {
    let Volumes { found, broken } = store.volumes()?;
    Ok(found.into_iter().map(|volume| volume.name).chain(broken.into_iter().map(|(name, _)| name)).collect())
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if !self.all && self.volumes.is_empty() {
            return Err(Report::new("choose either one or more volumes or all"));
        }
        let store = context.store()?;
        let all = if self.all { names(&store)? } else { Vec::new() };
        let mut failed: Option<Report> = None;
        for name in all.iter().chain(&self.volumes) {
            match self.remove(&store, name) {
                Ok(Some(name)) => output::line(&name),
                Ok(None) => {}
                Err(report) => match &mut failed {
                    Some(failed) => failed.join(report),
                    None => failed = Some(report),
                },
            }
        }
        // What belongs to subordinate ids.
        let _ = worker::sweep(&store);
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    /// Its whole name; `None`: there is none, and that is no failure.
    fn remove(&self, store: &Store, name: &str) -> Result<Option<String>, Report> {
        let none = || Report::from(store::Error::NoVolume(name.to_owned())).code(1);
        let name = match find(store, name) {
            // It need not be readable.
            _ if store.has_volume(name) => name.to_owned(),
            Ok(Some(volume)) => volume.name,
            Ok(None) if self.force => return Ok(None),
            Ok(None) => return Err(none()),
            Err(report) => return Err(report),
        };
        if self.force {
            for id in volumes::users(store, &name)? {
                self.remove_container(store, &id)?;
            }
        }
        match volumes::retire(store, &name) {
            Ok(gone) => drop(gone),
            Err(error @ Error::VolumeInUse { .. }) => return Err(Report::from(error).code(2)),
            Err(Error::Store(store::Error::NoVolume(_))) if self.force => return Ok(None),
            Err(Error::Store(store::Error::NoVolume(_))) => return Err(none()),
            Err(error) => return Err(error.into()),
        }
        Ok(Some(name))
    }

    fn remove_container(&self, store: &Store, id: &str) -> Result<(), Report> {
        match containers::find(store, id) {
            Ok(found) => {
                let patience = Duration::from_secs(self.time.unwrap_or(found.container.stop_timeout).into());
                Ok(life::remove::remove(store, &found, true, patience)?)
            }
            Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
