//! Stages: their names and platforms, and what in one has no effect, or another than it seems.

use std::collections::BTreeSet;

use super::{Check, Facts, Search, by_stage, first_line};
use crate::build::parse::{Command, Copy, CopySource, From, Instruction, Kind};
use crate::build::source::Span;

/// What FROM and `--from` have another meaning for.
const RESERVED: [&str; 2] = ["scratch", "context"];

pub fn search(search: &mut Search<'_>, facts: &Facts<'_>) {
    let file = search.file;
    let mut names = BTreeSet::new();
    for instructions in by_stage(file) {
        let Some((Instruction { kind: Kind::From(from), .. }, rest)) = instructions.split_first() else { continue };
        name(search, from, &mut names);
        platform(search, from);
        only_the_last(search, rest);
        shell_forms(search, rest);
        rest.iter().for_each(|instruction| ignored(search, facts, instruction));
    }
}

fn name(search: &mut Search<'_>, from: &From, names: &mut BTreeSet<String>) {
    let Some(name) = &from.name else { return };
    let written = search.written(name.span);
    if written.chars().any(|c| c.is_ascii_uppercase()) {
        let text = format!("the stage `{written}` is called `{}`", name.text);
        search.add(Check::StageNameCasing, name.span, text);
    }
    if RESERVED.contains(&name.text.as_str()) {
        let text = format!("`{}` has a meaning of its own: no stage is called so", name.text);
        search.add(Check::ReservedStageName, name.span, text);
    }
    if !names.insert(name.text.clone()) {
        let text = format!("a second stage `{}`: the name means this one from here on", name.text);
        search.add(Check::DuplicateStageName, name.span, text);
    }
}

fn platform(search: &mut Search<'_>, from: &From) {
    let Some(word) = &from.platform else { return };
    let text = word.text.as_str();
    if ["$TARGETPLATFORM", "${TARGETPLATFORM}"].contains(&text) {
        let said = format!("`--platform={text}` is what FROM does without it");
        return search.add(Check::RedundantTargetPlatform, word.span, said);
    }
    let name = from.name.as_ref().map(|name| name.text.as_str()).unwrap_or_default();
    let is_told = text.to_ascii_lowercase().split('/').any(|part| !part.is_empty() && name.contains(part));
    if !text.contains('$') && !is_told {
        let said = format!("`--platform={text}` builds for no other, whatever `build --platform` says");
        search.add(Check::FromPlatformFlagConstDisallowed, word.span, said);
    }
}

/// Of CMD, ENTRYPOINT and HEALTHCHECK, those before the last do nothing.
fn only_the_last(search: &mut Search<'_>, instructions: &[Instruction]) {
    for name in ["CMD", "ENTRYPOINT", "HEALTHCHECK"] {
        let found: Vec<&Instruction> = instructions.iter().filter(|found| found.kind.name() == name).collect();
        let Some((last, before)) = found.split_last() else { continue };
        for instruction in before {
            let text = format!("{name} has no effect: there is another on line {}", last.line);
            search.add(Check::MultipleInstructionsDisallowed, first_line(instruction), text);
        }
    }
}

/// What a shell runs gets no signals, unless somebody chose the shell; and WORKDIR may be upon the image's.
fn shell_forms(search: &mut Search<'_>, instructions: &[Instruction]) {
    let mut has_shell = false;
    for instruction in instructions {
        match &instruction.kind {
            Kind::Shell(_) => has_shell = true,
            Kind::Cmd(Command::Shell(_)) | Kind::Entrypoint(Command::Shell(_)) if !has_shell => {
                let name = instruction.kind.name();
                let text = format!("{name} by a shell, which keeps signals from the program: `{name} [\"…\"]`");
                search.add(Check::JsonArgsRecommended, first_line(instruction), text);
            }
            _ => {}
        }
    }
}

/// COPY and ADD of what is not there for them.
fn ignored(search: &mut Search<'_>, facts: &Facts<'_>, instruction: &Instruction) {
    let (copy, is_copy): (&Copy, bool) = match &instruction.kind {
        Kind::Copy(copy) => (copy, true),
        Kind::Add(add) => (&add.copy, false),
        _ => return,
    };
    if copy.from.is_some() {
        return;
    }
    for source in &copy.sources {
        let CopySource::Path(word) = source else { continue };
        let is_remote = !is_copy && (word.text.contains("://") || word.text.starts_with("git@"));
        if is_remote || word.text.contains(['$', '*', '?', '[', '"', '\'', '\\']) {
            continue;
        }
        let path = plain(&word.text);
        if !path.is_empty() && (facts.is_left_out)(&path) {
            let text = format!("the ignore file leaves `{}` out of the context", word.text);
            search.add(Check::CopyIgnoredFile, Span { ..word.span }, text);
        }
    }
}

/// Below the context, without `.`.
fn plain(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}
