//! `--name=value` between an instruction's name and what it is about.

use super::ast::Word;
use super::instruction::Reader;
use super::problem::Problem;
use super::split::{self, Piece};
use crate::build::source::Fault;

struct Flag<'a> {
    name: Piece<'a>,
    /// Behind the `=`, without quotes.
    value: Option<Word>,
}

/// The flags of one instruction, as far as nobody has asked for them.
pub struct Flags<'r, 'a> {
    reader: &'r Reader<'a>,
    found: Vec<Flag<'a>>,
}

impl<'r, 'a> Flags<'r, 'a> {
    /// Takes the flags off the front of `arguments`. `known`: those that there are; `often`: those that may come again.
    pub fn take(
        reader: &'r Reader<'a>,
        arguments: &mut Piece<'a>,
        instruction: &'static str,
        known: &'static [&'static str],
        often: &[&str],
    ) -> Result<Self, Fault> {
        let mut found: Vec<Flag<'a>> = Vec::new();
        loop {
            *arguments = arguments.trim();
            if !arguments.text.starts_with("--") {
                break;
            }
            let word = arguments.quoted_word(reader.escape);
            *arguments = arguments.part(word.text.len(), arguments.text.len()).trim();
            if word.text == "--" {
                break;
            }
            let equals = word.text.find('=');
            let name = word.part(2, equals.unwrap_or(word.text.len()));
            if !known.contains(&name.text) {
                let problem = Problem::UnknownFlag { instruction, flag: name.text.to_owned(), known };
                return Err(reader.fault(word, problem));
            }
            if !often.contains(&name.text) && found.iter().any(|flag| flag.name.text == name.text) {
                return Err(reader.fault(word, Problem::FlagTwice(name.text.to_owned())));
            }
            let value = equals.map(|at| {
                let value = word.part(at + 1, word.text.len());
                let text = split::unquoted_loosely(value.text, reader.escape);
                Word { text, span: reader.span(value) }
            });
            found.push(Flag { name, value });
        }
        Ok(Self { reader, found })
    }

    /// The values of a flag that may come again.
    pub fn all(&mut self, name: &'static str) -> Result<Vec<Word>, Fault> {
        let (these, others) = std::mem::take(&mut self.found).into_iter().partition(|flag| flag.name.text == name);
        self.found = others;
        let these: Vec<Flag<'a>> = these;
        let value = |flag: Flag<'a>| {
            let none = || self.reader.fault(flag.name, Problem::FlagNeeds(name));
            flag.value.clone().filter(|value| !value.text.is_empty()).ok_or_else(none)
        };
        these.into_iter().map(value).collect()
    }

    pub fn one(&mut self, name: &'static str) -> Result<Option<Word>, Fault> {
        Ok(self.all(name)?.pop())
    }

    /// A flag that is there or not; `--name=false` takes it back.
    pub fn switch(&mut self, name: &'static str) -> Result<Option<bool>, Fault> {
        let Some(at) = self.found.iter().position(|flag| flag.name.text == name) else { return Ok(None) };
        let flag = self.found.remove(at);
        let Some(value) = flag.value else { return Ok(Some(true)) };
        match value.text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(self.expected(&value, name, "true or false")),
        }
    }

    /// A flag whose value is one of a few.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
        expected: &'static str,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        let chosen = choices.iter().find(|(text, _)| *text == value.text).map(|(_, chosen)| *chosen);
        chosen.map(Some).ok_or_else(|| self.expected(&value, name, expected))
    }

    pub fn expected(&self, value: &Word, flag: &'static str, expected: &'static str) -> Fault {
        let problem = Problem::FlagValue { flag, value: value.text.clone(), expected };
        self.reader.source.fault(value.span, problem)
    }
}
