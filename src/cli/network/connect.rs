//! `network connect` and `disconnect`: of containers that run, at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;

use clap::Args;

use crate::cli::container::options::network::named::{alias, mac};
use crate::cli::{Context, Report};
use crate::container::find;
use crate::container::networks::{self, Attachment, change};
use crate::container::state::Status;
use crate::host::message;

/// Put a container on one more network
#[derive(Debug, Args)]
pub struct Connect {
    /// Another name by which the container is found there
    #[arg(long, value_name = "NAME")]
    alias: Vec<String>,
    /// Its IPv4 address there
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<Ipv4Addr>,
    /// Its IPv6 address there
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<Ipv6Addr>,
    /// The hardware's address there
    #[arg(long, value_name = "ADDRESS", value_parser = mac)]
    mac_address: Option<String>,
    /// The network's name or ID
    network: String,
    /// The container's name or ID
    container: String,
}

/// Take a container off a network
#[derive(Debug, Args)]
pub struct Disconnect {
    /// Accepted for scripts
    #[arg(long, short, hide = true)]
    force: bool,
    /// The network's name or ID
    network: String,
    /// The container's name or ID
    container: String,
}

impl Connect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        let addresses = self.ip.map(IpAddr::V4).into_iter().chain(self.ip6.map(IpAddr::V6));
        let attachment = Attachment {
            network: self.network,
            interface: String::new(),
            aliases: self.alias.iter().map(|text| alias(text)).collect::<Result<_, _>>()?,
            addresses: addresses.collect(),
            mac: self.mac_address,
        };
        let had_no_way_out = networks::is_internal(&store, &found.container)?;
        change::connect(&store, &mut found, attachment)?;
        let has_one = !networks::is_internal(&store, &found.container)?;
        if had_no_way_out && has_one && found.state()?.status == Status::Running {
            message::warn(|| {
                "the container's networks were internal: it has a way out from its next start on".to_owned()
            });
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Disconnect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, _lock) = find::to_change(&store, &self.container)?;
        change::disconnect(&store, &mut found, &self.network)?;
        Ok(ExitCode::SUCCESS)
    }
}
