//! `export`: all that a container shows, as a tar archive.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::stdout;
use rustix::termios::isatty;

use crate::cli::{Context, Report};
use crate::container::{find, tree};
use crate::host::atomic_file::Unfinished;

/// Write the file system of a container as a tar archive
#[derive(Debug, Args)]
pub struct Export {
    /// To this file, which appears when it is whole [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name or ID
    container: String,
}

impl Export {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if self.output.is_none() && isatty(stdout()) {
            return Err(Report::new("refusing to export to terminal. Use -o flag or redirect"));
        }
        if let Some(path) = self.output.as_ref().filter(|path| path.to_string_lossy().contains(':')) {
            let message = format!("invalid filename (should not contain ':') \"{}\"", path.display());
            return Err(Report::new(message));
        }
        let store = context.store()?;
        let found = find::find(&store, &self.container)?;
        match self.output {
            None => tree::export(&store, &found, stdout())?,
            Some(path) => {
                let file = Unfinished::create(&path)?;
                tree::export(&store, &found, file.fd())?;
                file.finish()?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
