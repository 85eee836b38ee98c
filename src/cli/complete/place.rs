//! Where in the command line a word is: below which commands, behind which words, as the value of which flag.
//!
//! It is read as clap reads it, but for what comes after the word, and without clap's judgement: the line is half typed.

use clap::{Arg, ArgAction, Command};

/// What the word to complete is.
#[derive(Debug)]
pub enum Wanted<'a> {
    /// The value of a flag: `text`, behind `prefix` in the same word.
    Value { arg: &'a Arg, prefix: &'a str, text: &'a str },
    /// A flag.
    Flag,
    /// A word; a command may be meant.
    Word { commands: bool },
}

#[derive(Debug)]
pub struct Place<'a> {
    pub command: &'a Command,
    /// The names of the commands, without that of the program, and without `container`, whose commands stand for themselves, too.
    pub path: Vec<&'a str>,
    /// Words before this one that are neither commands nor flags.
    pub given: Vec<&'a str>,
    /// Flags before this one, on all levels, and their values.
    options: Vec<(&'a Arg, &'a str)>,
    pub wanted: Wanted<'a>,
}

impl<'a> Place<'a> {
    /// The place of `current`, behind the words `before`, the first of which follows the program's name.
    pub fn find(root: &'a Command, before: &'a [String], current: &'a str) -> Self {
        let wanted = Wanted::Word { commands: true };
        let mut place = Self { command: root, path: Vec::new(), given: Vec::new(), options: Vec::new(), wanted };
        let mut waiting: Option<&Arg> = None;
        let mut only_words = false;
        for word in before {
            match waiting.take() {
                Some(arg) => place.options.push((arg, word)),
                None if only_words || place.is_anothers() => place.given.push(word),
                None if word == "--" => only_words = true,
                None => waiting = place.read(word),
            }
        }
        place.wanted = match waiting {
            Some(arg) => Wanted::Value { arg, prefix: "", text: current },
            None if only_words || place.is_anothers() => Wanted::Word { commands: false },
            None => match current.split_once('=') {
                Some((name, text)) if name.starts_with("--") => match place.option(name) {
                    Some(arg) => Wanted::Value { arg, prefix: &current[..=name.len()], text },
                    None => Wanted::Flag,
                },
                _ if current.starts_with('-') => Wanted::Flag,
                _ => Wanted::Word { commands: place.given.is_empty() },
            },
        };
        if place.path.first() == Some(&"container") {
            place.path.remove(0);
        }
        place
    }

    /// What was said last of the option `--long`.
    pub fn said(&self, long: &str) -> Option<&'a str> {
        self.options.iter().rfind(|(arg, _)| arg.get_long() == Some(long)).map(|(_, value)| *value)
    }

    /// Whether the flag `--long` is there.
    pub fn is_said(&self, long: &str) -> bool {
        self.said(long).is_some()
    }

    /// Takes one word in; the flag whose value the next one is.
    fn read(&mut self, word: &'a str) -> Option<&'a Arg> {
        if word.starts_with("--") {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let arg = self.option(name)?;
            let waits = value.is_none() && takes_word(arg);
            self.options.extend((!waits).then_some((arg, value.unwrap_or_default())));
            return waits.then_some(arg);
        }
        if word.len() > 1 && word.starts_with('-') {
            return self.read_short(word);
        }
        match self.command.find_subcommand(word) {
            Some(command) if self.given.is_empty() => {
                self.path.push(command.get_name());
                self.command = command;
            }
            _ => self.given.push(word),
        }
        None
    }

    /// Flags of one letter, the last perhaps with its value.
    fn read_short(&mut self, word: &'a str) -> Option<&'a Arg> {
        for (at, letter) in word.char_indices().skip(1) {
            let arg = self.command.get_arguments().find(|arg| arg.get_short() == Some(letter))?;
            let rest = word.get(at + letter.len_utf8()..).unwrap_or_default();
            if takes_word(arg) && rest.is_empty() {
                return Some(arg);
            }
            self.options.push((arg, rest.trim_start_matches('=')));
            if takes_word(arg) {
                return None;
            }
        }
        None
    }

    /// The flag of this name, with its dashes.
    fn option(&self, name: &str) -> Option<&'a Arg> {
        let name = name.strip_prefix("--")?;
        let bears = |arg: &&Arg| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        };
        self.command.get_arguments().find(bears)
    }

    /// An image is built, whatever the command is below.
    pub fn is_build(&self) -> bool {
        self.path.last() == Some(&"build")
    }

    /// The words are another program's from here on, flags included.
    pub fn is_anothers(&self) -> bool {
        !self.given.is_empty() && self.command.get_positionals().any(Arg::is_trailing_var_arg_set)
    }
}

/// Whether the word behind the flag is its value.
fn takes_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// Whether a flag is on or off.
pub fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse) || arg.is_require_equals_set()
}
