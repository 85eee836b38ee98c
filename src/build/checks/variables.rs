//! Variables that nobody gives a value, and paths that depend on what they are below.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Facts, Search, by_stage};
use crate::build::arguments::Scope;
use crate::build::parse::{Copy, CopySource, Dockerfile, From, Instruction, Kind, Word, near};
use crate::build::words::{self, Expanded};
use crate::oci::Reference;

/// A stage as far as it is read.
#[derive(Clone, Default)]
struct State {
    /// `None`: what the image below has in its environment is not known.
    scope: Option<Scope>,
    declared: BTreeSet<String>,
    /// An absolute WORKDIR stands above.
    is_placed: bool,
}

pub fn search(search: &mut Search<'_>, facts: &Facts<'_>) {
    let file = search.file;
    let mut known = declared_above(file);
    known.extend(facts.arguments.predefined_names().map(str::to_owned));
    let mut stages: BTreeMap<String, State> = BTreeMap::new();
    for instructions in by_stage(file) {
        let Some((Instruction { kind: Kind::From(from), .. }, rest)) = instructions.split_first() else { continue };
        for word in [Some(&from.image), from.platform.as_ref()].into_iter().flatten() {
            in_from(search, facts, word, &known);
        }
        default_of(search, facts, from);
        let mut state = begin(search, facts, from, &stages);
        for instruction in rest {
            read(search, facts, &mut state, instruction);
        }
        if let Some(name) = &from.name {
            stages.insert(name.text.clone(), state);
        }
    }
}

/// Names of the ARGs above the first FROM.
fn declared_above(file: &Dockerfile) -> BTreeSet<String> {
    let above = file.instructions.iter().map_while(|instruction| match &instruction.kind {
        Kind::Arg(pairs) => Some(pairs.iter().map(|(name, _)| name.text.clone())),
        _ => None,
    });
    above.flatten().collect()
}

fn expanded(search: &Search<'_>, word: &Word, lookup: words::Lookup<'_>) -> Option<Expanded> {
    // What is wrong with a word, the build tells.
    words::expand(&word.text, search.file.directives.escape, lookup).ok()
}

fn in_from(search: &mut Search<'_>, facts: &Facts<'_>, word: &Word, known: &BTreeSet<String>) {
    let Some(done) = expanded(search, word, &|name| facts.arguments.value(name)) else { return };
    for name in done.unset.difference(known).filter(|name| is_name(name)) {
        let text = format!("no ARG above the first FROM declares `{name}`{}", meant(name, known));
        search.add(Check::UndefinedArgInFrom, word.span, text);
    }
}

/// What FROM names without anything given.
fn default_of(search: &mut Search<'_>, facts: &Facts<'_>, from: &From) {
    let mut defaults = facts.arguments.without_given();
    if !from.image.text.contains('$') || defaults.read(search.file).is_err() {
        return;
    }
    let Some(done) = expanded(search, &from.image, &|name| defaults.value(name)) else { return };
    let name = done.text.trim();
    if name.parse::<Reference>().is_err() || name.ends_with([':', '@', '/']) {
        let text = format!("`{}` is no image unless `--build-arg` says more: `ARG NAME=VALUE`", from.image.text);
        search.add(Check::InvalidDefaultArgInFrom, from.image.span, text);
    }
}

/// What a stage begins with.
fn begin(search: &Search<'_>, facts: &Facts<'_>, from: &From, stages: &BTreeMap<String, State>) -> State {
    let lookup = |name: &str| facts.arguments.value(name);
    let Some(image) = expanded(search, &from.image, &lookup) else { return State::default() };
    let image = image.text.trim();
    let lower = image.to_lowercase();
    if facts.contexts.iter().any(|name| name.to_lowercase() == lower) {
        return State::default();
    }
    if let Some(state) = stages.get(&lower) {
        return state.clone();
    }
    let platform = from.platform.as_ref().and_then(|word| expanded(search, word, &lookup));
    let environment = match image {
        "scratch" => Some(vec!["PATH=".to_owned()]),
        image => (facts.environment)(image, platform.as_ref().map(|platform| platform.text.trim())),
    };
    State { scope: environment.as_deref().map(Scope::new), ..State::default() }
}

fn read(search: &mut Search<'_>, facts: &Facts<'_>, state: &mut State, instruction: &Instruction) {
    for word in expanding(&instruction.kind) {
        undefined(search, state, word);
    }
    if let Kind::Workdir(word) = &instruction.kind {
        workdir(search, state, word);
    }
    let Some(scope) = &mut state.scope else { return };
    let value = |scope: &Scope, word: &Word| scope.word(&search.file.source, search.file.directives.escape, word);
    match &instruction.kind {
        Kind::Arg(pairs) => {
            for (name, default) in pairs {
                let default = default.as_ref().and_then(|word| value(scope, word).ok());
                scope.declare(facts.arguments, &name.text, default);
                state.declared.insert(name.text.clone());
            }
        }
        Kind::Env(pairs) => {
            let values: Vec<_> = pairs.iter().map(|(_, word)| value(scope, word).unwrap_or_default()).collect();
            for ((name, _), value) in pairs.iter().zip(values) {
                scope.set(&value_of_name(&name.text), &value);
            }
        }
        _ => {}
    }
}

/// Names may be quoted.
fn value_of_name(name: &str) -> String {
    name.trim_matches(['"', '\'']).to_owned()
}

fn undefined(search: &mut Search<'_>, state: &State, word: &Word) {
    let Some(scope) = &state.scope else { return };
    let Some(done) = expanded(search, word, &scope.lookup()) else { return };
    let known: BTreeSet<String> = state.declared.iter().cloned().chain(scope.names().map(str::to_owned)).collect();
    for name in done.unset.difference(&state.declared).filter(|name| is_name(name)) {
        let text = format!("nothing above gives `${name}` a value{}", meant(name, &known));
        search.add(Check::UndefinedVar, word.span, text);
    }
}

fn workdir(search: &mut Search<'_>, state: &mut State, word: &Word) {
    let value = match &state.scope {
        Some(scope) => expanded(search, word, &scope.lookup()).map(|done| done.text),
        None => Some(word.text.clone()),
    };
    let value = value.unwrap_or_default();
    if value.starts_with(['/', '$', '"', '\'']) {
        state.is_placed = true;
    } else if !state.is_placed {
        let text = format!("`WORKDIR {value}` lies wherever the image below has its own");
        search.add(Check::WorkdirRelativePath, word.span, text);
    }
}

/// The words of an instruction whose variables are replaced.
fn expanding(kind: &Kind) -> Vec<&Word> {
    fn of_copy(copy: &Copy) -> Vec<&Word> {
        let sources = copy.sources.iter().filter_map(|source| match source {
            CopySource::Path(word) => Some(word),
            CopySource::Heredoc(_) => None,
        });
        let flags = copy.chown.iter().chain(&copy.chmod).chain(&copy.excludes);
        sources.chain([&copy.destination]).chain(flags).collect()
    }
    match kind {
        Kind::Copy(copy) => of_copy(copy),
        Kind::Add(add) => of_copy(&add.copy).into_iter().chain(&add.checksum).collect(),
        Kind::Env(pairs) | Kind::Label(pairs) => pairs.iter().flat_map(|(name, value)| [name, value]).collect(),
        Kind::Arg(pairs) => pairs.iter().filter_map(|(_, value)| value.as_ref()).collect(),
        Kind::Workdir(word) | Kind::User(word) | Kind::StopSignal(word) => vec![word],
        Kind::Expose(words) | Kind::Volume(words) => words.iter().collect(),
        _ => Vec::new(),
    }
}

/// And not one of a shell's special ones.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn meant(name: &str, known: &BTreeSet<String>) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    near(name, &known).map(|near| format!(": did you mean `{near}`?")).unwrap_or_default()
}
