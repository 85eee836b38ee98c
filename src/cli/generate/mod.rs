//! `generate`: what is made of something else: units of containers; completions and manual pages, for who packages the program.

mod systemd;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report, complete, manual};
use crate::host::{atomic_file, change};

/// Write units of systemd that start containers
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Generate {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Write completions and manual pages into `completions/` and `man/` of this directory
    #[arg(required = true, hide = true)]
    directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Systemd(systemd::Systemd),
}

impl Generate {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match (self.verb, self.directory) {
            (Some(Verb::Systemd(verb)), _) => verb.run(context),
            (None, directory) => package(&directory.unwrap_or_default()),
        }
    }
}

fn package(directory: &std::path::Path) -> Result<ExitCode, Report> {
    let completions = directory.join("completions");
    change::create_dirs(&completions)?;
    for (file, script) in complete::scripts() {
        atomic_file::write(&completions.join(file), script.as_bytes(), false)?;
    }
    let man = directory.join("man");
    change::create_dirs(&man)?;
    for (file, text) in manual::pages()? {
        atomic_file::write(&man.join(file), text.as_bytes(), false)?;
    }
    Ok(ExitCode::SUCCESS)
}
