//! `port rm`: ports of a container that are published no more.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report};
use crate::container::find;
use crate::container::publish;
use crate::network::ports;

/// Publish ports of a container no more
///
/// Connections that are there stay.
#[derive(Debug, Args)]
pub struct Rm {
    /// Name or ID
    container: String,
    /// Of the container, such as `80` or `53/udp`
    #[arg(required = true, value_name = "PORT[/PROTOCOL]")]
    ports: Vec<String>,
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        for text in &self.ports {
            if text.contains(':') {
                return Err(Report::new(format!("`{text}` is no port of the container's"))
                    .hint("its own port is named, as in `80` or `53/udp`: `port CONTAINER` lists them"));
            }
            for one in ports::parse(text)? {
                for (_, port) in one.pairs() {
                    if !publish::remove(&mut found, one.protocol, port)? {
                        return Err(Report::new(format!("failed to find published port \"{port}/{}\"", one.protocol)));
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
