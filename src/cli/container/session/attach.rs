//! `attach`: to the standard streams of a container that runs.

use std::process::ExitCode;

use clap::Args;

use super::detach_keys::{self, DetachKeys};
use super::foreground::Foreground;
use crate::cli::container::latest::Latest;
use crate::cli::{Context, Report};
use crate::container::find::Found;
use crate::container::into::attach;

/// Attach to a running container
#[derive(Debug, Args)]
pub struct Attach {
    /// Keys that leave the container and let it run on; an empty text: none do
    #[arg(long, value_name = "KEYS", default_value = detach_keys::DEFAULT, hide_default_value = true)]
    detach_keys: String,
    /// Do not feed standard input to the program
    #[arg(long)]
    no_stdin: bool,
    /// Pass signals on to the program
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = clap::ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    sig_proxy: bool,
    #[command(flatten)]
    container: Latest,
}

impl Attach {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let found = self.container.find(&store)?;
        let keys = DetachKeys::parse(&self.detach_keys)?;
        join(&found, !self.no_stdin, self.sig_proxy, keys).map(ExitCode::from)
    }
}

/// Attaches and stays until the program has ended, or the keys are typed; the exit code.
pub fn join(found: &Found, input: bool, pass_signals: bool, keys: DetachKeys) -> Result<u8, Report> {
    let container = &found.container;
    let foreground = Foreground {
        input: input && container.interactive,
        terminal: container.terminal,
        pass_signals,
        keys,
        muted: [false; 2],
        launcher: false,
        service: None,
    };
    foreground.stay(attach::attach(found)?)
}
