//! `kill`: a signal to the program.

use std::process::ExitCode;

use clap::Args;

use super::options::value::signal;
use crate::cli::{Context, Report, output};
use crate::container::state::Status;
use crate::container::{find, life};

/// Send a signal to containers
#[derive(Debug, Args)]
pub struct Kill {
    /// All running containers
    #[arg(long, short)]
    all: bool,
    /// The signal, by name or number
    #[arg(long, short, value_name = "SIGNAL", default_value = "KILL")]
    signal: String,
    /// Names or IDs
    #[arg(required_unless_present = "all")]
    containers: Vec<String>,
}

impl Kill {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let number = signal(&self.signal)?;
        let store = context.store()?;
        let mut names = self.containers.clone();
        if self.all {
            for found in find::list(&store)?.found {
                if found.state().is_ok_and(|state| state.status == Status::Running) {
                    names.push(found.container.id);
                }
            }
        }
        super::each(&store, &names, |found, name| {
            life::stop::signal(found, number)?;
            output::line(name);
            Ok(())
        })
    }
}
