//! `rm`: containers go, running ones by force.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::choice::{Choice, Wide};
use crate::cli::container::options::value::patience;
use crate::cli::{Context, Report, output};
use crate::container::{Error, find, life};
use crate::store::{self, Store};

/// Remove containers
#[derive(Debug, Args)]
pub struct Rm {
    /// All containers
    #[arg(long, short)]
    all: bool,
    /// Before each, the containers that need it
    #[arg(long)]
    depend: bool,
    /// Only those that fit, as with `ps`
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Running ones too; names that no container has are no failure
    #[arg(long, short)]
    force: bool,
    /// Names that no container has are no failure
    #[arg(long, short)]
    ignore: bool,
    /// Seconds before the kill of a running one, -1: never [default: the container's, 10]
    #[arg(long, short, value_name = "SECONDS", value_parser = patience)]
    time: Option<u32>,
    /// Their anonymous volumes, too
    #[arg(long, short)]
    volumes: bool,
    #[command(flatten)]
    choice: Choice,
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        life::sweep::sweep(&store);
        let mut failed: Option<Report> = None;
        let ignore = self.force || self.ignore;
        let wide = Wide { all: self.all, filters: &self.filter, ignore, absent: Some(1) };
        let mut names = self.choice.names(&store, &wide)?;
        if self.all || !self.filter.is_empty() {
            // The youngest first: what needs another is younger than that.
            names.reverse();
        }
        if self.depend {
            names = with_dependents(&store, names)?;
        }
        for name in &names {
            let removed = self.remove(&store, name);
            let report = match removed {
                Ok(()) => {
                    output::line(name);
                    continue;
                }
                Err(Error::NotFound(_)) if self.force || self.ignore => continue,
                Err(error @ Error::NotFound(_)) => Report::from(error).code(1),
                Err(error @ Error::RemoveRunning { .. }) => Report::from(error).code(2),
                Err(error) => error.into(),
            };
            match &mut failed {
                Some(failed) => failed.join(report),
                None => failed = Some(report),
            }
        }
        // What commands left that died; whatever happens to it, the containers are gone.
        let _ = crate::layer::worker::sweep(&store);
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    fn remove(&self, store: &Store, name: &str) -> Result<(), Error> {
        match find::find(store, name) {
            Ok(found) => {
                let patience = self.time.unwrap_or(found.container.stop_timeout);
                let remove = if self.volumes { life::remove::remove_with_volumes } else { life::remove::remove };
                remove(store, &found, self.force, Duration::from_secs(patience.into()))
            }
            // A newer program can still read it.
            Err(Error::Broken { id, source }) if self.force || !matches!(source, store::Error::Newer { .. }) => {
                life::remove::remove_broken(store, &id, self.force)
            }
            Err(error) => Err(error),
        }
    }
}

fn with_dependents(store: &Store, names: Vec<String>) -> Result<Vec<String>, Report> {
    let ids = names.iter().map(|name| find::find_id(store, name)).collect::<Result<Vec<String>, Error>>()?;
    let mut all = life::dependents::all(store, &ids)?;
    let others = names.into_iter().zip(ids).filter(|(_, id)| !all.contains(id));
    let others: Vec<String> = others.map(|(name, _)| name).collect();
    all.extend(others);
    Ok(all)
}
