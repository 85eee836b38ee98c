//! Commands about this program and this machine.

pub mod check;
pub mod df;
pub mod doctor;
pub mod events;
pub mod info;
pub mod nothing;
pub mod prune;
pub mod reset;
mod trial;
pub mod unshare;
pub mod version;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report};

/// Manage this program and what it keeps
#[derive(Debug, Args)]
pub struct System {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Df(df::Df),
    Events(events::Events),
    Info(info::Info),
    Migrate(nothing::Migrate),
    Prune(prune::Prune),
    Renumber(nothing::Renumber),
    Reset(reset::Reset),
}

impl System {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Check(command) => command.run(context),
            Command::Df(command) => command.run(context),
            Command::Events(command) => command.run(context),
            Command::Info(command) => command.run(context),
            Command::Migrate(command) => command.run(context),
            Command::Prune(command) => command.run(context),
            Command::Renumber(command) => command.run(context),
            Command::Reset(command) => command.run(context),
        }
    }
}
