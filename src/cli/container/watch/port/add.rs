//! `port add`: ports of a container that are published from now on.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::publish::{self, Places};
use crate::network::ports::{self, SocketFile};

/// Publish ports of a container, at once if it runs
///
/// Those of one that runs are published at once where its way out is the stack of this program.
#[derive(Debug, Args)]
pub struct Add {
    /// Name or ID
    container: String,
    /// As `--publish` takes it, with `unix:/PATH:PORT` a socket file
    #[arg(required = true, value_name = "[[ADDRESS:][PORT]:]PORT[/PROTOCOL]")]
    ports: Vec<String>,
}

impl Add {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        let mut asked = Places::default();
        for text in &self.ports {
            match SocketFile::parse(text) {
                Some(file) => asked.files.push(file?),
                None => asked.ports.extend(ports::parse(text)?),
            }
        }
        let Places { ports, files } = publish::add(&mut found, asked)?;
        for one in ports {
            for (host, port) in one.pairs() {
                output::line(&format!("{port}/{} -> {}:{host}", one.protocol, one.shown_address()));
            }
        }
        for SocketFile { path, container } in files {
            output::line(&format!("{container}/tcp -> unix:{}", path.display()));
        }
        Ok(ExitCode::SUCCESS)
    }
}
