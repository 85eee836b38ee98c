//! `quadlet`: units of systemd in which containers run, made of files that say what is to run.
//!
//! Called by the name of a generator (systemd.generator(7)), as through a link from /usr/lib/systemd/user-generators, the program is
//! one. Without an administrator there is no such link: then `install`, `rm` and `sync` write the units themselves.

mod install;
mod list;
pub mod page;
mod print;
mod rm;
mod sync;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::{Context, Report, output};
use crate::host::change;
use crate::host::lock::Lock;
use crate::host::systemd::Manager;
use crate::systemd::quadlet::{self, Service, find, folder, watch};

/// What a generator is called.
const GENERATOR: &str = "user-generator";

/// Whose turn it is to write units, in their folder.
const TURN: &str = ".coracle-quadlet.lock";
const PATIENCE: Duration = Duration::from_secs(60);
/// Who changes quadlets without a pause has their units written so often, and then at the next change.
const MOST_ROUNDS: usize = 100;
/// How often it is looked whether they have settled.
const LOOK: Duration = Duration::from_millis(250);

/// Make units of systemd of the files that say which containers are to run, see coracle-quadlet(5)
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Quadlet {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Print the units, and write none
    #[arg(long)]
    dryrun: bool,
    /// Those of this user, which are the only ones that there are
    #[arg(long)]
    user: bool,
    /// Complain on standard error, as is always done
    #[arg(long)]
    no_kmsg_log: bool,
    /// Where the units go; the second and the third are there since systemd names three
    #[arg(value_name = "DIRECTORY", num_args = 0..=3)]
    directories: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Install(install::Install),
    #[command(visible_alias = "ls")]
    List(list::List),
    Print(print::Print),
    Rm(rm::Rm),
    Sync(sync::Sync),
}

impl Quadlet {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        match self.verb {
            Some(Verb::Install(verb)) => return verb.run(),
            Some(Verb::List(verb)) => return verb.run(),
            Some(Verb::Print(verb)) => return verb.run(),
            Some(Verb::Rm(verb)) => return verb.run(),
            Some(Verb::Sync(verb)) => return verb.run(),
            None => {}
        }
        let (quadlets, unreadable) = find::load(&find::folders());
        let (services, errors) = quadlet::services(&quadlets, &program()?);
        match self.directories.first() {
            _ if self.dryrun => services.iter().for_each(|service| output::print(&shown(service))),
            Some(directory) => folder::write(directory, &services)?,
            None => return Err(Report::new("missing output directory").hint("`--dryrun` prints the units")),
        }
        let errors: Vec<_> = unreadable.into_iter().chain(errors).collect();
        errors.iter().for_each(|error| output::complain(&format!("Error: {error}")));
        Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The words of the command that a generator's are. `None`: the program is called by its own name.
pub fn of_generator(given: &[OsString]) -> Option<Vec<OsString>> {
    let (name, directories) = given.split_first()?;
    let name = Path::new(name).file_name()?.to_str()?;
    name.ends_with(GENERATOR)
        .then(|| [name.into(), "quadlet".into()].into_iter().chain(directories.iter().cloned()).collect())
}

fn shown(service: &Service) -> String {
    format!("---{}---\n{}\n", service.name, service.text())
}

/// The path by which units start this program.
pub fn program() -> Result<String, Report> {
    let path = std::env::current_exe().map_err(|error| Report::new(format!("this program has no path: {error}")))?;
    path.to_str().map(str::to_owned).ok_or_else(|| Report::new(format!("`{}` is not valid UTF-8", path.display())))
}

/// The account's own folder of quadlets.
fn own() -> Result<PathBuf, Report> {
    find::own().ok_or_else(|| Report::new("this account has no home directory").hint("set `HOME`"))
}

/// All units that are to be there, and what can't be one. With quadlets, right or wrong, there are those that watch them.
fn wanted(program: &str) -> (Vec<Service>, Vec<quadlet::Error>) {
    let folders = find::folders();
    let (quadlets, mut errors) = find::load(&folders);
    let (mut services, others) = quadlet::services(&quadlets, program);
    errors.extend(others);
    if find::names(&folders).next().is_some() {
        services.extend(watch::units(&find::watched(&folders), program));
    }
    (services, errors)
}

/// The account's own folder of units is made what the quadlets say, its service manager reads it again, and watches them. Those that
/// can't be units are told of. It ends when the quadlets have not changed for so long as `settle`.
fn renew(reload: bool, settle: Duration) -> Result<ExitCode, Report> {
    let (units, program) = (units()?, program()?);
    change::create_dirs(&units)?;
    let mut errors = Vec::new();
    for _ in 0..MOST_ROUNDS {
        // One who comes later sees what the one before has seen, too.
        let turn = Lock::exclusive_within(&units.join(TURN), PATIENCE)?;
        let services;
        (services, errors) = wanted(&program);
        folder::keep_in_step(&units, &services)?;
        drop(turn);
        if reload {
            self::reload()?;
            watch_them(services.iter().any(|service| service.name == watch::PATH))?;
        }
        // Also what changed before it was watched.
        if !changes_within(settle, &services, &program) {
            break;
        }
    }
    errors.iter().for_each(|error| output::complain(&format!("Error: {error}")));
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn changes_within(settle: Duration, services: &[Service], program: &str) -> bool {
    let begun = Instant::now();
    loop {
        if wanted(program).0 != services {
            return true;
        }
        let Some(rest) = settle.checked_sub(begun.elapsed()).filter(|rest| !rest.is_zero()) else { return false };
        std::thread::sleep(rest.min(LOOK));
    }
}

/// Has the service manager, if one runs, see changes of quadlets; or no more.
fn watch_them(is_wanted: bool) -> Result<(), Report> {
    let Some(manager) = Manager::of_user() else { return Ok(()) };
    let done = manager.and_then(|mut manager| match is_wanted {
        true => manager.start(watch::PATH),
        false => manager.stop(watch::PATH),
    });
    done.map_err(Report::new)
}

/// The account's own folder of units.
pub fn units() -> Result<PathBuf, Report> {
    Ok(own()?.join("../../systemd/user"))
}

/// Has the account's service manager, if one runs, read its units again.
pub fn reload() -> Result<(), Report> {
    match Manager::of_user() {
        Some(manager) => manager.and_then(|mut manager| manager.reload()).map_err(Report::new),
        None => {
            output::complain("no service manager of this user runs: it will find the units when it does");
            Ok(())
        }
    }
}

fn unknown(name: &str) -> Report {
    Report::new(format!("there is no quadlet `{name}`"))
        .hint("`coracle quadlet list` shows those that are there")
        .code(1)
}
