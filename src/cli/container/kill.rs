//! `kill`: a signal to the program.

use std::process::ExitCode;

use clap::Args;

use super::choice::{Choice, Wide};
use super::options::value::signal;
use crate::cli::{Context, Report, output};
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
    #[command(flatten)]
    choice: Choice,
}

impl Kill {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let number = signal(&self.signal)?;
        let store = context.store()?;
        let mut names = self.choice.names(&store, &Wide { all: self.all, ..Wide::default() })?;
        if self.all {
            let lives = |name: &String| find::find(&store, name)?.state().map(|state| state.lives());
            names.retain(|name| lives(name).is_ok_and(|lives| lives));
        }
        super::each(&store, &names, |found, name| {
            life::stop::signal(found, number)?;
            output::line(name);
            Ok(())
        })
    }
}
