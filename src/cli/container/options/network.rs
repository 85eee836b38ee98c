//! The network that a container has, and the names that it knows.

use clap::Args;

use crate::cli::Report;
use crate::container::record::{Container, Network};

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
#[group(skip)]
pub struct Flags {
    /// Add a line to /etc/hosts
    #[arg(long, value_name = "NAME:ADDRESS")]
    add_host: Vec<String>,
    /// `none`, `host`, or `private`: a network of its own with a way out
    #[arg(long, visible_alias = "net", value_name = "MODE", default_value = "private", hide_default_value = true)]
    network: String,
}

impl Flags {
    pub fn fill(&self, container: &mut Container) -> Result<(), Report> {
        container.add_hosts.clone_from(&self.add_host);
        container.network = network(&self.network)?;
        Ok(())
    }
}

fn network(mode: &str) -> Result<Network, Report> {
    match mode {
        "none" => Ok(Network::None),
        "host" => Ok(Network::Host),
        "private" | "pasta" | "default" | "" => Ok(Network::Private),
        _ => Err(Report::new(format!("the network `{mode}` is not known")).hint("`none`, `host` and `private` are")),
    }
}
