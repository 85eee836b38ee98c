//! Commands about secrets.

mod create;
mod exists;
pub mod inspect;
pub mod ls;
mod rm;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report};
use crate::container::Error;
use crate::store::Store;
use crate::store::secrets::Secret as Record;

/// Manage secrets
#[derive(Debug, Args)]
pub struct Secret {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    Exists(exists::Exists),
    Inspect(inspect::Inspect),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Rm(rm::Rm),
}

impl Secret {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Create(command) => command.run(context),
            Command::Exists(command) => command.run(context),
            Command::Inspect(command) => command.run(context),
            Command::Ls(command) => command.run(context),
            Command::Rm(command) => command.run(context),
        }
    }
}

fn get(store: &Store, name: &str) -> Result<Record, Report> {
    Ok(store.secret(name)?.ok_or_else(|| Error::NoSecret(name.to_owned()))?)
}
