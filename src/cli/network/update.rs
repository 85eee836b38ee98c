//! `network update`: who is asked for names that no container on the network has.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;

use crate::cli::{Context, Report, output};
use crate::container::networks::get;

/// Change whom a network asks for other names, also for containers that run
#[derive(Debug, Args)]
pub struct Update {
    /// Ask these servers, too, in place of the host's
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    dns_add: Vec<IpAddr>,
    /// Ask these no more
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    dns_drop: Vec<IpAddr>,
    /// Its name or ID
    network: String,
}

impl Update {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let _lock = store.lock_networks()?;
        let mut network = get(&store, &self.network)?;
        let servers = &mut network.dns_servers;
        servers.retain(|server| !self.dns_drop.contains(server));
        for server in self.dns_add {
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        store.write_network(&network)?;
        output::line(&network.name);
        Ok(ExitCode::SUCCESS)
    }
}
