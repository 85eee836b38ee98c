//! One logical line to one instruction.

use std::collections::HashMap;
use std::time::Duration;

use super::ast::{
    Add, Command, Copy, CopySource, From, HealthCheck, Instruction, Kind, OnBuild, Run, RunNetwork, Security, Word,
};
use super::flags::Flags;
use super::heredoc::Heredoc;
use super::lines::Line;
use super::mount::Mount;
use super::problem::Problem;
use super::split::Piece;
use super::{duration, heredoc};
use crate::build::source::{Fault, Source, Span};

pub const KNOWN: [&str; 18] = [
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "WORKDIR",
    "USER",
    "LABEL",
    "EXPOSE",
    "VOLUME",
    "CMD",
    "ENTRYPOINT",
    "SHELL",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ONBUILD",
    "MAINTAINER",
];

const COPY_FLAGS: &[&str] = &["from", "chown", "chmod", "parents", "link", "exclude"];
const ADD_FLAGS: &[&str] = &["chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"];
const RUN_FLAGS: &[&str] = &["mount", "network", "security", "device"];
const HEALTH_FLAGS: &[&str] = &["interval", "timeout", "start-period", "start-interval", "retries"];

/// Reads one line.
pub struct Reader<'a> {
    pub source: &'a Source,
    pub line: &'a Line,
    pub escape: char,
}

impl<'a> Reader<'a> {
    pub fn span(&self, piece: Piece<'_>) -> Span {
        self.line.span(piece.at, piece.end())
    }

    pub fn fault(&self, piece: Piece<'_>, problem: impl Into<Problem>) -> Fault {
        self.source.fault(self.span(piece), problem)
    }

    fn word(&self, piece: Piece<'_>) -> Word {
        Word { text: piece.text.to_owned(), span: self.span(piece) }
    }

    pub fn instruction(&self) -> Result<Instruction, Fault> {
        self.at(Piece { at: 0, text: &self.line.text }, false)
    }

    fn at(&self, text: Piece<'a>, delayed: bool) -> Result<Instruction, Fault> {
        let (word, arguments) = text.first();
        let name = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(word.text));
        let name = name.ok_or_else(|| self.fault(word, Problem::Unknown(word.text.to_owned())))?;
        if delayed && ["FROM", "ONBUILD", "MAINTAINER"].contains(&name) {
            return Err(self.fault(word, Problem::OnBuild(name)));
        }
        let kind = self.kind(name, word, arguments)?;
        let Line { span, number, gap, .. } = *self.line;
        Ok(Instruction { kind, span, line: number, text: text.text.to_owned(), gap })
    }

    fn kind(&self, name: &'static str, word: Piece<'a>, mut rest: Piece<'a>) -> Result<Kind, Fault> {
        match name {
            "FROM" => return self.from(word, rest).map(Kind::From),
            "RUN" => return self.run(word, rest).map(Kind::Run),
            "COPY" => return self.copy(word, rest).map(Kind::Copy),
            "ADD" => return self.add(word, rest).map(Kind::Add),
            "HEALTHCHECK" => return self.health_check(word, rest).map(Kind::HealthCheck),
            _ => {}
        }
        // Who has no flags refuses them.
        Flags::take(self, &mut rest, name, &[], &[])?;
        let needs = |what| self.fault(word, Problem::Needs { instruction: name, what });
        let is_empty = rest.text.is_empty();
        Ok(match name {
            "CMD" => Kind::Cmd(self.command(rest)?),
            "ENTRYPOINT" => Kind::Entrypoint(self.command(rest)?),
            "ARG" if is_empty => return Err(needs("a name")),
            "ARG" => Kind::Arg(self.arguments(rest)?),
            "ENV" | "LABEL" if is_empty => return Err(needs("`NAME=VALUE`")),
            "ENV" => Kind::Env(self.pairs(name, rest)?),
            "LABEL" => Kind::Label(self.pairs(name, rest)?),
            "WORKDIR" if is_empty => return Err(needs("a directory")),
            "WORKDIR" => Kind::Workdir(self.word(rest)),
            "USER" if is_empty => return Err(needs("a name or number")),
            "USER" => Kind::User(self.word(rest)),
            "EXPOSE" if is_empty => return Err(needs("a port")),
            "EXPOSE" => Kind::Expose(rest.words().into_iter().map(|word| self.word(word)).collect()),
            "VOLUME" if is_empty => return Err(needs("a directory")),
            "VOLUME" => Kind::Volume(self.volumes(word, rest)?),
            "SHELL" => match self.command(rest)? {
                Command::Exec(words) if !words.is_empty() => Kind::Shell(words),
                _ => return Err(self.fault(if is_empty { word } else { rest }, Problem::NotAList)),
            },
            "STOPSIGNAL" => match rest.words().as_slice() {
                [] => return Err(needs("a signal")),
                [signal] => Kind::StopSignal(self.word(*signal)),
                [_, more, ..] => return Err(self.fault(*more, Problem::Excess { instruction: name, what: "a signal" })),
            },
            "MAINTAINER" if is_empty => return Err(needs("a name")),
            "MAINTAINER" => Kind::Maintainer(self.word(rest)),
            _ if is_empty => return Err(needs("an instruction")),
            _ => Kind::OnBuild(self.on_build(rest)?),
        })
    }

    fn on_build(&self, rest: Piece<'a>) -> Result<OnBuild, Fault> {
        let instruction = Box::new(self.at(rest, true)?);
        let ends = self.line.heredocs.iter().map(|one| format!("\n{}{}", one.content, one.name));
        let text = std::iter::once(rest.text.to_owned()).chain(ends).collect();
        Ok(OnBuild { text, instruction })
    }

    fn from(&self, word: Piece<'a>, mut rest: Piece<'a>) -> Result<From, Fault> {
        let mut flags = Flags::take(self, &mut rest, "FROM", &["platform"], &[])?;
        let platform = flags.one("platform")?;
        let words = rest.words();
        let (image, name) = match words.as_slice() {
            [] => return Err(self.fault(word, Problem::Needs { instruction: "FROM", what: "an image" })),
            [image] => (image, None),
            [_, other, ..] if !other.text.eq_ignore_ascii_case("as") => {
                return Err(self.fault(*other, Problem::NotAs(other.text.to_owned())));
            }
            [_, last] => return Err(self.fault(*last, Problem::Needs { instruction: "AS", what: "a name" })),
            [image, _, name] => (image, Some(name)),
            [_, _, _, more, ..] => {
                return Err(self.fault(*more, Problem::Excess { instruction: "FROM", what: "`IMAGE AS NAME`" }));
            }
        };
        let name = match name {
            Some(piece) => {
                let mut name = self.word(*piece);
                name.text.make_ascii_lowercase();
                let good = name.text.starts_with(|c: char| c.is_ascii_lowercase())
                    && name.text.chars().all(|c| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c));
                if !good {
                    return Err(self.fault(*piece, Problem::StageName(piece.text.to_owned())));
                }
                Some(name)
            }
            None => None,
        };
        Ok(From { image: self.word(*image), platform, name })
    }

    fn run(&self, word: Piece<'a>, mut rest: Piece<'a>) -> Result<Run, Fault> {
        let mut flags = Flags::take(self, &mut rest, "RUN", RUN_FLAGS, &["mount", "device"])?;
        let mount = |word: Word| {
            let span = word.span;
            Mount::new(word).map_err(|error| self.source.fault(span, error))
        };
        let mounts = flags.all("mount")?.into_iter().map(mount).collect::<Result<_, _>>()?;
        let networks = [("default", RunNetwork::Default), ("none", RunNetwork::None), ("host", RunNetwork::Host)];
        let network = flags.choice("network", &networks, "default, none or host")?.unwrap_or_default();
        let securities = [("sandbox", Security::Sandbox), ("insecure", Security::Insecure)];
        let security = flags.choice("security", &securities, "sandbox or insecure")?.unwrap_or_default();
        let devices = flags.all("device")?;
        let command = self.command(rest)?;
        if rest.text.is_empty() || command == Command::Exec(Vec::new()) {
            return Err(self.fault(word, Problem::Needs { instruction: "RUN", what: "a command" }));
        }
        Ok(Run { mounts, network, security, devices, command, heredocs: self.line.heredocs.clone() })
    }

    fn copy(&self, word: Piece<'a>, mut rest: Piece<'a>) -> Result<Copy, Fault> {
        let mut flags = Flags::take(self, &mut rest, "COPY", COPY_FLAGS, &["exclude"])?;
        let from = flags.one("from")?;
        if let Some(from) = from.as_ref().filter(|from| from.text.contains('$')) {
            return Err(self.source.fault(from.span, Problem::FlagVariable("from")));
        }
        let parents = flags.switch("parents")?.unwrap_or(false);
        Ok(Copy { from, parents, ..self.copied("COPY", &mut flags, word, rest)? })
    }

    fn add(&self, word: Piece<'a>, mut rest: Piece<'a>) -> Result<Add, Fault> {
        let mut flags = Flags::take(self, &mut rest, "ADD", ADD_FLAGS, &["exclude"])?;
        let checksum = flags.one("checksum")?;
        let keep_git_dir = flags.switch("keep-git-dir")?.unwrap_or(false);
        let unpack = flags.switch("unpack")?;
        Ok(Add { copy: self.copied("ADD", &mut flags, word, rest)?, checksum, keep_git_dir, unpack })
    }

    /// What COPY and ADD have in common.
    fn copied(
        &self,
        instruction: &'static str,
        flags: &mut Flags<'_, 'a>,
        word: Piece<'a>,
        rest: Piece<'a>,
    ) -> Result<Copy, Fault> {
        let (chown, chmod, excludes) = (flags.one("chown")?, flags.one("chmod")?, flags.all("exclude")?);
        let link = flags.switch("link")?.unwrap_or(false);
        let mut words = match self.list(rest)? {
            Some(words) => words.into_iter().map(|text| Word { text, span: self.span(rest) }).collect(),
            None => rest.words().into_iter().map(|word| self.word(word)).collect::<Vec<_>>(),
        };
        let needs = |what| self.fault(word, Problem::Needs { instruction, what });
        let destination = words.pop().ok_or_else(|| needs("a source and a destination"))?;
        if words.is_empty() {
            return Err(needs("a source and a destination"));
        }
        if heredoc::heredoc(&destination.text, self.escape).is_some() {
            return Err(self.source.fault(destination.span, Problem::Needs { instruction, what: "a destination" }));
        }
        let heredocs: HashMap<&str, &Heredoc> =
            self.line.heredocs.iter().map(|heredoc| (heredoc.word.as_str(), heredoc)).collect();
        let source = |word: Word| match heredocs.get(word.text.as_str()) {
            Some(heredoc) => CopySource::Heredoc((*heredoc).clone()),
            None => CopySource::Path(word),
        };
        let sources = words.into_iter().map(source).collect();
        Ok(Copy { sources, destination, chown, chmod, link, excludes, ..Copy::default() })
    }

    fn health_check(&self, word: Piece<'a>, mut rest: Piece<'a>) -> Result<HealthCheck, Fault> {
        let mut flags = Flags::take(self, &mut rest, "HEALTHCHECK", HEALTH_FLAGS, &[])?;
        let mut duration = |name| -> Result<Option<Duration>, Fault> {
            let Some(value) = flags.one(name)? else { return Ok(None) };
            let long = duration::read(&value.text);
            // As Docker has it: nothing, or a millisecond.
            let long = long.filter(|long| long.is_zero() || *long >= Duration::from_millis(1));
            long.map(Some).ok_or_else(|| flags.expected(&value, name, "a duration, as in `30s` or `1m30s`"))
        };
        let (interval, timeout) = (duration("interval")?, duration("timeout")?);
        let (start_period, start_interval) = (duration("start-period")?, duration("start-interval")?);
        let retries = match flags.one("retries")? {
            Some(value) => {
                let number = value.text.parse::<u32>().ok().filter(|number| *number <= i32::MAX as u32);
                Some(number.ok_or_else(|| flags.expected(&value, "retries", "a number"))?)
            }
            None => None,
        };
        let (kind, command) = rest.first();
        match kind.text.to_ascii_uppercase().as_str() {
            "" => Err(self.fault(word, Problem::Needs { instruction: "HEALTHCHECK", what: "`CMD` or `NONE`" })),
            "NONE" if command.text.is_empty() => Ok(HealthCheck::None),
            "NONE" => Err(self.fault(command, Problem::Excess { instruction: "HEALTHCHECK", what: "`NONE`" })),
            "CMD" => {
                let (given, command) = (command, self.command(command)?);
                if given.text.is_empty() || command == Command::Exec(Vec::new()) {
                    return Err(self.fault(kind, Problem::Needs { instruction: "HEALTHCHECK CMD", what: "a command" }));
                }
                Ok(HealthCheck::Check { interval, timeout, start_period, start_interval, retries, command })
            }
            _ => Err(self.fault(kind, Problem::HealthCheck(kind.text.to_owned()))),
        }
    }

    fn volumes(&self, word: Piece<'a>, rest: Piece<'a>) -> Result<Vec<Word>, Fault> {
        let Some(words) = self.list(rest)? else {
            return Ok(rest.words().into_iter().map(|word| self.word(word)).collect());
        };
        if words.is_empty() || words.iter().any(|word| word.trim().is_empty()) {
            return Err(self.fault(word, Problem::Needs { instruction: "VOLUME", what: "a directory" }));
        }
        Ok(words.into_iter().map(|text| Word { text, span: self.span(rest) }).collect())
    }

    /// A list of words, or a line for the shell; nothing at all is an empty list.
    fn command(&self, rest: Piece<'a>) -> Result<Command, Fault> {
        if rest.text.is_empty() {
            return Ok(Command::Exec(Vec::new()));
        }
        Ok(self.list(rest)?.map_or_else(|| Command::Shell(rest.text.to_owned()), Command::Exec))
    }

    /// A JSON list of strings; what is not JSON is no list.
    fn list(&self, rest: Piece<'a>) -> Result<Option<Vec<String>>, Fault> {
        if !rest.text.starts_with('[') {
            return Ok(None);
        }
        let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(rest.text) else { return Ok(None) };
        let text = |value| match value {
            serde_json::Value::String(text) => Ok(text),
            _ => Err(self.fault(rest, Problem::NotStrings)),
        };
        values.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// `NAME` and `NAME=VALUE`.
    fn arguments(&self, rest: Piece<'a>) -> Result<Vec<(Word, Option<Word>)>, Fault> {
        let words = rest.quoted_words(self.escape).into_iter();
        words
            .map(|word| {
                let equals = word.text.find('=');
                let name = word.part(0, equals.unwrap_or(word.text.len()));
                if name.text.is_empty() {
                    return Err(self.fault(word, Problem::NoName));
                }
                let value = equals.map(|at| self.word(word.part(at + 1, word.text.len())));
                Ok((self.word(name), value))
            })
            .collect()
    }

    /// `NAME=VALUE …`, or one `NAME VALUE`, whose value goes to the end.
    fn pairs(&self, instruction: &'static str, rest: Piece<'a>) -> Result<Vec<(Word, Word)>, Fault> {
        let words = rest.quoted_words(self.escape);
        if words.first().is_some_and(|word| !word.text.contains('=')) {
            let (name, value) = rest.first();
            if value.text.is_empty() {
                return Err(self.fault(name, Problem::Needs { instruction, what: "a value: `NAME=VALUE`" }));
            }
            return Ok(vec![(self.word(name), self.word(value))]);
        }
        words
            .into_iter()
            .map(|word| {
                let at = word.text.find('=');
                let at = at.ok_or_else(|| self.fault(word, Problem::NotAPair(word.text.to_owned())))?;
                if at == 0 {
                    return Err(self.fault(word, Problem::NoName));
                }
                Ok((self.word(word.part(0, at)), self.word(word.part(at + 1, word.text.len()))))
            })
            .collect()
    }
}
