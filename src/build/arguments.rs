//! Which variables an instruction sees: build arguments, as far as ARG has asked for them, and the environment, which goes first.
//!
//! ```text
//!  --build-arg, predefined ──┐
//!  ARG above the first FROM ─┴─▶ Arguments: what FROM sees
//!                                    │ ARG in a stage asks for one
//!  the base image's environment ─────┴─▶ Scope: what the stage's instructions see ──FROM stage──▶ a copy of it
//!  ENV ──────────────────────────────────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::parse::{Dockerfile, Kind, Word};
use super::source::{Fault, Source};
use super::words;
use crate::oci::Platform;

/// Given with `--build-arg`, RUN sees these without an ARG; they are in no history and no cache key.
pub const PROXIES: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// What is given from outside, and what stands above the first FROM.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    given: BTreeMap<String, String>,
    platforms: BTreeMap<&'static str, String>,
    /// Those of the ARGs above the first FROM.
    global: BTreeMap<String, Option<String>>,
}

impl Arguments {
    /// `given`: `--build-arg`; `build` is where it is built, `target` what it is built for, and `stage` `--target`'s.
    pub fn new(given: BTreeMap<String, String>, build: &Platform, target: &Platform, stage: Option<&str>) -> Self {
        let variant = |platform: &Platform| platform.variant.clone().unwrap_or_default();
        let platforms = BTreeMap::from([
            ("TARGETPLATFORM", target.to_string()),
            ("TARGETOS", target.os.clone()),
            ("TARGETARCH", target.architecture.clone()),
            ("TARGETVARIANT", variant(target)),
            ("TARGETSTAGE", stage.unwrap_or("default").to_owned()),
            ("BUILDPLATFORM", build.to_string()),
            ("BUILDOS", build.os.clone()),
            ("BUILDARCH", build.architecture.clone()),
            ("BUILDVARIANT", variant(build)),
        ]);
        Self { given, platforms, global: BTreeMap::new() }
    }

    /// Takes in the ARGs above the first FROM of a file.
    pub fn read(&mut self, file: &Dockerfile) -> Result<(), Fault> {
        for instruction in &file.instructions {
            let Kind::Arg(declared) = &instruction.kind else { break };
            for (name, default) in declared {
                let value = match (self.given.get(&name.text), default) {
                    (Some(given), _) => Some(given.clone()),
                    (None, Some(default)) => Some(self.word(&file.source, file.directives.escape, default)?),
                    // Asked for again, one that is there stays.
                    (None, None) => self.value(&name.text),
                };
                self.global.insert(name.text.clone(), value);
            }
        }
        Ok(())
    }

    /// What FROM sees.
    pub fn value(&self, name: &str) -> Option<String> {
        match self.global.get(name) {
            Some(value) => value.clone(),
            None => self.predefined(name),
        }
    }

    /// The same without what was given, and without what stands above the first FROM.
    pub fn without_given(&self) -> Self {
        Self { given: BTreeMap::new(), platforms: self.platforms.clone(), global: BTreeMap::new() }
    }

    /// What FROM sees without an ARG.
    pub fn predefined_names(&self) -> impl Iterator<Item = &'static str> {
        self.platforms.keys().copied()
    }

    fn predefined(&self, name: &str) -> Option<String> {
        let value = self.platforms.get(name)?;
        Some(self.given.get(name).unwrap_or(value).clone())
    }

    /// A word of a FROM.
    pub fn word(&self, source: &Source, escape: char, word: &Word) -> Result<String, Fault> {
        words::word(&word.text, escape, &|name| self.value(name)).map_err(|error| source.fault(word.span, error))
    }

    /// The proxies that were given: what RUN sees without having asked.
    pub fn proxies(&self) -> impl Iterator<Item = (&str, &str)> {
        PROXIES.into_iter().filter_map(|name| Some((name, self.given.get(name)?.as_str())))
    }

    /// What was given and the file never asks for.
    pub fn unused(&self, file: &Dockerfile) -> Vec<&str> {
        let asked: BTreeSet<&str> = file
            .instructions
            .iter()
            .filter_map(|instruction| match &instruction.kind {
                Kind::Arg(declared) => Some(declared.iter().map(|(name, _)| name.text.as_str())),
                _ => None,
            })
            .flatten()
            .collect();
        let known = |name: &str| {
            asked.contains(name)
                || PROXIES.contains(&name)
                || self.platforms.contains_key(name)
                || name == "SOURCE_DATE_EPOCH"
                || name.starts_with("BUILDKIT_")
        };
        self.given.keys().map(String::as_str).filter(|name| !known(name)).collect()
    }
}

/// What the instructions of a stage see. A stage upon another begins with a copy of that one's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// In the order in which they were asked for.
    arguments: Vec<(String, Option<String>)>,
    /// In the order of the image's config.
    environment: Vec<(String, String)>,
}

impl Scope {
    /// On an image with this environment (`NAME=value`).
    pub fn new(environment: &[String]) -> Self {
        let mut scope = Self::default();
        for pair in environment {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            scope.set(name, value);
        }
        scope
    }

    /// ARG: the value that was given, or else the default, or else what stands above the first FROM.
    pub fn declare(&mut self, arguments: &Arguments, name: &str, default: Option<String>) {
        let value = match (arguments.given.get(name), default) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => Some(default),
            (None, None) => arguments.value(name),
        };
        // Asked for again without a value, one that is there stays.
        let at = self.arguments.iter().position(|(known, _)| known == name);
        match at.and_then(|at| self.arguments.get_mut(at)) {
            Some((_, slot)) => *slot = value.or_else(|| slot.take()),
            None => self.arguments.push((name.to_owned(), value)),
        }
    }

    /// ENV.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.environment.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => value.clone_into(slot),
            None => self.environment.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Of all that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let arguments = self.arguments.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name.as_str());
        self.environment.iter().map(|(name, _)| name.as_str()).chain(arguments)
    }

    /// The environment goes first.
    pub fn value(&self, name: &str) -> Option<&str> {
        let environment = self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let argument = || self.arguments.iter().find(|(known, _)| known == name)?.1.as_deref();
        environment.or_else(argument)
    }

    /// A word of an instruction, replaced.
    pub fn word(&self, source: &Source, escape: char, word: &Word) -> Result<String, Fault> {
        words::word(&word.text, escape, &self.lookup()).map_err(|error| source.fault(word.span, error))
    }

    /// The words that one becomes.
    pub fn words(&self, source: &Source, escape: char, word: &Word) -> Result<Vec<String>, Fault> {
        words::words(&word.text, escape, &self.lookup()).map_err(|error| source.fault(word.span, error))
    }

    /// For [`words`].
    pub fn lookup(&self) -> impl Fn(&str) -> Option<String> + '_ {
        |name| self.value(name).map(str::to_owned)
    }

    /// What the image's config gets: `NAME=value`.
    pub fn environment(&self) -> Vec<String> {
        self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// The arguments that have a value and that no variable of the environment hides: RUN sees them beside the environment.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &str)> {
        let hidden = |name: &str| self.environment.iter().any(|(known, _)| known == name);
        let with_value = self.arguments.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        with_value.filter(move |(name, _)| !hidden(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::parse::parse;

    fn arguments(text: &str, given: &[(&str, &str)]) -> Arguments {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (build, target) = ("linux/amd64".parse().unwrap(), "linux/arm/v7".parse().unwrap());
        let mut arguments = Arguments::new(given, &build, &target, None);
        arguments.read(&parse("F", format!("{text}\nFROM x").as_bytes()).unwrap()).unwrap();
        arguments
    }

    #[test]
    fn from_sees_what_stands_above_it() {
        let text = "ARG V=1\nARG W=debian:$V X=${TARGETARCH}-$TARGETVARIANT Y\nARG V";
        let plain = arguments(text, &[]);
        let value = |name| plain.value(name);
        assert_eq!((value("W").as_deref(), value("X").as_deref()), (Some("debian:1"), Some("arm-v7")));
        assert_eq!((value("V").as_deref(), value("Y"), value("Z")), (Some("1"), None, None));
        assert_eq!(value("BUILDPLATFORM").as_deref(), Some("linux/amd64"));
        let given = arguments(text, &[("V", "2"), ("Z", "not asked for"), ("HTTP_PROXY", "p")]);
        assert_eq!((given.value("W").as_deref(), given.value("Z")), (Some("debian:2"), None));
        assert_eq!(given.unused(&parse("F", format!("{text}\nFROM x").as_bytes()).unwrap()), ["Z"]);
        assert_eq!(given.proxies().collect::<Vec<_>>(), [("HTTP_PROXY", "p")]);
    }

    /// The reference, "Using ARG variables" and "Scope".
    #[test]
    fn a_stage_sees_what_it_asks_for() {
        let arguments = arguments("ARG V=1\nARG G=global", &[("USER", "given"), ("H", "hidden")]);
        let mut scope = Scope::new(&["PATH=/bin".to_owned(), "H=of the image".to_owned()]);
        assert_eq!((scope.value("V"), scope.value("USER"), scope.value("TARGETOS")), (None, None, None));
        scope.declare(&arguments, "V", None);
        scope.declare(&arguments, "G", Some("of the stage".into()));
        scope.declare(&arguments, "USER", Some("default".into()));
        scope.declare(&arguments, "TARGETOS", None);
        scope.declare(&arguments, "H", None);
        scope.declare(&arguments, "N", None);
        let seen = ["V", "G", "USER", "TARGETOS", "H", "N"].map(|name| scope.value(name));
        let expected = [Some("1"), Some("of the stage"), Some("given"), Some("linux"), Some("of the image"), None];
        assert_eq!(seen, expected);
        scope.declare(&arguments, "G", None);
        assert_eq!(scope.value("G"), Some("global"));
        scope.set("V", "env");
        scope.set("PATH", "/x:/bin");
        scope.declare(&arguments, "V", Some("argument".into()));
        assert_eq!(scope.value("V"), Some("env"));
        assert_eq!(scope.environment(), ["PATH=/x:/bin", "H=of the image", "V=env"]);
        let beside: Vec<_> = scope.arguments().collect();
        assert_eq!(beside, [("G", "global"), ("USER", "given"), ("TARGETOS", "linux")]);
        // The stage upon it.
        assert_eq!(scope.clone().value("USER"), Some("given"));
    }

    #[test]
    fn what_is_wrong_with_a_word_is_shown() {
        let file = parse("F", b"FROM x\nUSER a${b").unwrap();
        let Kind::User(word) = &file.instructions[1].kind else { panic!() };
        let fault = Scope::default().word(&file.source, '\\', word).unwrap_err();
        assert_eq!(fault.to_string(), "F:2:6: `${` is not closed");
    }
}
