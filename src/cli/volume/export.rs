//! `volume export` and `import`: what is in a volume, as a tar archive.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::{stdin, stdout};
use rustix::termios::isatty;

use super::get;
use crate::cli::{Context, Report};
use crate::container::mount::volumes;
use crate::host::atomic_file::Unfinished;

/// Write what is in a volume as a tar archive
#[derive(Debug, Args)]
pub struct Export {
    /// To this file, which appears when it is whole [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Its name
    volume: String,
}

/// Put what a tar archive holds into a volume, beside what is there
#[derive(Debug, Args)]
pub struct Import {
    /// Its name
    volume: String,
    /// The archive, compressed or not; `-` for standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    archive: PathBuf,
}

impl Export {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if self.output.is_none() && isatty(stdout()) {
            return Err(Report::new("refusing to export to terminal. Use -o flag or redirect"));
        }
        let store = context.store()?;
        let volume = get(&store, &self.volume)?;
        match self.output {
            None => volumes::export(&store, &volume, stdout())?,
            Some(path) => {
                let file = Unfinished::create(&path)?;
                volumes::export(&store, &volume, file.fd())?;
                file.finish()?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let volume = get(&store, &self.volume)?;
        if self.archive.as_os_str() == "-" {
            volumes::import(&store, &volume, stdin())?;
        } else {
            let failed = |error: std::io::Error| {
                let error = error.to_string();
                let reason = error.split(" (os error").next().unwrap_or_default().to_lowercase();
                Report::new(format!("open {}: {reason}", self.archive.display()))
            };
            let file = File::open(&self.archive).map_err(failed)?;
            volumes::import(&store, &volume, file.as_fd())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
