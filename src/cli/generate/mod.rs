//! `generate`: what is made of something else: units of containers; completions and manual pages, for who packages the program.

mod systemd;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Context, Report, complete, manual, missing, report};
use crate::host::{atomic_file, change};

/// Write units of systemd that start containers
#[derive(Debug, Args)]
pub struct Generate {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Systemd(systemd::Systemd),
    /// A directory: completions and manual pages are written into `completions/` and `man/` of it
    #[command(external_subcommand)]
    Package(Vec<OsString>),
}

impl Generate {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        match self.verb {
            Verb::Systemd(verb) => verb.run(context),
            Verb::Package(words) => package(&words),
        }
    }
}

fn package(words: &[OsString]) -> Result<ExitCode, Report> {
    let name = words.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    if let Some(words) = missing::why_below("generate", &name) {
        return Err(report::absent(&format!("generate {name}"), words));
    }
    let [directory] = words else {
        return Err(Report::new(format!("unrecognized command `coracle generate {name}`"))
            .hint("`coracle generate systemd` is the one that there is"));
    };
    let directory = Path::new(directory);
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
