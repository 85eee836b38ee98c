//! Commands about manifest lists: images for several platforms under one name.

mod add;
mod annotate;
mod artifact;
mod create;
mod exists;
mod inspect;
mod push;
mod remove;
mod rm;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report};

/// Manage manifest lists: images for several platforms under one name
#[derive(Debug, Args)]
pub struct Manifest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Box<add::Add>),
    Annotate(Box<annotate::Annotate>),
    Create(create::Create),
    Exists(exists::Exists),
    Inspect(inspect::Inspect),
    Push(Box<push::Push>),
    Remove(remove::Remove),
    Rm(rm::Rm),
}

impl Manifest {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Add(command) => command.run(context),
            Command::Annotate(command) => command.run(context),
            Command::Create(command) => command.run(context),
            Command::Exists(command) => command.run(context),
            Command::Inspect(command) => command.run(context),
            Command::Push(command) => command.run(context),
            Command::Remove(command) => command.run(context),
            Command::Rm(command) => command.run(context),
        }
    }
}
