//! `doctor`: tries each thing that a container needs here, and says what helps.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rustix::fs::Access;
use serde_json::json;

use super::trial;
use crate::cli::container::options::network::DefaultMaker;
use crate::cli::output::colour::{Colour, paint};
use crate::cli::output::time::size;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::host::check::{self, Check};
use crate::host::dirs::{Dirs, network};
use crate::network::named::{companion, plumbing};
use crate::network::pasta;
use crate::network::way::Maker;

/// Try each thing that a container needs of this machine and account, and say what helps
///
/// `ok`: it works; `missing`: containers run without it, and lack what it is good for; `broken`: none can run, and the exit code is 1
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print as `json`
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    format: Option<String>,
    #[command(flatten)]
    network: DefaultMaker,
}

/// Below so many bytes, or files, an image of usual size is not unpacked.
const LITTLE: u64 = 1 << 30;
const FEW: u64 = 50_000;

impl Doctor {
    /// The exit code is 1 where no container can run.
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let mut checks = check::all();
        if self.network.get()? == Some(Maker::Pasta) {
            checks.push(pasta(&self.network.default_helper_folder));
        }
        checks.push(named_networks());
        match context.dirs() {
            Ok(dirs) => {
                checks.push(data_directory(&dirs));
                checks.extend(space(&dirs));
                checks.extend(trial::overlays(&dirs.data));
            }
            Err(report) => {
                checks.push(Check::bad("data directory", report.messages.join("; "), report.hints.join("; ")));
            }
        }
        checks.push(check::service_manager());
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
    let colour = match (check.ok, check.essential) {
        (true, _) => Colour::Green,
        (false, false) => Colour::Yellow,
        (false, true) => Colour::Red,
    };
    let painted = |colour, text: &str| paint(&std::io::stdout(), colour, text);
    let state = painted(colour, &format!("{:<7}", state(check)));
    output::print(&format!("{state}  {:<20}  {}\n", check.name, output::printable(&check.why)));
    if let Some(hint) = &check.hint {
        output::print(&format!("         {} {}\n", painted(Colour::Cyan, "hint:"), output::printable(hint)));
    }
}

fn state(check: &Check) -> &'static str {
    match (check.ok, check.essential) {
        (true, _) => "ok",
        (false, false) => "missing",
        (false, true) => "broken",
    }
}

/// Of those who make a private network's way out, the one that this account wants: this program's own is always there.
fn pasta(folders: &[PathBuf]) -> Check {
    const NAME: &str = "pasta";
    match pasta::find(folders) {
        Ok(program) => Check::good(NAME, program.display().to_string()),
        Err(error) => Check::poor(NAME, error.to_string(), error.hint().unwrap_or_default()),
    }
}

/// Space for layers, and files that may still be made.
fn space(dirs: &Dirs) -> Option<Check> {
    const NAME: &str = "disk space";
    let disk = rustix::fs::statvfs(dirs.data.ancestors().find(|directory| directory.exists())?).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let why = format!("{} are free at {}", size(free), dirs.data.display());
    let hint = "`coracle system df` shows what takes space, `coracle system prune` frees it";
    // Btrfs and its like have no fixed number of files, and say 0.
    Some(match (free < LITTLE, disk.f_files > 0 && disk.f_favail < FEW) {
        (true, _) => Check::poor(NAME, format!("only {why}"), hint),
        (false, true) => Check::poor(NAME, format!("{why}, but only {} files can be made", disk.f_favail), hint),
        (false, false) => Check::good(NAME, why),
    })
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
