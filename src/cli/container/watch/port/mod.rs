//! `port`: which ports of a container are published, and `port add` and `port rm`, which change that.

mod add;
mod rm;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::cli::container::{latest, published};
use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::state::Status;

/// List the ports of containers that are published on this machine
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Port {
    #[command(subcommand)]
    change: Option<Change>,
    /// Of all running containers
    #[arg(long, short)]
    all: bool,
    /// Of the container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Name or ID; then a port, such as `80/tcp`
    #[arg(value_names = ["CONTAINER", "PORT"], num_args = 0..=2)]
    container_and_port: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Change {
    Add(add::Add),
    Rm(rm::Rm),
}

impl Port {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.change {
            Some(Change::Add(add)) => return add.run(context),
            Some(Change::Rm(rm)) => return rm.run(context),
            None => {}
        }
        let store = context.store()?;
        let mut words = self.container_and_port.iter();
        let all = match (self.all, self.latest) {
            (true, false) if words.len() == 0 => find::living(&store)?.found,
            (false, true) if words.len() < 2 => vec![latest::latest(&store)?],
            (false, false) => match words.next() {
                Some(name) => vec![find::find(&store, name)?],
                None => return Err(Report::new("you must supply a running container name or id")),
            },
            _ => return Err(Report::new("--all and --latest cannot be used with the name of a container")),
        };
        let wanted = words.next();
        let (mut runs, mut found) = (false, false);
        for one in all {
            if one.state()?.status != Status::Running {
                continue;
            }
            runs = true;
            let ports =
                published::each(&one.container).map(|(port, address, host)| (port, format!("{address}:{host}")));
            for (port, place) in ports.chain(published::sockets(&one.container)) {
                match wanted {
                    Some(wanted) if *wanted != port && format!("{wanted}/tcp") != port => continue,
                    Some(_) => output::line(&place),
                    None if self.all => output::line(&format!("{}\t{port} -> {place}", one.container.short_id())),
                    None => output::line(&format!("{port} -> {place}")),
                }
                found = true;
            }
        }
        match wanted {
            Some(port) if runs && !found => Err(Report::new(format!("failed to find published port \"{port}\""))),
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}
