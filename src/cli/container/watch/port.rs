//! `port`: which ports of a container are published.

use std::process::ExitCode;

use clap::Args;

use crate::cli::container::{latest, published};
use crate::cli::{Context, Report, output};
use crate::container::find;
use crate::container::state::Status;

/// List the ports of containers that are published on this machine
#[derive(Debug, Args)]
pub struct Port {
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

impl Port {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
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
            for (port, address, host) in published::each(&one.container) {
                match wanted {
                    Some(wanted) if *wanted != port && format!("{wanted}/tcp") != port => continue,
                    Some(_) => output::line(&format!("{address}:{host}")),
                    None if self.all => {
                        output::line(&format!("{}\t{port} -> {address}:{host}", one.container.short_id()))
                    }
                    None => output::line(&format!("{port} -> {address}:{host}")),
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
