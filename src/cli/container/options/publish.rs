//! Which ports of this machine lead to those of the container.

use clap::Args;

use crate::cli::Report;
use crate::container::networks;
use crate::container::record::{Container, Network};
use crate::host::message;
use crate::network::ports::{self, Passed, Published, SocketFile};
use crate::network::way::Maker;
use crate::store::Store;

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
#[group(skip)]
pub struct Flags {
    /// Let a port of this machine, or any that is free, lead to a port of the container, and a range to one as long; with
    /// `unix:/PATH:PORT` a socket file, made for this account alone, and with `fd:SOCKET:PORT` a socket that a service manager passes,
    /// by its name or number
    #[arg(long, short, value_name = "[[ADDRESS:][PORT]:]PORT[/PROTOCOL]")]
    publish: Vec<String>,
    /// Publish all exposed ports, on ports of this machine that are free
    #[arg(long, short = 'P')]
    publish_all: bool,
}

impl Flags {
    /// Once the network and the exposed ports are known.
    pub fn fill(&self, store: &Store, container: &mut Container) -> Result<(), Report> {
        let (mut files, mut sockets) = (Vec::new(), Vec::new());
        let mut asked = Vec::new();
        for text in &self.publish {
            match (SocketFile::parse(text), Passed::parse(text)) {
                (Some(file), _) => files.push(file?),
                (_, Some(socket)) => sockets.push(socket?),
                (None, None) => asked.extend(ports::parse(text)?),
            }
        }
        if self.publish_all {
            let more = all(&container.exposed_ports)?;
            let new = more.into_iter().filter(|one| !asked.iter().any(|other| other.serves(one)));
            asked.extend(new.collect::<Vec<_>>());
        }
        let mode = match container.network {
            Network::Named if networks::is_internal(store, container)? => "internal",
            Network::Private | Network::Named => {
                let others = match (&files[..], &sockets[..]) {
                    ([], []) => None,
                    ([], _) => Some("sockets that are passed"),
                    _ => Some("socket files"),
                };
                if let Some(others) = others.filter(|_| container.way == Some(Maker::Pasta)) {
                    return Err(ports::Error::NotOfPasta(others).into());
                }
                container.published = ports::settle(asked)?;
                container.socket_files = ports::settle_files(files)?;
                container.passed_sockets = sockets;
                container.publish_all = self.publish_all;
                if container.way_maker() == Maker::Pasta {
                    ports::suit_pasta(&container.published)?;
                }
                return Ok(());
            }
            Network::None => "none",
            Network::Host => "host",
            Network::Joined => "container",
        };
        if !asked.is_empty() || !files.is_empty() || !sockets.is_empty() {
            message::warn(|| {
                format!(
                    "port mappings have been discarded because \"{mode}\" network namespace mode does not support them"
                )
            });
        }
        Ok(())
    }
}

fn all<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Vec<Published>, ports::Error> {
    let mut all = Vec::new();
    for text in texts {
        all.extend(ports::parse(text)?);
    }
    Ok(all)
}
