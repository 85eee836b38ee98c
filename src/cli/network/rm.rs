//! `network rm`: networks go, with `--force` the containers on them, too.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::container::options::value::patience;
use crate::cli::{Context, Report, output};
use crate::container::networks::{change, get, users};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::container::{Error, life};
use crate::layer::worker;
use crate::store::Store;
use crate::store::networks::{DEFAULT, Network};

/// Remove networks
#[derive(Debug, Args)]
pub struct Rm {
    /// Containers on them go first; names that no network has are no failure
    #[arg(long, short)]
    force: bool,
    /// Seconds before the kill of a container that runs, -1: never [default: the container's, 10]
    #[arg(long, short, value_name = "SECONDS", requires = "force", value_parser = patience)]
    time: Option<u32>,
    /// Their names or IDs
    #[arg(required = true, value_name = "NETWORK")]
    networks: Vec<String>,
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let mut failed: Option<Report> = None;
        for name in &self.networks {
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

    /// Its name; `None`: there is none, and that is no failure.
    fn remove(&self, store: &Store, name: &str) -> Result<Option<String>, Report> {
        let network = match get(store, name) {
            Ok(network) => network,
            Err(Error::NoNetwork(_)) if self.force => return Ok(None),
            Err(error @ Error::NoNetwork(_)) => return Err(Report::from(error).code(1)),
            Err(error) => return Err(error.into()),
        };
        for user in if self.force { users(store, &network.name)? } else { Vec::new() } {
            let patience = Duration::from_secs(self.time.unwrap_or(user.container.stop_timeout).into());
            match life::remove::remove(store, &user, true, patience) {
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        remove(store, &network)?;
        Ok(Some(network.name))
    }
}

/// Removes a network that no container is to be on.
pub fn remove(store: &Store, network: &Network) -> Result<(), Report> {
    if network.name == DEFAULT {
        return Err(Report::new(format!("default network {DEFAULT} cannot be removed")));
    }
    let lock = store.lock_networks()?;
    let containers: Vec<String> = users(store, &network.name)?.into_iter().map(|found| found.container.name).collect();
    if !containers.is_empty() {
        let error = Error::NetworkInUse { name: network.name.clone(), containers };
        return Err(Report::from(error).code(2));
    }
    store.remove_network(&network.name)?;
    change::unmake(store, network)?;
    drop(lock);
    events::record(store.layout().root(), &[Event::new(Kind::Network, Action::Remove, &network.id, &network.name)]);
    Ok(())
}
