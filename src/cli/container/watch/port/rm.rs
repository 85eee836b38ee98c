//! `port rm`: ports of a container that are published no more.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::container::find;
use crate::container::publish;
use crate::network::ports::{self, Published, SocketFile};

/// Publish ports of a container no more
///
/// Those that are named with their port of this machine go alone; a port of the container's goes wherever it is published.
/// Connections that are there stay.
#[derive(Debug, Args)]
pub struct Rm {
    /// Name or ID
    container: String,
    /// Of the container, such as `80` or `53/udp`, or one alone, such as `8080:80` or `unix:/PATH:80`
    #[arg(required = true, value_name = "[[ADDRESS:]PORT:]PORT[/PROTOCOL]")]
    ports: Vec<String>,
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        for text in &self.ports {
            if let Some(file) = SocketFile::parse(text) {
                publish::remove_file(&mut found, &file?)?;
                continue;
            }
            for asked in ports::parse(text)?.iter().flat_map(Published::singles) {
                publish::remove(&mut found, &asked)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
