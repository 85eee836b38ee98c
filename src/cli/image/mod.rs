//! Commands about images.

pub mod archive;
pub mod build;
pub mod exists;
pub mod history;
pub mod inspect;
pub mod limit;
pub mod list;
pub mod mount;
pub mod prune;
pub mod pull;
pub mod push;
pub mod reach;
pub mod remove;
pub mod scp;
pub mod tag;
pub mod tree;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::container::tree::diff::DiffImage;
use crate::cli::registry::search::Search;
use crate::cli::{Context, Report};

/// Manage images
#[derive(Debug, Args)]
pub struct Image {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(Box<build::Build>),
    Diff(DiffImage),
    Exists(exists::Exists),
    History(history::History),
    Import(archive::Import),
    Inspect(inspect::Inspect),
    Load(archive::Load),
    #[command(visible_alias = "list")]
    Ls(list::Images),
    Mount(mount::Mount),
    Prune(prune::Prune),
    Pull(Box<pull::Pull>),
    Push(Box<push::Push>),
    Rm(remove::Rmi),
    Save(archive::Save),
    Scp(scp::Scp),
    Search(Search),
    Tag(tag::Tag),
    Tree(tree::Tree),
    #[command(visible_alias = "umount")]
    Unmount(mount::Unmount),
    Untag(tag::Untag),
}

impl Image {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Build(command) => command.run(context),
            Command::Diff(command) => command.run(context),
            Command::Exists(command) => command.run(context),
            Command::History(command) => command.run(context),
            Command::Import(command) => command.run(context),
            Command::Inspect(command) => command.run(context),
            Command::Load(command) => command.run(context),
            Command::Ls(command) => command.run(context),
            Command::Mount(command) => command.run(context),
            Command::Prune(command) => command.run(context),
            Command::Pull(command) => command.run(context),
            Command::Push(command) => command.run(context),
            Command::Rm(command) => command.run(context),
            Command::Save(command) => command.run(context),
            Command::Scp(command) => command.run(context),
            Command::Search(command) => command.run(context),
            Command::Tag(command) => command.run(context),
            Command::Tree(command) => command.run(context),
            Command::Unmount(command) => command.run(context),
            Command::Untag(command) => command.run(context),
        }
    }
}
