//! `secret rm`: secrets go; containers that have them keep their copies.

use std::process::ExitCode;

use clap::Args;

use super::get;
use crate::cli::{Context, Report, output};

/// Remove secrets; containers that have them keep what they have
#[derive(Debug, Args)]
pub struct Rm {
    /// All secrets
    #[arg(long, short, conflicts_with = "secrets")]
    all: bool,
    /// Names that no secret has are no failure
    #[arg(long, short)]
    ignore: bool,
    /// Names or IDs
    #[arg(value_name = "SECRET")]
    secrets: Vec<String>,
}

impl Rm {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if !self.all && self.secrets.is_empty() {
            return Err(Report::new("`coracle secret rm` requires one argument, or the --all flag"));
        }
        let store = context.store()?;
        if self.all {
            for secret in store.secrets()?.found {
                store.remove_secret(&secret.name)?;
                output::line(&secret.id);
            }
        }
        let mut failed: Option<Report> = None;
        for name in &self.secrets {
            if self.ignore && matches!(store.secret(name), Ok(None)) {
                continue;
            }
            let removed = get(&store, name).and_then(|secret| {
                store.remove_secret(&secret.name)?;
                Ok(secret.id)
            });
            match (removed, &mut failed) {
                (Ok(id), _) => output::line(&id),
                // One that can't be read.
                (Err(_), _) if store.remove_secret(name).unwrap_or(false) => output::line(name),
                (Err(report), Some(failed)) => failed.join(report),
                (Err(report), None) => failed = Some(report),
            }
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}
