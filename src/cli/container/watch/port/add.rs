//! `port add`: ports of a container that are published from now on.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::publish;
use crate::network::ports;

/// Publish ports of a container, at once if it runs
///
/// Those of one that runs are published at once where its way out is the stack of this program.
#[derive(Debug, Args)]
pub struct Add {
    /// Name or ID
    container: String,
    /// As `--publish` takes it
    #[arg(required = true, value_name = "[[ADDRESS:][PORT]:]PORT[/PROTOCOL]")]
    ports: Vec<String>,
}

impl Add {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        let mut asked = Vec::new();
        for text in &self.ports {
            asked.extend(ports::parse(text)?);
        }
        for one in publish::add(&mut found, asked)? {
            for (host, port) in one.pairs() {
                output::line(&format!("{port}/{} -> {}:{host}", one.protocol, one.shown_address()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
