//! How single instructions are written.

use super::{Check, Search, first_line};
use crate::build::parse::{Instruction, Kind, Word};
use crate::build::source::Span;

/// Parts of names that tell of what nobody else is to know.
const SECRET: [&str; 10] =
    ["apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token"];

pub fn search(search: &mut Search<'_>) {
    let file = search.file;
    casing(search);
    for instruction in &file.instructions {
        if let Some(gap) = instruction.gap {
            let text = format!("an empty line within {}: the line above goes on below it", instruction.kind.name());
            search.add(Check::NoEmptyContinuation, gap, text);
        }
        of_kind(search, instruction);
        description(search, instruction);
    }
}

fn of_kind(search: &mut Search<'_>, instruction: &Instruction) {
    match &instruction.kind {
        Kind::Maintainer(_) => {
            let text = "MAINTAINER is deprecated: `LABEL org.opencontainers.image.authors=\"…\"` says it";
            search.add(Check::MaintainerDeprecated, first_line(instruction), text);
        }
        Kind::Env(pairs) | Kind::Label(pairs) => {
            let name = instruction.kind.name();
            if let [(key, _)] = pairs.as_slice()
                && search.file.source.text.as_bytes().get(key.span.end) != Some(&b'=')
            {
                let text = format!("`{name} {key} VALUE` is the old form: `{name} {key}=VALUE`", key = key.text);
                search.add(Check::LegacyKeyValueFormat, key.span, text);
            }
            if matches!(instruction.kind, Kind::Env(_)) {
                pairs.iter().for_each(|(key, _)| secret(search, "ENV", key));
            }
        }
        Kind::Arg(pairs) => pairs.iter().for_each(|(key, _)| secret(search, "ARG", key)),
        Kind::Expose(words) => words.iter().for_each(|word| expose(search, word)),
        _ => {}
    }
}

fn secret(search: &mut Search<'_>, instruction: &str, name: &Word) {
    let lower = name.text.to_ascii_lowercase();
    let mut parts = lower.split('_');
    if parts.clone().any(|part| SECRET.contains(&part)) && !parts.any(|part| part == "public") {
        let text =
            format!("{instruction} `{}` may tell a secret to who has the image: `RUN --mount=type=secret`", name.text);
        search.add(Check::SecretsUsedInArgOrEnv, name.span, text);
    }
}

fn expose(search: &mut Search<'_>, word: &Word) {
    if word.text.contains('$') {
        return;
    }
    if word.text.contains(':') {
        let text = format!("EXPOSE `{}` names more than a port of the container", word.text);
        search.add(Check::ExposeInvalidFormat, word.span, text);
    }
    if let Some((_, protocol)) = word.text.split_once('/')
        && protocol != protocol.to_ascii_lowercase()
    {
        let text = format!("the protocol `{protocol}` belongs into small letters");
        search.add(Check::ExposeProtoCasing, word.span, text);
    }
}

/// The first word, as written.
fn keyword(instruction: &Instruction) -> &str {
    instruction.text.split_whitespace().next().unwrap_or_default()
}

fn is_small(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_uppercase())
}

/// One way of writing instructions in one file, and in one FROM.
fn casing(search: &mut Search<'_>) {
    let file = search.file;
    let words = || file.instructions.iter().map(keyword);
    let small = words().filter(|word| is_small(word)).count();
    let capital = words().filter(|word| **word == word.to_ascii_uppercase()).count();
    let wanted = |word: &str, small: bool| if small { word.to_ascii_lowercase() } else { word.to_ascii_uppercase() };
    for instruction in &file.instructions {
        let word = keyword(instruction);
        let right = wanted(word, small > capital);
        if word != right {
            let Span { start, .. } = instruction.span;
            let span = span_of(search, start, word);
            search.add(Check::ConsistentInstructionCasing, span, format!("`{word}` where others are as `{right}`"));
        }
        let Kind::From(from) = &instruction.kind else { continue };
        let Some(name) = &from.name else { continue };
        let as_word = instruction.text.split_whitespace().rev().nth(1).unwrap_or_default();
        let right = wanted(as_word, is_small(word));
        if as_word != right {
            let text = format!("`{as_word}` behind `{word}`: both in capitals, or neither");
            search.add(Check::FromAsCasing, instruction_line(instruction, name.span), text);
        }
    }
}

/// The word where it stands, if it is at the beginning of the instruction but for spaces.
fn span_of(search: &Search<'_>, start: usize, word: &str) -> Span {
    let rest = search.file.source.text.get(start..).unwrap_or_default();
    let start = start + rest.find(word).unwrap_or_default();
    Span { start, end: start + word.len() }
}

/// From an instruction's start up to the end of one of its words.
fn instruction_line(instruction: &Instruction, word: Span) -> Span {
    Span { start: instruction.span.start, end: word.end }
}

/// A comment right above a stage or an argument describes it, by its name.
fn description(search: &mut Search<'_>, instruction: &Instruction) {
    let names: Vec<&str> = match &instruction.kind {
        Kind::From(from) => from.name.iter().map(|name| name.text.as_str()).collect(),
        Kind::Arg(pairs) => pairs.iter().map(|(name, _)| name.text.as_str()).collect(),
        _ => return,
    };
    let before = search.file.source.text.get(..instruction.span.start).unwrap_or_default();
    let line = before.strip_suffix('\n').unwrap_or(before).rsplit('\n').next().unwrap_or_default().trim();
    let directive = search.file.directives.check.iter().chain(&search.file.directives.syntax);
    let is_directive = directive.into_iter().any(|word| search.written(word.span).trim() == line);
    let Some(comment) = line.strip_prefix('#').filter(|_| !is_directive) else { return };
    let first = comment.split_whitespace().next().unwrap_or_default();
    if !names.is_empty() && !names.iter().any(|name| name.eq_ignore_ascii_case(first)) {
        let text = "the comment above describes nothing: it begins with the name, or an empty line is below it";
        search.add(Check::InvalidDefinitionDescription, first_line(instruction), text);
    }
}
