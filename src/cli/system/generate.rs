//! `generate`: completions and manual pages from the definition of the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::cli::root::{Context, whole};
use crate::cli::{Report, complete, config, quadlet, registry};
use crate::host::{atomic_file, change};

/// Write completions and manual pages into `completions/` and `man/` of a directory
#[derive(Debug, Args)]
#[command(hide = true)]
pub struct Generate {
    /// The directory
    directory: PathBuf,
}

impl Generate {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        let completions = self.directory.join("completions");
        change::create_dirs(&completions)?;
        for (file, script) in complete::scripts() {
            atomic_file::write(&completions.join(file), script.as_bytes(), false)?;
        }
        let man = self.directory.join("man");
        change::create_dirs(&man)?;
        let mut command = whole();
        command.build();
        page(&man, &command, "coracle".to_owned())?;
        atomic_file::write(&man.join("coracle-registries.5"), registry::page::page().as_bytes(), false)?;
        atomic_file::write(&man.join("coracle-quadlet.5"), quadlet::page::page().as_bytes(), false)?;
        atomic_file::write(&man.join("coracle-configuration.5"), config::page::page().as_bytes(), false)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The page of a command, then those of its own.
fn page(directory: &Path, command: &clap::Command, name: String) -> Result<(), Report> {
    let mut text = Vec::new();
    let titled = command.clone().name(name.clone()).display_name(name.clone());
    // No date: the page of a release must not change from day to day.
    let page = clap_mangen::Man::new(titled).date("").manual("coracle");
    page.render(&mut text).map_err(Report::new)?;
    atomic_file::write(&directory.join(format!("{name}.1")), &text, false)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        self::page(directory, sub, format!("{name}-{}", sub.get_name()))?;
    }
    Ok(())
}
