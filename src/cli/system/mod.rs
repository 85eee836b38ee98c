//! Commands about this program and this machine.

pub mod doctor;
pub mod events;
pub mod generate;
pub mod info;
mod trial;
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
    Events(events::Events),
    Info(info::Info),
}

impl System {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Events(command) => command.run(context),
            Command::Info(command) => command.run(context),
        }
    }
}
