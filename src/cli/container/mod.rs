//! Commands about containers.

mod boot;
mod choice;
pub mod create;
pub mod fetch;
pub mod inspect;
pub mod kill;
pub mod latest;
pub mod life;
pub mod logs;
pub mod options;
pub mod ps;
mod published;
pub mod rm;
pub mod run;
pub mod session;
pub mod start;
pub mod stop;
pub mod tree;
pub mod wait;
pub mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report};
use crate::container::find::{self, Found};
use crate::store::Store;

/// Manage containers
#[derive(Debug, Args)]
pub struct Container {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Attach(session::attach::Attach),
    Cleanup(life::cleanup::Cleanup),
    Commit(tree::commit::Commit),
    Cp(tree::cp::Cp),
    Create(create::Create),
    Diff(tree::diff::DiffContainer),
    Exec(session::exec::Exec),
    Exists(Exists),
    Export(tree::export::Export),
    Inspect(inspect::InspectContainer),
    Kill(kill::Kill),
    Logs(logs::Logs),
    #[command(visible_aliases = ["list", "ps"])]
    Ls(ps::Ps),
    Pause(life::pause::Pause),
    Port(watch::port::Port),
    Prune(life::prune::Prune),
    Rename(life::rename::Rename),
    Restart(life::restart::Restart),
    Rm(rm::Rm),
    Run(run::Run),
    Start(start::Start),
    Stats(watch::stats::Stats),
    Stop(stop::Stop),
    Top(watch::top::Top),
    Unpause(life::pause::Unpause),
    Update(life::update::Update),
    Wait(wait::Wait),
}

impl Container {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Attach(command) => command.run(context),
            Command::Cleanup(command) => command.run(context),
            Command::Commit(command) => command.run(context),
            Command::Cp(command) => command.run(context),
            Command::Create(command) => command.run(context),
            Command::Diff(command) => command.run(context),
            Command::Exec(command) => command.run(context),
            Command::Exists(command) => command.run(context),
            Command::Export(command) => command.run(context),
            Command::Inspect(command) => command.run(context),
            Command::Kill(command) => command.run(context),
            Command::Logs(command) => command.run(context),
            Command::Ls(command) => command.run(context),
            Command::Pause(command) => command.run(context),
            Command::Port(command) => command.run(context),
            Command::Prune(command) => command.run(context),
            Command::Rename(command) => command.run(context),
            Command::Restart(command) => command.run(context),
            Command::Rm(command) => command.run(context),
            Command::Run(command) => command.run(context),
            Command::Start(command) => command.run(context),
            Command::Stats(command) => command.run(context),
            Command::Stop(command) => command.run(context),
            Command::Top(command) => command.run(context),
            Command::Unpause(command) => command.run(context),
            Command::Update(command) => command.run(context),
            Command::Wait(command) => command.run(context),
        }
    }
}

/// Tell by the exit code whether a container exists: 0 or 1
#[derive(Debug, Args)]
pub struct Exists {
    /// Accepted for scripts: other programs' containers are never in this store
    #[arg(long, hide = true)]
    external: bool,
    /// Name or ID
    container: String,
}

impl Exists {
    fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match find::find(&context.store()?, &self.container) {
            Ok(_) => Ok(ExitCode::SUCCESS),
            Err(crate::container::Error::NotFound(_)) => Ok(ExitCode::from(1)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Does the same to each container that is named; failures are collected, and what can be done is done.
fn each(
    store: &Store,
    names: &[String],
    mut act: impl FnMut(&Found, &str) -> Result<(), Report>,
) -> Result<ExitCode, Report> {
    let mut failed: Option<Report> = None;
    for name in names {
        let gone = || Report::from(crate::container::Error::NotFound(name.clone()));
        let done = find::find(store, name).map_err(Report::from).and_then(|found| {
            // Somebody else was faster.
            act(&found, name).map_err(|report| if found.is_gone() { gone() } else { report })
        });
        if let Err(report) = done {
            match &mut failed {
                Some(failed) => failed.join(report),
                None => failed = Some(report),
            }
        }
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}
