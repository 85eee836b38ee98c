//! What is allowed in a file of instructions, and seldom meant: the checks of Docker's list ("Build checks" of its reference), by
//! their names there.
//!
//! ```text
//!  # check=skip=NAME;error=true ──▶ Rules ─┐
//!  Dockerfile, Facts ──form, stages, variables──▶ findings, by line
//! ```
//!
//! What must stay true: a check reads, and runs nothing; of what is not known (the environment of an image that is not here)
//! nothing is found.

mod form;
mod stages;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeSet;
use std::fmt;

use super::arguments::Arguments;
use super::parse::{Dockerfile, Instruction, Kind, Problem, Word};
use super::source::{Fault, Place, Span};

/// Has Docker's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    ConsistentInstructionCasing,
    CopyIgnoredFile,
    DuplicateStageName,
    ExposeInvalidFormat,
    ExposeProtoCasing,
    FromAsCasing,
    FromPlatformFlagConstDisallowed,
    InvalidDefaultArgInFrom,
    InvalidDefinitionDescription,
    JsonArgsRecommended,
    LegacyKeyValueFormat,
    MaintainerDeprecated,
    MultipleInstructionsDisallowed,
    NoEmptyContinuation,
    RedundantTargetPlatform,
    ReservedStageName,
    SecretsUsedInArgOrEnv,
    StageNameCasing,
    UndefinedArgInFrom,
    UndefinedVar,
    WorkdirRelativePath,
}

impl Check {
    /// Whether it is done only for who asks.
    fn is_experimental(self) -> bool {
        self == Self::InvalidDefinitionDescription
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JsonArgsRecommended => f.write_str("JSONArgsRecommended"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: Check,
    pub place: Place,
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: warning: {} ({})", self.place.file, self.place.line, self.text, self.check)
    }
}

/// Which checks are done, and whether what they find is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    skipped: Names,
    experimental: Names,
    pub is_error: bool,
}

/// In small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, list: &str) {
        self.0.extend(list.split(',').map(|name| name.trim().to_lowercase()));
    }

    fn has(&self, check: Check) -> bool {
        self.0.contains("all") || self.0.contains(&check.to_string().to_lowercase())
    }
}

impl Rules {
    /// The file's own; or, from outside, `given`.
    pub fn of(file: &Dockerfile, given: Option<&str>) -> Result<Self, Fault> {
        match (given, &file.directives.check) {
            (Some(text), directive) => {
                let span = directive.as_ref().map(|word| word.span).unwrap_or_default();
                Self::read(text).map_err(|problem| file.source.fault(span, problem))
            }
            (None, Some(Word { text, span })) => Self::read(text).map_err(|problem| file.source.fault(*span, problem)),
            (None, None) => Ok(Self::default()),
        }
    }

    /// `skip=NAME,NAME;error=true`; a name that nobody knows may be one of a later version.
    fn read(text: &str) -> Result<Self, Problem> {
        let mut rules = Self::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match (key.trim(), value.trim()) {
                ("skip", names) if !names.is_empty() => rules.skipped.add(names),
                ("experimental", names) if !names.is_empty() => rules.experimental.add(names),
                ("error", value) if value.eq_ignore_ascii_case("true") || value == "1" => rules.is_error = true,
                ("error", value) if value.eq_ignore_ascii_case("false") || value == "0" => rules.is_error = false,
                _ => return Err(Problem::Check(part.to_owned())),
            }
        }
        Ok(rules)
    }

    fn wants(&self, check: Check) -> bool {
        !self.skipped.has(check) && (!check.is_experimental() || self.experimental.has(check))
    }
}

/// Who knows the environment of an image, by its name and platform.
pub type Environments<'a> = &'a dyn Fn(&str, Option<&str>) -> Option<Vec<String>>;

/// What is known beside the file.
pub struct Facts<'a> {
    /// Those that were given, and the file's own above its first FROM.
    pub arguments: &'a Arguments,
    pub environment: Environments<'a>,
    /// Names of `--build-context`.
    pub contexts: BTreeSet<String>,
    /// What the ignore file leaves out of the context.
    pub is_left_out: &'a dyn Fn(&str) -> bool,
}

/// All that is found, by line.
pub fn find(file: &Dockerfile, facts: &Facts<'_>, rules: &Rules) -> Vec<Finding> {
    let mut search = Search { file, rules, found: Vec::new() };
    form::search(&mut search);
    stages::search(&mut search, facts);
    variables::search(&mut search, facts);
    search.found.sort_by_key(|finding| (finding.place.line, finding.check));
    search.found.dedup();
    search.found
}

struct Search<'a> {
    file: &'a Dockerfile,
    rules: &'a Rules,
    found: Vec<Finding>,
}

impl Search<'_> {
    fn add(&mut self, check: Check, span: Span, text: impl Into<String>) {
        if self.rules.wants(check) {
            self.found.push(Finding { check, place: self.file.source.place(span), text: text.into() });
        }
    }

    /// As it is written.
    fn written(&self, span: Span) -> &str {
        self.file.source.text.get(span.start..span.end).unwrap_or_default()
    }
}

/// The first line of an instruction, or as much of it as is marked.
fn first_line(instruction: &Instruction) -> Span {
    let Span { start, end } = instruction.span;
    Span { start, end: end.min(start + instruction.text.len()) }
}

/// The instructions of each stage, FROM included; what stands above the first is none.
fn by_stage(file: &Dockerfile) -> impl Iterator<Item = &[Instruction]> {
    let starts: Vec<usize> = file
        .instructions
        .iter()
        .enumerate()
        .filter(|(_, instruction)| matches!(instruction.kind, Kind::From(_)))
        .map(|(at, _)| at)
        .collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([file.instructions.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| file.instructions.get(start..end))
}
