//! `quadlet rm`: this account's own quadlets, and their units, go.

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::{own, renew, unknown};
use crate::cli::{Report, output};
use crate::host::change;
use crate::host::systemd::Manager;
use crate::systemd::quadlet::find;

/// Remove quadlets of this account, and their units
#[derive(Debug, Args)]
pub struct Rm {
    /// All of them
    #[arg(long, short)]
    all: bool,
    /// Stop the units before
    #[arg(long, short)]
    force: bool,
    /// What is not there is no error
    #[arg(long, short)]
    ignore: bool,
    /// Have the service manager read its units again
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(default_value_t = true, action = ArgAction::Set, hide_default_value = true, hide_possible_values = true)]
    reload_systemd: bool,
    /// Their names, as in `list`
    #[arg(value_name = "QUADLET", required_unless_present = "all")]
    names: Vec<String>,
}

impl Rm {
    pub fn run(self) -> Result<ExitCode, Report> {
        let own = [own()?];
        let (quadlets, _) = find::load(&own);
        let all = quadlets.iter().map(|quadlet| quadlet.name.clone()).filter(|_| self.all);
        for name in self.names.iter().cloned().chain(all) {
            let Some(path) = find::named(&name, &own) else {
                if self.ignore {
                    continue;
                }
                return Err(unknown(&name));
            };
            let unit = quadlets.iter().find(|quadlet| quadlet.name == name).map(|quadlet| quadlet.service_name());
            if self.force
                && let (Some(unit), Some(manager)) = (unit, Manager::of_user())
            {
                let stopped = manager.and_then(|mut manager| manager.stop(&format!("{unit}.service")));
                stopped.map_err(Report::new)?;
            }
            change::remove_file(&path)?;
            // Drop-ins of this one alone.
            let drop_ins = path.with_file_name(format!("{name}.d"));
            if drop_ins.is_dir() && !drop_ins.is_symlink() {
                change::remove_tree(&drop_ins)?;
            }
            output::line(&name);
        }
        renew(self.reload_systemd, Duration::ZERO)
    }
}
