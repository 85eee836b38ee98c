//! Completion: what may follow on a command line that is being typed.
//!
//! ```text
//! shell ── a script of completions/ ──▶ coracle @complete SHELL WORD… ── [shell] ──▶ words, and the one to complete
//!                                            place    where in the command line that word is
//!                                            value    what may stand there: objects of the store, the account's, paths, fields, filters, words
//! shell ◀── one candidate a line ────────────┘
//! ```
//!
//! The scripts hold no names of commands or flags: all of them are asked for, here. A person waits for the answer, so nothing else is
//! started: only what reads is called, no lock is waited for, nothing is written, and the network is not asked. What
//! can't be read has nothing to offer, and nobody is told why.

mod account;
mod containerfile;
mod fields;
mod filters;
mod objects;
mod paths;
mod place;
mod shell;
mod value;
mod words;

use std::process::ExitCode;

use clap::Args;

use self::place::{Place, Wanted};
use self::shell::Shell;
use super::root::{self, Context};
use super::{Report, output};

/// Something that may stand in the place of the word, whole, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    value: String,
    about: String,
}

impl Candidate {
    fn new(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self { value: value.into(), about: about.into() }
    }
}

/// Print the script that makes a shell complete this program's command line
#[derive(Debug, Args)]
pub struct Completion {
    /// The shell; the script of `powershell` is the only one that has not been tried in its own
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    pub fn run(self, _context: &Context) -> Result<ExitCode, Report> {
        output::print(self.shell.script());
        Ok(ExitCode::SUCCESS)
    }
}

/// The completions that packages install: by file name.
pub fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    Shell::ALL.into_iter().map(|shell| (shell.file(), shell.script()))
}

/// The role: answers a shell.
pub fn main() -> ExitCode {
    let given: Vec<String> = std::env::args_os().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some((shell, typed)) = given.split_first().and_then(|(shell, words)| Shell::read(shell, words)) {
        output::print(&shell.answer(&typed, candidates(&typed.words)));
    }
    ExitCode::SUCCESS
}

/// What may stand in the place of the last of the words; the first is the program.
fn candidates(words: &[String]) -> Vec<Candidate> {
    let Some(([_, before @ ..], current)) = words.split_last().map(|(current, before)| (before, current)) else {
        return Vec::new();
    };
    let mut command = root::named_in(before);
    // Not even the command is there yet.
    if std::ptr::eq(Place::find(&command, before, current).command, &raw const command) {
        command = root::beginning_with(current);
    }
    let place = Place::find(&command, before, current);
    let mut candidates = match &place.wanted {
        Wanted::Value { arg, prefix, text } => {
            let mut values = value::of_option(&place, arg, text);
            values.iter_mut().for_each(|candidate| candidate.value.insert_str(0, prefix));
            values
        }
        Wanted::Flag => words::flags(place.command),
        Wanted::Word { commands } => {
            let mut found = if *commands { words::commands(place.command) } else { Vec::new() };
            // What is named once needs no naming again, but for words of another program's.
            let is_given = |value: &String| !place.is_anothers() && place.given.iter().any(|given| given == value);
            found.extend(value::of_word(&place, current).into_iter().filter(|candidate| !is_given(&candidate.value)));
            found
        }
    };
    let is_text = |text: &str| !text.chars().any(char::is_control);
    candidates.retain(|candidate| candidate.value.starts_with(current.as_str()) && is_text(&candidate.value));
    candidates
}
