//! The command line: one file a command, in a folder per noun. The only room that prints and decides exit codes.
//!
//! A command is a struct whose doc comments are its help, and a short `run`. What fails is turned into words, hints and an exit
//! code by [`report`] alone.

mod builder;
pub mod complete;
pub mod config;
mod container;
mod filter;
mod generate;
mod image;
mod manifest;
mod manual;
mod missing;
mod network;
pub mod output;
mod pod;
mod prune;
mod quadlet;
mod registry;
mod report;
mod root;
mod secret;
mod similar;
mod system;
pub mod unit;
mod volume;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, ArgMatches};
use rustix::fs::Mode;

use crate::host::message::{self, Level};
use crate::sys::process;
use config::Settings;
use container::options::value::empty;
pub use report::Report;
pub use root::Context;
use root::{Place, Stopped};

/// Global options that the environment may say, too, as `CORACLE_` and their name. A flag is stronger.
const OF_ENVIRONMENT: [&str; 7] =
    ["root", "runroot", "storage-driver", "storage-opt", "cgroup-manager", "log-level", "module"];

/// The program as a user starts it.
pub fn main() -> ExitCode {
    container::session::times::begin();
    crate::sys::signal::notice_children();
    // What a umask keeps from the group and others is the user's to say; a store whose owner can't read it is no use.
    let umask = rustix::process::umask(Mode::RWXU);
    rustix::process::umask(umask.difference(Mode::RWXU));
    let mut given: Vec<OsString> = std::env::args_os().collect();
    if let Some(words) = quadlet::of_generator(&given) {
        given = words;
    }
    let words: Vec<String> = given.iter().filter_map(|word| word.clone().into_string().ok()).collect();
    let mut settings = Settings::default();
    if given.len() > 1 {
        given.splice(1..1, of_environment());
    }
    let read = read(given, &words, &mut settings);
    match read.and_then(|matches| root::run(&matches)) {
        Ok(code) => code,
        Err(Stopped::Failed(report)) => match settings.origin(&report) {
            Some(origin) => report.hint(origin).print(),
            None => report.print(),
        },
        // Help shows all commands, and flags plainly, without the `=false` that they all take.
        Err(Stopped::Usage(error)) if error.kind() == ErrorKind::DisplayHelp => {
            report::usage(&root::whole().try_get_matches().err().unwrap_or(error), &words, &settings)
        }
        Err(Stopped::Usage(error)) => report::usage(&error, &words, &settings),
    }
}

/// The options that the environment says, as words.
fn of_environment() -> impl Iterator<Item = OsString> {
    OF_ENVIRONMENT.iter().filter_map(|option| {
        let variable = format!("CORACLE_{}", option.to_uppercase().replace('-', "_"));
        let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
        let mut word = OsString::from(format!("--{option}="));
        word.push(value);
        Some(word)
    })
}

/// Texts of the form `NAME[=VALUE]`; of those with one name the last counts.
fn pairs(texts: &[String]) -> BTreeMap<String, String> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    };
    texts.iter().map(pair).collect()
}

/// Reads the command line; where configuration counts, with what that says, which is then in `settings`.
fn read(mut given: Vec<OsString>, words: &[String], settings: &mut Settings) -> Result<ArgMatches, Stopped> {
    let mut command = as_podman_reads(root::meant_by(words));
    let place = Place::find(&command, &given);
    // From the beginning: what configuration is read is worth a message.
    listen(place.said("log-level").next_back())?;
    if let Some(directory) = place.said("config").next_back() {
        process::set_variable("DOCKER_CONFIG", directory).map_err(Report::from)?;
    }
    let name = match place.path[..] {
        ["manifest", "push"] => "manifest push",
        ["container" | "image" | "system", name] | [name] => name,
        _ => "",
    };
    let makes_container = matches!(name, "run" | "create");
    let has_defaults = config::COMMANDS.contains(&name);
    let variables_count = has_defaults || place.path.iter().any(|word| config::REACHING.contains(word));
    if variables_count {
        *settings = Settings::of_account(&place.said("module").cloned().collect::<Vec<_>>())?;
        settings.set_variables()?;
    }
    if has_defaults {
        let end = place.end;
        let meant = place.path.iter().try_fold(&command, |command, name| command.find_subcommand(name));
        if let Some(meant) = meant.filter(|_| makes_container) {
            empty::left_out(meant, &mut given, end);
        }
        if !makes_container {
            settings.leave_containers_out();
        }
        let path: Vec<String> = place.path.iter().map(ToString::to_string).collect();
        command = settings.defaults(command, &path);
        given.splice(end..end, settings.words());
    }
    Ok(command.try_get_matches_from(given)?)
}

/// Shows messages from the level `--log-level` on.
fn listen(level: Option<&OsString>) -> Result<(), Report> {
    let name = level.map_or("warn".into(), |level| level.to_string_lossy().to_lowercase());
    let least = match name.as_str() {
        "trace" | "debug" => Level::Debug,
        // Between them is nothing.
        "info" | "warn" | "warning" => Level::Warning,
        // What makes a command fail is told in any case.
        "error" | "fatal" | "panic" => return Ok(()),
        _ => {
            return Err(Report::new(format!(
                "Log Level \"{name}\" is not supported, choose from: trace, debug, info, warn, warning, error, fatal, panic"
            ))
            .code(1));
        }
    };
    message::listen(least, output::message);
    Ok(())
}

/// Flags take `=false` and `=true`, and of a flag that is given twice the last one counts.
fn as_podman_reads(command: clap::Command) -> clap::Command {
    let switch = |arg: clap::Arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .default_value("false")
            .hide_default_value(true)
            .hide_possible_values(true)
            .value_name("BOOL"),
        _ => arg,
    };
    command.args_override_self(true).mut_args(switch).mut_subcommands(as_podman_reads)
}
