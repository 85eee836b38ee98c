//! `start`: a container that was created, or has ended, runs (again).

use std::process::ExitCode;

use clap::Args;

use super::choice::{Choice, Wide};
use super::run::{Manner, leave, stay};
use super::session::attach::join;
use super::session::detach_keys::{self, DetachKeys};
use super::session::handed_on;
use super::session::service::Service;
use crate::cli::{Context, Report, output};
use crate::container::state::Status;
use crate::container::{Error, find};

/// Start containers
#[derive(Debug, Args)]
pub struct Start {
    /// All containers
    #[arg(long)]
    all: bool,
    /// Stay with the container, its output and its exit code
    #[arg(long, short)]
    attach: bool,
    /// Keys that leave the container and let it run on; an empty text: none do
    #[arg(long, value_name = "KEYS", default_value = detach_keys::DEFAULT, hide_default_value = true)]
    detach_keys: String,
    /// Only those that fit, as with `ps`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Feed standard input to the program (with `--attach`)
    #[arg(long, short)]
    interactive: bool,
    /// Pass signals on to the program (with `--attach`)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    sig_proxy: bool,
    #[command(flatten)]
    choice: Choice,
}

impl Start {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let handed_on = handed_on::Flags::default().take_with_sockets()?;
        let keys = DetachKeys::parse(&self.detach_keys)?;
        let store = context.store()?;
        let wide = Wide { all: self.all, filters: &self.filter, ..Wide::default() };
        let names = self.choice.names(&store, &wide)?;
        if self.attach || self.interactive {
            let [name] = names.as_slice() else {
                return Err(Report::new("you cannot start and attach multiple containers at once"));
            };
            let mut found = find::find(&store, name)?;
            if found.state()?.status == Status::Running {
                return join(&found, self.interactive, self.sig_proxy, keys).map(ExitCode::from);
            }
            found.container.interactive |= self.interactive;
            let manner = Manner { pass_signals: self.sig_proxy, keys, handed_on };
            return stay(context, &store, &found, None, manner).map(ExitCode::from);
        }
        super::each(&store, &names, |found, name| {
            // Already running is what was asked for.
            let state = found.state()?;
            if state.paused {
                return Err(Error::Paused(found.container.short_id().to_owned()).into());
            }
            if !state.lives() {
                leave(context, &store, found, None, &handed_on, Service::of(&found.container).as_ref())?;
            }
            output::line(name);
            Ok(())
        })
    }
}
