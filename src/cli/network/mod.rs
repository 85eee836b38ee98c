//! Commands about networks.

mod connect;
mod create;
mod exists;
pub mod filter;
mod inspect;
mod ls;
pub mod prune;
mod reload;
mod rm;
pub mod shown;
mod subnets;
mod update;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report};

/// Manage networks on which containers find each other
#[derive(Debug, Args)]
pub struct Network {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Connect(connect::Connect),
    Create(create::Create),
    Disconnect(connect::Disconnect),
    Exists(exists::Exists),
    Inspect(inspect::Inspect),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Prune(prune::Prune),
    Reload(reload::Reload),
    #[command(visible_alias = "remove")]
    Rm(rm::Rm),
    Update(update::Update),
}

impl Network {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Connect(command) => command.run(context),
            Command::Create(command) => command.run(context),
            Command::Disconnect(command) => command.run(context),
            Command::Exists(command) => command.run(context),
            Command::Inspect(command) => command.run(context),
            Command::Ls(command) => command.run(context),
            Command::Prune(command) => command.run(context),
            Command::Reload(command) => command.run(context),
            Command::Rm(command) => command.run(context),
            Command::Update(command) => command.run(context),
        }
    }
}
