//! `network`: there are no named ones yet, and whoever asks is told so.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::pod::Nothing;
use super::{Context, Report, output};

/// List named networks, of which there are none
#[derive(Debug, Args)]
pub struct Network {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell by the exit code whether a network exists: 1
    Exists {
        /// Its name
        network: String,
    },
    /// Show everything about networks
    Inspect {
        /// Names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// List networks
    #[command(visible_alias = "list")]
    Ls(Nothing),
    /// Remove all networks that no container uses
    Prune {
        /// Do not ask
        #[arg(long, short)]
        force: bool,
        /// Only those that fit
        #[arg(long, value_name = "KEY=VALUE")]
        filter: Vec<String>,
    },
    /// Remove networks
    Rm {
        /// What is not there is no error
        #[arg(long, short)]
        force: bool,
        /// Names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
}

impl Network {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Exists { .. } => return Ok(ExitCode::FAILURE),
            Command::Inspect { names } => {
                output::line("[]");
                let absent = |name: &String| format!("network {name}: {}", absent(name));
                return Err(Report::new(names.iter().map(absent).collect::<Vec<_>>().join("; ")));
            }
            Command::Rm { force: false, names } => {
                return Err(Report::new(names.iter().map(absent).collect::<Vec<_>>().join("; ")).code(1));
            }
            Command::Ls(list) => list.show(&["NETWORK ID", "NAME", "DRIVER"]),
            Command::Prune { .. } | Command::Rm { .. } => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn absent(name: &String) -> String {
    format!("unable to find network with name or ID {name}: network not found")
}
