//! What of a context is left out: `.containerignore` and `.dockerignore`, and COPY's `--exclude`, with Docker's rules.
//!
//! * A pattern is a whole path below the context's root: `x` is `/x`, and not `a/x`; `**/x` is any.
//! * What fits a directory fits all below it.
//! * The last rule that fits decides; one that begins with `!` takes back in.
//!
//! What must stay true: who walks a context asks once for each entry, of its name alone; [`Verdict::Out`] is said of no directory
//! below which something may be taken back in, and [`Verdict::Enter`] of none below which nothing can be.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::parse::Problem;
use super::pattern::{Pattern, PatternError, Progress};
use super::source::{Fault, Source, Span};

/// Rules of a file.
const MOST: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    takes_in: bool,
}

/// Rules, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs to the context.
    In,
    /// Neither it nor anything below it does.
    Out,
    /// It does not, but if it is a directory, something below it may; then it is there for that one's sake.
    Enter,
}

/// A directory on a walk: what was decided of it, and the rules that may still decide otherwise below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    is_out: bool,
    /// The rules behind the last one that fits, by number, each with its progress.
    live: Vec<(usize, Progress)>,
}

impl Ignore {
    /// Reads a file of rules.
    pub fn parse(source: &Source) -> Result<Self, Fault> {
        let mut rules = Vec::new();
        let mut at = 0;
        for (number, line) in source.text.split_inclusive('\n').enumerate() {
            let start = at;
            at += line.len();
            let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { line };
            let span = Span { start, end: start + line.trim_end().len() };
            if line.starts_with('#') {
                continue;
            }
            if rules.len() == MOST {
                return Err(source.fault(span, Problem::TooManyRules(MOST)));
            }
            rules.extend(rule(line).map_err(|problem| source.fault(span, problem))?);
        }
        Ok(Self { rules })
    }

    /// As COPY's `--exclude` has them.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let rules: Result<Vec<_>, _> = patterns.into_iter().map(rule).collect();
        Ok(Self { rules: rules?.into_iter().flatten().collect() })
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Where a walk begins.
    pub fn root(&self) -> Directory {
        let live = self.rules.iter().enumerate().map(|(number, rule)| (number, rule.pattern.start()));
        Directory { is_out: false, live: live.collect() }
    }

    /// What is decided of an entry of a directory; and if it is a directory that is to be entered, what to ask with below it.
    pub fn entry(&self, directory: &Directory, name: &str) -> (Verdict, Directory) {
        let mut last = None;
        let mut live = Vec::with_capacity(directory.live.len());
        for (number, progress) in &directory.live {
            let Some(rule) = self.rules.get(*number) else { continue };
            let mut progress = progress.clone();
            rule.pattern.advance(&mut progress, name);
            if rule.pattern.is_match(&progress) {
                last = Some((*number, rule.takes_in));
            }
            rule.pattern.advance(&mut progress, "/");
            if !progress.is_dead() {
                live.push((*number, progress));
            }
        }
        let is_out = last.map_or(directory.is_out, |(_, takes_in)| !takes_in);
        // What fits it fits all below, so only the rules behind can decide otherwise.
        if let Some((last, _)) = last {
            live.retain(|(number, _)| *number > last);
        }
        let may_enter = live.iter().any(|(number, _)| self.rules.get(*number).is_some_and(|rule| rule.takes_in));
        let verdict = match (is_out, may_enter) {
            (false, _) => Verdict::In,
            (true, true) => Verdict::Enter,
            (true, false) => Verdict::Out,
        };
        (verdict, Directory { is_out, live })
    }

    /// What is decided of a path below the context's root.
    pub fn path(&self, path: &str) -> Verdict {
        let mut directory = self.root();
        let mut verdict = Verdict::In;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            (verdict, directory) = self.entry(&directory, name);
            if verdict == Verdict::Out {
                return verdict;
            }
        }
        verdict
    }
}

impl Directory {
    /// Whether everything below is in, whatever it is called.
    pub fn is_whole(&self) -> bool {
        !self.is_out && self.live.is_empty()
    }
}

/// One line; `None`: nothing is meant.
fn rule(line: &str) -> Result<Option<Rule>, Problem> {
    let text = line.trim();
    let (takes_in, pattern) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim()));
    if pattern.is_empty() {
        return if takes_in { Err(Problem::EmptyRule) } else { Ok(None) };
    }
    let cleaned = clean(pattern);
    // The root itself, and what lies outside, are no part of what is walked.
    if cleaned.is_empty() || cleaned == ".." || cleaned.starts_with("../") {
        return Ok(None);
    }
    let pattern = Pattern::deep(&cleaned).map_err(|error| match error {
        PatternError::TooLong => error,
        // As it is written.
        PatternError::Class(_) => PatternError::Class(pattern.to_owned()),
        PatternError::Escape(_) => PatternError::Escape(pattern.to_owned()),
    })?;
    Ok(Some(Rule { pattern, takes_in }))
}

/// Without `.`, doubled and surrounding slashes; `..` takes the name before it away. Empty: the root.
fn clean(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            ".." if path.starts_with('/') => {}
            name => names.push(name),
        }
    }
    names.join("/")
}

/// Where the rules of a context stand, the first that is there counts: beside the Containerfile with its name, then in the
/// context's root.
pub fn places(file: Option<&Path>, context: &Path) -> Vec<PathBuf> {
    let beside = |extension: &str| {
        let file = file?;
        let mut name = OsString::from(file.file_name()?);
        name.push(extension);
        Some(file.with_file_name(name))
    };
    let of_file = [".containerignore", ".dockerignore"].into_iter().filter_map(beside);
    of_file.chain([".containerignore", ".dockerignore"].map(|name| context.join(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(text: &str) -> Ignore {
        Ignore::parse(&Source::new(".dockerignore", text)).unwrap()
    }

    /// Whether a file of that path is in.
    fn is_in(ignore: &Ignore, path: &str) -> bool {
        ignore.path(path) == Verdict::In
    }

    /// The rules of moby/patternmatcher's documentation and of Docker's page on build contexts.
    #[test]
    fn the_last_rule_that_fits_decides() {
        for (text, ins, outs) in [
            (
                "*/temp*\n*/*/temp*\ntemp?\n",
                &["temp", "a/b/c/temp", "tempxy"][..],
                &["a/temporary.txt", "a/b/temp/x", "tempa"][..],
            ),
            ("*.md\n!README*.md\nREADME-secret.md", &["README.md", "a/x.md"], &["x.md", "README-secret.md"]),
            ("*.md\nREADME-secret.md\n!README*.md", &["README-secret.md"], &["x.md"]),
            ("**/*.go\n!a/**/keep.go", &["a/keep.go", "a/b/c/keep.go", "x.c"], &["keep.go", "b/keep.go", "a/x.go"]),
            (
                "# note\n\n  node_modules/  \n",
                &["a/node_modules/x", "node_modules2"],
                &["node_modules", "node_modules/a/b"],
            ),
            ("/foo/../bar//./baz/\n.\n/\n..\n../x", &["bar", "foo", "x"], &["bar/baz", "bar/baz/q"]),
            ("*\n!src\nsrc/test", &["src/a", "src/b/c"], &["a", "src/test/x", ".dockerignore"]),
            ("**\n!a/b/c", &["a/b/c", "a/b/c/d"], &["x", "a/b/x", "a/x"]),
            ("a\n!a/b\na/b/c\n!a/b/c/d", &["a/b/x", "a/b/c/d/e"], &["a/x", "a/b/c/x"]),
            ("! a\n a ", &[], &["a"]),
            ("a\r\n#b\r\n", &["#b", "b"], &["a"]),
            ("\u{feff}a", &[], &["a"]),
            ("[a-c]?\\*", &["ab", "dx*"], &["ax*"]),
            (" #a", &["a"], &["#a"]),
        ] {
            let ignore = ignore(text);
            for path in ins {
                assert!(is_in(&ignore, path), "{text:?}: {path} is out");
            }
            for path in outs {
                assert!(!is_in(&ignore, path), "{text:?}: {path} is in");
            }
        }
    }

    #[test]
    fn a_walk_enters_where_something_may_be_taken_in() {
        let ignore = ignore("*\n!src/*/keep\n!docs\ndocs/big");
        let root = ignore.root();
        let (verdict, src) = ignore.entry(&root, "src");
        assert_eq!(verdict, Verdict::Enter);
        let (verdict, below) = ignore.entry(&src, "a");
        assert_eq!((verdict, ignore.entry(&below, "keep").0), (Verdict::Enter, Verdict::In));
        assert_eq!((ignore.entry(&below, "x").0, ignore.entry(&root, "target").0), (Verdict::Out, Verdict::Out));
        let (verdict, docs) = ignore.entry(&root, "docs");
        assert_eq!((verdict, docs.is_whole(), ignore.entry(&docs, "big").0), (Verdict::In, false, Verdict::Out));
        assert!(ignore.entry(&docs, "small").1.is_whole() && Ignore::default().root().is_whole());
    }

    #[test]
    fn what_is_no_rule_is_shown() {
        let said = |text: &str| Ignore::parse(&Source::new(".dockerignore", text)).unwrap_err();
        assert_eq!(said("a\n!\n").to_string(), ".dockerignore:2:1: a `!` with nothing behind it");
        let fault = said("a\n b[\n");
        assert_eq!(
            fault.to_string(),
            ".dockerignore:2:1: a `[` in the pattern `b[` is not closed, or has nothing in it"
        );
        assert!(fault.hint().unwrap().contains("\\["));
        assert_eq!(said(&"a\n".repeat(MOST + 1)).place.line, MOST + 1);
        assert!(Ignore::new(["a[", "b"]).is_err());
    }

    #[test]
    fn rules_stand_beside_the_file_or_in_the_context() {
        let places = places(Some(Path::new("/b/web.Dockerfile")), Path::new("/c"));
        let expected = [
            "/b/web.Dockerfile.containerignore",
            "/b/web.Dockerfile.dockerignore",
            "/c/.containerignore",
            "/c/.dockerignore",
        ];
        assert_eq!(places, expected.map(PathBuf::from));
    }

    /// What a walk decides with its shortcuts is what each rule decides of each path and of all above it.
    #[test]
    fn a_walk_decides_as_the_rules_do_one_by_one() {
        let names = ["a", "b", "ab", "a.c"];
        let parts = ["a", "b", "*", "**", "a?", "*.c", "[ab]", "ab"];
        let mut seed = 7_u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..2000 {
            let lines: Vec<String> = (0..1 + next(5))
                .map(|_| {
                    let path: Vec<&str> = (0..1 + next(3)).map(|_| parts[next(parts.len())]).collect();
                    format!("{}{}", if next(3) == 0 { "!" } else { "" }, path.join("/"))
                })
                .collect();
            let text = lines.join("\n");
            let ignore = ignore(&text);
            let path: Vec<&str> = (0..1 + next(4)).map(|_| names[next(names.len())]).collect();
            let above: Vec<String> = (1..=path.len()).map(|length| path[..length].join("/")).collect();
            let fits = |rule: &&Rule| above.iter().any(|path| rule.pattern.matches(path));
            let expected = ignore.rules.iter().rfind(fits).is_none_or(|rule| rule.takes_in);
            assert_eq!(is_in(&ignore, &path.join("/")), expected, "{text:?} {path:?}");
        }
    }
}
