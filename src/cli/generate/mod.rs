//! `generate`: completions and manual pages, for who packages the program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::root::Context;
use crate::cli::{Report, complete, manual};
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
        for (file, text) in manual::pages()? {
            atomic_file::write(&man.join(file), text.as_bytes(), false)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
