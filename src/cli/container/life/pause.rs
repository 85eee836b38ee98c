//! `pause` and `unpause`: every process of a container stops, and goes on.

use std::process::ExitCode;

use clap::Args;

use crate::cli::container::choice::{Choice, Wide};
use crate::cli::container::each;
use crate::cli::{Context, Report, output};
use crate::container::find::{self, Found};
use crate::container::life;
use crate::container::state::Status;

/// Stop every process of containers, until they are unpaused
#[derive(Debug, Args)]
pub struct Pause {
    /// All that run
    #[arg(long, short)]
    all: bool,
    /// Only those that fit, as with `ps`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    #[command(flatten)]
    choice: Choice,
}

/// Let the processes of paused containers go on
#[derive(Debug, Args)]
pub struct Unpause {
    /// All that are paused
    #[arg(long, short)]
    all: bool,
    /// Only those that fit, as with `ps`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    #[command(flatten)]
    choice: Choice,
}

impl Pause {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let Self { all, filter, choice } = self;
        let wide = Wide { all, filters: &filter, ..Wide::default() };
        change(context, &choice, &wide, false, life::pause::pause)
    }
}

impl Unpause {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let Self { all, filter, choice } = self;
        let wide = Wide { all, filters: &filter, ..Wide::default() };
        change(context, &choice, &wide, true, life::pause::unpause)
    }
}

/// With `--all`, those that run and are `paused`, or are not.
fn change(
    context: &Context,
    choice: &Choice,
    wide: &Wide<'_>,
    paused: bool,
    act: fn(&Found) -> crate::container::Result<()>,
) -> Result<ExitCode, Report> {
    let store = context.store()?;
    let mut names = choice.names(&store, wide)?;
    if wide.all {
        let state = |name: &String| find::find(&store, name)?.state();
        names.retain(|name| state(name).is_ok_and(|state| state.status == Status::Running && state.paused == paused));
    }
    each(&store, &names, |found, name| {
        act(found)?;
        output::line(name);
        Ok(())
    })
}
