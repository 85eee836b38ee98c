//! The stages of a file: what each begins with, which others it takes from, and which of them a target needs.
//!
//! What must stay true: the order has each stage behind all that it needs; nothing that the target does not need is in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::arguments::Arguments;
use super::parse::{Dockerfile, Instruction, Kind, Problem, Word, near};
use super::source::{Fault, Span};
use super::words;

/// Where files, or a whole image, come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Nothing.
    Scratch,
    /// A stage, by its number.
    Stage(usize),
    /// What the name stands for in `--build-context`.
    Context(String),
    Image(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// From 0, as they stand in the file.
    pub number: usize,
    /// In small letters.
    pub name: Option<String>,
    pub base: Origin,
    /// Variables replaced.
    pub platform: Option<String>,
    /// Of its FROM.
    pub span: Span,
    /// Its instructions behind FROM, in the file's.
    pub instructions: Range<usize>,
    /// The stages that it takes from.
    pub needs: BTreeSet<usize>,
}

impl Stage {
    /// Its name, or its number.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("stage-{}", self.number))
    }

    /// Behind its FROM.
    pub fn instructions<'a>(&self, file: &'a Dockerfile) -> &'a [Instruction] {
        file.instructions.get(self.instructions.clone()).unwrap_or_default()
    }
}

/// The stages of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// As they stand in the file.
    pub stages: Vec<Stage>,
    /// Names of `--build-context`, in small letters, and the images that they are, if they are no files.
    contexts: BTreeMap<String, Option<String>>,
    /// The numbers of the stages with a name, ascending.
    names: HashMap<String, Vec<usize>>,
}

/// `--target` names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no stage `{name}`")]
pub struct NoTarget {
    pub name: String,
    /// The stages that have names.
    pub names: Vec<String>,
}

impl NoTarget {
    pub fn hint(&self) -> Option<String> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        if let Some(near) = near(&self.name.to_lowercase(), &names) {
            return Some(format!("did you mean `{near}`?"));
        }
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Some(match listed.is_empty() {
            true => "no stage has a name: `FROM IMAGE AS NAME` gives one".to_owned(),
            false => format!("there are {}", listed.join(", ")),
        })
    }
}

impl Graph {
    /// `contexts`: the names of `--build-context`, which go before stages and images, and the images that some of them are.
    pub fn new(file: &Dockerfile, arguments: &Arguments, contexts: &[(String, Option<String>)]) -> Result<Self, Fault> {
        let contexts = contexts.iter().map(|(name, image)| (name.to_lowercase(), image.clone())).collect();
        let mut graph = Self { stages: Vec::new(), contexts, names: HashMap::new() };
        for (at, instruction) in file.instructions.iter().enumerate() {
            let Kind::From(from) = &instruction.kind else {
                if let Some(stage) = graph.stages.last_mut() {
                    stage.instructions.end = at + 1;
                }
                continue;
            };
            let image = expanded(file, arguments, &from.image)?;
            let platform = from.platform.as_ref().map(|word| expanded(file, arguments, word)).transpose()?;
            let number = graph.stages.len();
            let base = graph.base(&image);
            let needs = if let Origin::Stage(base) = base { BTreeSet::from([base]) } else { BTreeSet::new() };
            let name = from.name.as_ref().map(|name| name.text.clone());
            // Only those behind it see its name.
            if let Some(name) = &name {
                graph.names.entry(name.clone()).or_default().push(number);
            }
            let (span, instructions) = (instruction.span, at + 1..at + 1);
            graph.stages.push(Stage { number, name, base, platform, span, instructions, needs });
        }
        for number in 0..graph.stages.len() {
            graph.take_in(file, number)?;
        }
        Ok(graph)
    }

    /// `name`: in small letters.
    fn context(&self, name: &str) -> Option<Origin> {
        let image = self.contexts.get(name)?.clone();
        Some(image.map_or_else(|| Origin::Context(name.to_owned()), Origin::Image))
    }

    /// What FROM names: a stage above, or else an image.
    fn base(&self, image: &str) -> Origin {
        let lower = image.to_lowercase();
        if let Some(context) = self.context(&lower) {
            return context;
        }
        match self.names.get(&lower).and_then(|numbers| numbers.last()) {
            Some(number) => Origin::Stage(*number),
            None if image == "scratch" => Origin::Scratch,
            None => Origin::Image(image.to_owned()),
        }
    }

    /// Where `from` of `COPY --from=` or a mount leads, in the stage of this number: the context of that name, a stage by its
    /// name or number, or else an image. `None`: there is no stage of that number.
    pub fn origin(&self, from: &str, stage: usize) -> Option<Origin> {
        let lower = from.to_lowercase();
        if let Some(context) = self.context(&lower) {
            return Some(context);
        }
        if let Some(numbers) = self.names.get(&lower) {
            // The nearest above, or else the first below; and if there is no other, itself, which is a circle.
            let above = numbers.partition_point(|number| *number < stage).checked_sub(1);
            let below = || numbers.iter().find(|number| **number > stage);
            let found = above.and_then(|at| numbers.get(at)).or_else(below).or(numbers.first());
            return found.copied().map(Origin::Stage);
        }
        if !from.is_empty() && from.bytes().all(|byte| byte.is_ascii_digit()) {
            return from.parse().ok().filter(|number| *number < self.stages.len()).map(Origin::Stage);
        }
        Some(if from == "scratch" { Origin::Scratch } else { Origin::Image(from.to_owned()) })
    }

    /// The stage whose name is most like this one that was taken for an image's.
    pub fn near(&self, name: &str) -> Option<&str> {
        let names: Vec<&str> = self.stages.iter().filter_map(|stage| stage.name.as_deref()).collect();
        near(&name.to_lowercase(), &names)
    }

    /// What the instructions of a stage take from others.
    fn take_in(&mut self, file: &Dockerfile, number: usize) -> Result<(), Fault> {
        let Some(stage) = self.stages.get(number) else { return Ok(()) };
        let mut needs = BTreeSet::new();
        // What the stage that it begins with says of those upon it is done in this one.
        let base = if let Origin::Stage(base) = stage.base { self.stages.get(base) } else { None };
        let delayed = base.into_iter().flat_map(|base| base.instructions(file)).filter_map(|instruction| {
            if let Kind::OnBuild(delayed) = &instruction.kind { Some(&*delayed.instruction) } else { None }
        });
        for instruction in delayed.chain(stage.instructions(file)) {
            for (from, span) in taken(&instruction.kind) {
                match self.origin(from, number) {
                    None => return Err(file.source.fault(span, Problem::StageNumber(from.to_owned()))),
                    Some(Origin::Stage(other)) => drop(needs.insert(other)),
                    Some(_) => {}
                }
            }
        }
        if let Some(stage) = self.stages.get_mut(number) {
            stage.needs.extend(needs);
        }
        Ok(())
    }

    /// Adds what one more instruction of a stage takes from others; whether that is anything new.
    pub fn needs_also(&mut self, number: usize, kind: &Kind) -> bool {
        let origins: Vec<_> = taken(kind).into_iter().filter_map(|(from, _)| self.origin(from, number)).collect();
        let stages = origins.into_iter().filter_map(|origin| match origin {
            Origin::Stage(other) => Some(other),
            _ => None,
        });
        let Some(stage) = self.stages.get_mut(number) else { return false };
        let before = stage.needs.len();
        stage.needs.extend(stages);
        stage.needs.len() > before
    }

    /// The images that a stage begins with and takes files from: name, platform, and where it says so.
    pub fn images(&self, file: &Dockerfile, number: usize) -> Vec<(String, Option<String>, Span)> {
        let Some(stage) = self.stages.get(number) else { return Vec::new() };
        let base = match &stage.base {
            Origin::Image(name) => Some((name.clone(), stage.platform.clone(), stage.span)),
            _ => None,
        };
        let taken = stage.instructions(file).iter().flat_map(|instruction| taken(&instruction.kind));
        let taken = taken.filter_map(|(from, span)| match self.origin(from, number) {
            Some(Origin::Image(name)) => Some((name, None, span)),
            _ => None,
        });
        base.into_iter().chain(taken).collect()
    }

    /// The number of the stage that `--target` means; by default the last.
    pub fn target(&self, name: Option<&str>) -> Result<usize, NoTarget> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(self.stages.len() - 1) };
        if let Some(number) = self.names.get(&name.to_lowercase()).and_then(|numbers| numbers.last()) {
            return Ok(*number);
        }
        let number = name.parse().ok().filter(|number| *number < self.stages.len());
        number.ok_or_else(|| NoTarget {
            name: name.to_owned(),
            names: self.stages.iter().filter_map(|stage| stage.name.clone()).collect(),
        })
    }

    /// The numbers of the stages that the target needs, and its own at the end; each behind all that it needs.
    pub fn order(&self, file: &Dockerfile, target: usize) -> Result<Vec<usize>, Fault> {
        let (mut order, mut state) = (Vec::new(), BTreeMap::new());
        // Stages that are being looked at, each with what it needs and is still to be looked at.
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        let needs = |number: usize| {
            self.stages.get(number).map(|stage| stage.needs.iter().rev().copied().collect()).unwrap_or_default()
        };
        path.push((target, needs(target)));
        state.insert(target, false);
        while let Some((number, waiting)) = path.last_mut() {
            let number = *number;
            let Some(next) = waiting.pop() else {
                state.insert(number, true);
                order.push(number);
                path.pop();
                continue;
            };
            match state.get(&next) {
                Some(true) => {}
                Some(false) => return Err(self.circle(file, &path, next)),
                None => {
                    state.insert(next, false);
                    path.push((next, needs(next)));
                }
            }
        }
        Ok(order)
    }

    /// The stages from `next` down the path need each other.
    fn circle(&self, file: &Dockerfile, path: &[(usize, Vec<usize>)], next: usize) -> Fault {
        let from = path.iter().position(|(number, _)| *number == next).unwrap_or_default();
        let numbers = path.get(from..).unwrap_or_default().iter().map(|(number, _)| *number).chain([next]);
        let title = |number| self.stages.get(number).map(Stage::title).unwrap_or_default();
        let titles: Vec<String> = numbers.map(title).collect();
        let last = path.last().map_or(next, |(number, _)| *number);
        file.source.fault(self.where_taken(file, last, next), Problem::Circle(titles))
    }

    /// Where a stage names the other.
    fn where_taken(&self, file: &Dockerfile, stage: usize, other: usize) -> Span {
        let Some(found) = self.stages.get(stage) else { return Span::default() };
        let mut words = found.instructions(file).iter().flat_map(|instruction| taken(&instruction.kind));
        let word = words.find(|(from, _)| self.origin(from, stage) == Some(Origin::Stage(other)));
        word.map_or(found.span, |(_, span)| span)
    }
}

/// The names of what an instruction takes from.
fn taken(kind: &Kind) -> Vec<(&str, Span)> {
    match kind {
        Kind::Copy(copy) => copy.from.iter().map(|word| (word.text.as_str(), word.span)).collect(),
        Kind::Run(run) => {
            run.mounts.iter().filter_map(|mount| Some((mount.from.as_deref()?, mount.text.span))).collect()
        }
        _ => Vec::new(),
    }
}

/// A word of a FROM, which must become something.
fn expanded(file: &Dockerfile, arguments: &Arguments, word: &Word) -> Result<String, Fault> {
    let lookup = |name: &str| arguments.value(name);
    let done = words::expand(&word.text, file.directives.escape, &lookup);
    let done = done.map_err(|error| file.source.fault(word.span, error))?;
    let text = done.text.trim();
    // A name that lacks its tag is as wrong as no name.
    if text.is_empty() || text.ends_with([':', '@', '/']) {
        let unset = done.unset.into_iter().next();
        return Err(file.source.fault(word.span, Problem::NoImage { word: word.text.clone(), unset }));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::parse::parse;

    fn file(text: &str) -> Dockerfile {
        parse("F", text.as_bytes()).unwrap()
    }

    fn graph(file: &Dockerfile, contexts: &[&str]) -> Result<Graph, Fault> {
        let platform = "linux/amd64".parse().unwrap();
        let mut arguments = Arguments::new(BTreeMap::new(), &platform, &platform, None);
        arguments.read(file)?;
        let of = |text: &&str| match text.split_once('=') {
            Some((name, image)) => (name.to_owned(), Some(image.to_owned())),
            None => ((*text).to_owned(), None),
        };
        Graph::new(file, &arguments, &contexts.iter().map(of).collect::<Vec<_>>())
    }

    const MANY: &str = "ARG TAG=12\n\
        FROM debian:$TAG AS Base\n\
        RUN a\n\
        FROM base AS build\n\
        COPY --from=tools /x /x\n\
        RUN --mount=from=0,target=/y --mount=type=cache,target=/c b\n\
        FROM --platform=$BUILDPLATFORM unused AS docs\n\
        FROM scratch AS tools\n\
        FROM scratch\n\
        COPY --from=BUILD a /\n\
        COPY --from=busybox b /\n";

    #[test]
    fn what_is_needed_comes_first_and_nothing_else() {
        let file = file(MANY);
        let graph = graph(&file, &[]).unwrap();
        let bases: Vec<_> = graph.stages.iter().map(|stage| stage.base.clone()).collect();
        let image = |name: &str| Origin::Image(name.into());
        let scratch = Origin::Scratch;
        assert_eq!(bases, [image("debian:12"), Origin::Stage(0), image("unused"), scratch.clone(), scratch]);
        assert_eq!(graph.stages[2].platform.as_deref(), Some("linux/amd64"));
        assert_eq!(graph.stages[1].instructions, 4..6);
        assert_eq!(graph.order(&file, 4).unwrap(), [0, 3, 1, 4]);
        assert_eq!(graph.order(&file, graph.target(Some("DOCS")).unwrap()).unwrap(), [2]);
        assert_eq!((graph.target(None), graph.target(Some("1"))), (Ok(4), Ok(1)));
        assert_eq!(graph.origin("busybox", 4), Some(image("busybox")));
        assert_eq!((graph.near("biuld"), graph.near("debian")), (Some("build"), None));
        assert_eq!(graph.stages[4].title(), "stage-4");
    }

    #[test]
    fn build_contexts_go_first() {
        let file = file(MANY);
        let graph = graph(&file, &["Tools", "debian:12", "busybox=alpine"]).unwrap();
        assert_eq!(graph.stages[0].base, Origin::Context("debian:12".into()));
        assert_eq!(graph.origin("tools", 1), Some(Origin::Context("tools".into())));
        assert_eq!(graph.origin("busybox", 1), Some(Origin::Image("alpine".into())));
        assert_eq!(graph.order(&file, 4).unwrap(), [0, 1, 4]);
    }

    #[test]
    fn a_name_that_stands_twice_is_the_nearest_above() {
        let text = "FROM a AS x\nFROM x AS x\nCOPY --from=x b c\nFROM x\nCOPY --from=x b c\nCOPY --from=1 b c";
        let (file, order) = (file(text), [0, 1, 2]);
        let graph = graph(&file, &[]).unwrap();
        let needs: Vec<Vec<usize>> = graph.stages.iter().map(|stage| stage.needs.iter().copied().collect()).collect();
        assert_eq!((needs, graph.order(&file, 2).unwrap()), (vec![vec![], vec![0], vec![1]], order.to_vec()));
    }

    #[test]
    fn what_can_not_be_built_is_shown() {
        let said = |text: &str| {
            let file = file(text);
            let fault = graph(&file, &[]).and_then(|graph| graph.order(&file, graph.stages.len() - 1)).unwrap_err();
            (fault.to_string(), fault.hint().unwrap_or_default())
        };
        for (text, problem, hint) in [
            ("FROM a\nCOPY --from=1 b c", "F:2:13: there is no stage of the number 1", "begin with 0"),
            ("FROM a\nCOPY --from=0 b c", "F:2:13: the stages need each other: stage-0, stage-0", ""),
            (
                "FROM a AS one\nCOPY --from=two b c\nFROM one AS two\nFROM two",
                "F:2:13: the stages need each other: two, one, two",
                "",
            ),
            ("FROM $X", "F:1:6: `$X` is empty, or no name", "`--build-arg X=VALUE`"),
            ("ARG X\nFROM debian:${X}", "F:2:6: `debian:${X}` is empty, or no name", "`ARG X=VALUE`"),
            ("FROM --platform=$P a", "F:1:17: `$P` is empty, or no name", "ARG"),
            ("FROM a${x", "F:1:6: `${` is not closed", ""),
        ] {
            let (found, said) = said(text);
            assert_eq!(found, problem);
            assert!(said.contains(hint), "{said}");
        }
        let file = file(MANY);
        let graph = graph(&file, &[]).unwrap();
        for (name, hint) in [("biuld", "did you mean `build`?"), ("zzz", "there are `base`, `build`, `docs`, `tools`")]
        {
            let error = graph.target(Some(name)).unwrap_err();
            assert_eq!(
                (error.to_string(), error.hint().unwrap()),
                (format!("there is no stage `{name}`"), hint.into())
            );
        }
    }

    #[test]
    fn many_stages_are_no_trouble() {
        let chain: String = (1..5000).map(|n| format!("FROM s{} AS s{n}\n", n - 1)).collect();
        let file = file(&format!("FROM scratch AS s0\n{chain}"));
        let graph = graph(&file, &[]).unwrap();
        assert_eq!(graph.order(&file, 4999).unwrap(), (0..5000).collect::<Vec<_>>());
    }
}
