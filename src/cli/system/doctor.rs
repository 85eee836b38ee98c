//! `doctor`: tries each thing that a container needs here, and says what helps.

use std::process::ExitCode;

use clap::Args;
use rustix::fs::Access;
use serde_json::json;

use super::trial;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::host::check::{self, Check};
use crate::host::dirs::{Dirs, network};
use crate::network::named::{companion, plumbing};

/// Try each thing that a container needs of this machine and account, and say what helps
///
/// `ok`: it works; `missing`: containers run without it, and lack what it is good for; `broken`: none can run, and the exit code is 1
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print as `json`
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    format: Option<String>,
}

impl Doctor {
    /// The exit code is 1 where no container can run.
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let mut checks = check::all();
        checks.push(way_out());
        checks.push(named_networks());
        match context.dirs() {
            Ok(dirs) => {
                checks.push(data_directory(&dirs));
                checks.extend(trial::overlays(&dirs.data));
            }
            Err(report) => {
                checks.push(Check::bad("data directory", report.messages.join("; "), report.hints.join("; ")));
            }
        }
        if self.format.is_some() {
            let values: Vec<_> = checks.iter().map(value).collect();
            output::print(&format::json(&values)?);
        } else {
            checks.iter().for_each(print);
        }
        let is_bad = checks.iter().any(|check| !check.ok && check.essential);
        Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn value(check: &Check) -> serde_json::Value {
    json!({
        "Name": check.name,
        "State": state(check),
        "Ok": check.ok,
        "Essential": check.essential,
        "Why": check.why,
        "Hint": check.hint,
    })
}

fn print(check: &Check) {
    output::line(&format!("{:<7}  {:<20}  {}", state(check), check.name, output::printable(&check.why)));
    if let Some(hint) = &check.hint {
        output::line(&format!("         hint: {}", output::printable(hint)));
    }
}

fn state(check: &Check) -> &'static str {
    match (check.ok, check.essential) {
        (true, _) => "ok",
        (false, false) => "missing",
        (false, true) => "broken",
    }
}

fn way_out() -> Check {
    const NAME: &str = "private network";
    const TUN: &str = "/dev/net/tun";
    match rustix::fs::access(TUN, Access::READ_OK | Access::WRITE_OK) {
        Ok(()) => Check::good(NAME, format!("{TUN} can be opened")),
        Err(error) => Check::poor(
            NAME,
            format!("{TUN} can't be opened: {error}"),
            format!(
                "let an administrator run `modprobe tun` and `chmod 666 {TUN}`; `--network=none` and `--network=host` work without it"
            ),
        ),
    }
}

fn named_networks() -> Check {
    const NAME: &str = "named networks";
    match plumbing::probe() {
        Ok(()) => Check::good(NAME, "bridges and pairs of interfaces can be made"),
        Err(error) => Check::poor(NAME, error.to_string(), companion::BRIDGES),
    }
}

/// The directory itself, or the nearest above it that exists: there it would be made.
fn data_directory(dirs: &Dirs) -> Check {
    const NAME: &str = "data directory";
    let data = &dirs.data;
    let Some(there) = data.ancestors().find(|directory| directory.exists()) else {
        return Check::bad(
            NAME,
            format!("{} can't be reached", data.display()),
            "name another with `--root DIRECTORY`",
        );
    };
    if let Err(error) = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK) {
        let why = format!("{} is not writable: {error}", there.display());
        return Check::bad(NAME, why, "name a directory of your own with `--root DIRECTORY`");
    }
    if let Some(kind) = network(data) {
        let why = format!("{} is on {kind}, which can't hold layers and locks", data.display());
        return Check::poor(NAME, why, "name one on a local disk with `--root DIRECTORY`");
    }
    match &dirs.moved {
        Some(reason) => Check::good(NAME, format!("{}: {reason}", data.display())),
        None => Check::good(NAME, data.display().to_string()),
    }
}
