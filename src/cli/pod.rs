//! `pod`: there are none yet, and whoever asks is told so.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::{self, table};
use super::{Context, Report};

/// List pods, of which there are none
#[derive(Debug, Args)]
pub struct Pod {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell by the exit code whether a pod exists: 1
    Exists {
        /// Name or ID
        pod: String,
    },
    /// Show everything about pods
    Inspect {
        /// Names or IDs
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// List pods
    #[command(visible_aliases = ["list", "ps"])]
    Ls(Nothing),
    /// Remove all pods that do not run
    Prune {
        /// Do not ask
        #[arg(long, short)]
        force: bool,
    },
    /// Remove pods
    Rm {
        /// All pods
        #[arg(long, short)]
        all: bool,
        /// What is not there is no error
        #[arg(long, short, alias = "ignore", short_alias = 'i')]
        force: bool,
        /// Accepted for scripts: nothing has to be stopped
        #[arg(long, short, hide = true, value_name = "SECONDS", allow_negative_numbers = true)]
        time: Option<i64>,
        /// Names or IDs
        #[arg(required_unless_present = "all", value_name = "NAME")]
        names: Vec<String>,
    },
}

/// A list with nothing in it.
#[derive(Debug, Args)]
pub struct Nothing {
    /// Only those that fit
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// No line of headings
    #[arg(long, short)]
    noheading: bool,
    /// Whole IDs
    #[arg(long)]
    no_trunc: bool,
    /// Only names
    #[arg(long, short)]
    quiet: bool,
}

impl Nothing {
    pub fn show(&self, headings: &[&str]) {
        match self.format.as_deref() {
            Some("json") => output::line("[]"),
            None if !self.quiet && !self.noheading => {
                output::print(&table::table(&[headings.iter().map(|heading| (*heading).to_owned()).collect()]));
            }
            _ => {}
        }
    }
}

impl Pod {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        match self.command {
            Command::Exists { .. } => return Ok(ExitCode::FAILURE),
            Command::Inspect { names } => {
                output::line("[]");
                return Err(Report::new(format!("no such pod {}", names.join(" "))));
            }
            Command::Rm { all: false, force: false, names, .. } => {
                let absent = |name: &String| format!("no pod with name or ID {name} found: no such pod");
                return Err(Report::new(names.iter().map(absent).collect::<Vec<_>>().join("; ")).code(1));
            }
            Command::Ls(list) => list.show(&["POD ID", "NAME", "STATUS", "CREATED", "INFRA ID", "# OF CONTAINERS"]),
            Command::Prune { .. } | Command::Rm { .. } => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}
