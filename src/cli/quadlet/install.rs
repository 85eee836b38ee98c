//! `quadlet install`: files become this account's quadlets, and its units.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args};

use super::{own, program, renew};
use crate::cli::{Report, output};
use crate::host::{atomic_file, change};
use crate::systemd::quadlet::{self, find};

/// Copy files into the folder of this account's quadlets, and write their units
#[derive(Debug, Args)]
pub struct Install {
    /// In place of those of the same names that are there
    #[arg(long)]
    replace: bool,
    /// Have the service manager read its units again
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    reload_systemd: bool,
    /// `.container`, `.volume`, `.network` and `.image` files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl Install {
    pub fn run(self) -> Result<ExitCode, Report> {
        let own = own()?;
        let folders = find::folders();
        let (mut all, _) = find::load(&folders);
        let mut installed = Vec::new();
        for file in &self.files {
            let mut quadlet = find::one(file, &folders).map_err(Report::new)?;
            quadlet.path = own.join(&quadlet.name);
            if quadlet.path.exists() && !self.replace {
                return Err(Report::new(format!("there is a quadlet `{}`", quadlet.name))
                    .hint("`--replace` puts the new one in its place"));
            }
            all.retain(|other| other.name != quadlet.name);
            all.push(quadlet.clone());
            installed.push((file, quadlet));
        }
        // Before anything is there: what can't be a unit is not taken.
        let (_, errors) = quadlet::services(&all, &program()?);
        let is_new = |error: &&quadlet::Error| {
            installed.iter().any(|(file, quadlet)| [&quadlet.path, *file].contains(&&error.file))
        };
        if let Some(error) = errors.iter().find(is_new) {
            return Err(Report::new(error));
        }
        change::create_dirs(&own)?;
        for (file, quadlet) in &installed {
            let failed = |error| Report::new(format!("{}: {error}", file.display()));
            atomic_file::write(&quadlet.path, &std::fs::read(file).map_err(failed)?, false)?;
            output::line(&quadlet.path.display().to_string());
        }
        renew(self.reload_systemd)
    }
}
