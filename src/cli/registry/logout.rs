//! `logout`: forgets who we are to a registry, or to all.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::key::Key;
use crate::cli::{Context, Report, output};
use crate::registry::{Credentials, Sources, registries};

/// Log out of a registry
#[derive(Debug, Args)]
pub struct Logout {
    /// Forget the credentials for all registries
    #[arg(long, short)]
    all: bool,
    /// Change this file of credentials
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
    /// Change this file of Docker's
    #[arg(long, value_name = "FILE", conflicts_with = "authfile")]
    compat_auth_file: Option<PathBuf>,
    /// `host[:port]`, or a namespace or repository there [default: the first of `unqualified-search-registries`]
    registry: Option<String>,
}

impl Logout {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        let registries = registries::of_account()?;
        let named = self.compat_auth_file.or(self.authfile);
        let sources = Sources::of_account(named.as_deref(), &registries);
        if self.all {
            if self.registry.is_some() {
                return Err(Report::new("--all takes no arguments"));
            }
            sources.clear()?;
            output::line("Removed login credentials for all registries");
            return Ok(ExitCode::SUCCESS);
        }
        let Key { key, .. } = Key::of(self.registry.as_deref(), &registries)?;
        if sources.remove(&key)? {
            output::line(&format!("Removed login credentials for {key}"));
        } else if sources.find_for(&key)? == Credentials::Anonymous {
            return Err(Report::new(format!("not logged into {key}"))
                .hint("registries are named as at `coracle login`; `--all` forgets all of them"));
        } else {
            output::line(&format!(
                "Not logged into {key} with current tool. Existing credentials were established via docker login. Please use \
                 docker logout instead."
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
