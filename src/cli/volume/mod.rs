//! Commands about volumes.

mod create;
mod exists;
mod export;
mod filter;
pub mod inspect;
mod ls;
mod mount;
pub mod prune;
mod rm;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report};
use crate::store::Store;
use crate::store::volumes::{Volume as Record, Volumes};

/// Of a volume whose record can't be read.
const BROKEN: &str = "`coracle volume rm` removes it with its files";

/// Manage volumes
#[derive(Debug, Args)]
pub struct Volume {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    Exists(exists::Exists),
    Export(export::Export),
    Import(export::Import),
    Inspect(inspect::Inspect),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Mount(mount::Mount),
    Prune(prune::Prune),
    Reload(mount::Reload),
    Rm(rm::Rm),
    Unmount(mount::Unmount),
}

impl Volume {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Create(command) => command.run(context),
            Command::Exists(command) => command.run(context),
            Command::Export(command) => command.run(context),
            Command::Import(command) => command.run(context),
            Command::Inspect(command) => command.run(context),
            Command::Ls(command) => command.run(context),
            Command::Mount(command) => command.run(context),
            Command::Prune(command) => command.run(context),
            Command::Reload(command) => command.run(context),
            Command::Rm(command) => command.run(context),
            Command::Unmount(command) => command.run(context),
        }
    }
}

/// The volume of this name, or the only one whose name begins so.
fn find(store: &Store, name: &str) -> Result<Option<Record>, Report> {
    if let Some(volume) = store.volume(name)? {
        return Ok(Some(volume));
    }
    let mut beginning =
        store.volumes()?.found.into_iter().filter(|volume| !name.is_empty() && volume.name.starts_with(name));
    match (beginning.next(), beginning.next()) {
        (_, Some(_)) => Err(Report::new(format!("more than one result for volume name {name}: volume already exists"))
            .hint("`coracle volume ls` lists all volumes")),
        (found, None) => Ok(found),
    }
}

/// All that can be read, and what there is to say of the others.
fn all(store: &Store) -> Result<(Vec<Record>, Option<Report>), Report> {
    let Volumes { found, broken } = store.volumes()?;
    let reports = broken.into_iter().map(|(_, error)| Report::from(error).hint(BROKEN));
    let failed = reports.reduce(|mut failed, report| {
        failed.join(report);
        failed
    });
    Ok((found, failed))
}

/// As [`find`], where there must be one.
pub fn get(store: &Store, name: &str) -> Result<Record, Report> {
    find(store, name)?
        .ok_or_else(|| Report::new(format!("no such volume {name}")).hint("`coracle volume ls` lists all volumes"))
}
