//! `quadlet sync`: this account's units, as its quadlets are now.

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::renew;
use crate::cli::Report;

/// Write this account's units anew, as their quadlets are now; systemd itself calls it when one is changed
#[derive(Debug, Args)]
pub struct Sync {
    /// Have the service manager read its units again
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    reload_systemd: bool,
    /// Go on until they have not changed for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    settle: u32,
}

impl Sync {
    pub fn run(self) -> Result<ExitCode, Report> {
        renew(self.reload_systemd, Duration::from_secs(self.settle.into()))
    }
}
