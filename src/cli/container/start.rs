//! `start`: a container that was created, or has ended, runs (again).

use std::process::ExitCode;

use clap::Args;

use super::run::{leave, stay};
use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::state::Status;

/// Start containers
#[derive(Debug, Args)]
pub struct Start {
    /// Stay with the container, its output and its exit code
    #[arg(long, short)]
    attach: bool,
    /// Feed standard input to the program (with `--attach`)
    #[arg(long, short)]
    interactive: bool,
    /// Names or IDs
    #[arg(required = true)]
    containers: Vec<String>,
}

impl Start {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        if self.attach || self.interactive {
            let [name] = self.containers.as_slice() else {
                return Err(Report::new("you cannot start and attach multiple containers at once"));
            };
            let mut found = find::find(&store, name)?;
            found.container.interactive |= self.interactive;
            return stay(context, &store, &found, true).map(ExitCode::from);
        }
        super::each(&store, &self.containers, |found, name| {
            // Already running is what was asked for.
            if found.state()?.status != Status::Running {
                leave(context, &store, found)?;
            }
            output::line(name);
            Ok(())
        })
    }
}
