//! Patterns of paths, as Go's `path/filepath.Match` has them, and as `.dockerignore` does (github.com/moby/patternmatcher).
//!
//! | written | means |
//! |---|---|
//! | `*` | any number of characters, none a `/` |
//! | `?` | one character that is no `/` |
//! | `[a-z]`, `[^a-z]` | one of these, or none of these |
//! | `\x` | the character x |
//! | `**` | in [`Pattern::deep`] any number of directories, or at the end anything; else as `*` |
//!
//! What must stay true: a match costs at most (length of the pattern) × (length of the path), whatever both are; and a
//! [`Progress`] that is [dead](Progress::is_dead) stays so, so that nobody needs to look below.

/// Bytes of a pattern, as many as Linux allows a path.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a `[` in the pattern `{0}` is not closed, or has nothing in it")]
    Class(String),
    #[error("the pattern `{0}` ends with the `\\` before what it is to mean")]
    Escape(String),
    #[error("a pattern is longer than {LONGEST} bytes")]
    TooLong,
}

impl PatternError {
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Class(_) => "a `[` that is meant itself is `\\[`; a class is `[a-z]`",
            Self::Escape(_) => "a `\\` that is meant itself is `\\\\`",
            Self::TooLong => return None,
        };
        Some(hint.to_owned())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    One(char),
    /// `?`.
    Any,
    /// Characters from one up to another.
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
    /// `*`.
    Star,
    /// `**/`: nothing, or anything that ends with a `/`.
    Directories,
    /// `**` at the end.
    Rest,
}

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
}

/// How far a path has come through a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The numbers of the tokens at which it may stand; the number behind the last is the end.
    at: Set,
}

/// Whether the text has characters that mean something to a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

impl Pattern {
    /// As `filepath.Match` reads it.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        Self::read(text, false)
    }

    /// With `**`.
    pub fn deep(text: &str) -> Result<Self, PatternError> {
        Self::read(text, true)
    }

    fn read(text: &str, deep: bool) -> Result<Self, PatternError> {
        if text.len() > LONGEST {
            return Err(PatternError::TooLong);
        }
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => {
                    let is_deep = deep && chars.next_if_eq(&'*').is_some();
                    let directory = is_deep && chars.next_if_eq(&'/').is_some();
                    match (is_deep, chars.peek()) {
                        (false, _) => Token::Star,
                        (true, None) => Token::Rest,
                        // At the very beginning, and if nothing else is a pattern, all that ends so (`**.c`).
                        (true, Some(_)) if tokens.is_empty() && !directory && !is_pattern(&text[2..]) => Token::Rest,
                        (true, Some(_)) => Token::Directories,
                    }
                }
                '?' => Token::Any,
                '[' => class(&mut chars).ok_or_else(|| PatternError::Class(text.to_owned()))?,
                '\\' => Token::One(chars.next().ok_or_else(|| PatternError::Escape(text.to_owned()))?),
                c => Token::One(c),
            });
        }
        Ok(Self { tokens })
    }

    pub fn matches(&self, path: &str) -> bool {
        let mut progress = self.start();
        self.advance(&mut progress, path);
        self.is_match(&progress)
    }

    /// Before any character of a path.
    pub fn start(&self) -> Progress {
        let mut at = Set::new(self.tokens.len());
        self.enter(0, &mut at);
        Progress { at }
    }

    /// Whether what was passed fits the whole pattern.
    pub fn is_match(&self, progress: &Progress) -> bool {
        progress.at.has(self.tokens.len())
    }

    /// Passes more of a path.
    pub fn advance(&self, progress: &mut Progress, text: &str) {
        for c in text.chars() {
            if progress.is_dead() {
                return;
            }
            let mut next = Set::new(self.tokens.len());
            for number in progress.at.numbers() {
                match self.tokens.get(number) {
                    Some(Token::One(wanted)) if *wanted == c => self.enter(number + 1, &mut next),
                    Some(Token::Any) if c != '/' => self.enter(number + 1, &mut next),
                    Some(Token::Class { not, ranges })
                        if ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *not =>
                    {
                        self.enter(number + 1, &mut next);
                    }
                    Some(Token::Star) if c != '/' => self.enter(number, &mut next),
                    Some(Token::Rest) => self.enter(number, &mut next),
                    Some(Token::Directories) => {
                        // In the middle of a name, what comes behind can't begin.
                        next.add(number);
                        if c == '/' {
                            self.enter(number + 1, &mut next);
                        }
                    }
                    _ => {}
                }
            }
            progress.at = next;
        }
    }

    /// Stands at a token, and behind it too if that one needs nothing.
    fn enter(&self, number: usize, at: &mut Set) {
        let optional = |token: &Token| matches!(token, Token::Star | Token::Rest | Token::Directories);
        for number in number.. {
            at.add(number);
            if !self.tokens.get(number).is_some_and(optional) {
                return;
            }
        }
    }
}

impl Progress {
    /// Whether nothing that begins so can fit.
    pub fn is_dead(&self) -> bool {
        self.at.0.iter().all(|word| *word == 0)
    }
}

/// Some of the numbers from 0 up to another, as bits.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set(smallvec::SmallVec<[u64; 2]>);

impl Set {
    fn new(last: usize) -> Self {
        Self(smallvec::smallvec![0; last / 64 + 1])
    }

    fn add(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    fn numbers(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

/// Behind a `[`: `^`, then characters and ranges up to `]`; of which there is one at least.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let not = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Some(Token::Class { not, ranges });
        }
        let from = one(chars)?;
        let to = if chars.next_if_eq(&'-').is_some() { one(chars)? } else { from };
        ranges.push((from, to));
    }
}

/// A character of a class; `-` and `]` only with a `\` before them.
fn one(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '\\' => chars.next(),
        '-' | ']' => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of Go's own test, path/filepath/match_test.go, and more of the kind.
    #[test]
    fn patterns_fit_as_go_says() {
        let fits = |pattern: &str, path: &str| Pattern::new(pattern).map(|pattern| pattern.matches(path));
        for (pattern, path, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[x\\-]", "z", false),
            ("*x", "xxx", true),
            ("**", "a", true),
            ("a**b", "a/b", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, path), Ok(expected), "{pattern} {path}");
        }
        for bad in ["[", "[]a]", "[-]", "[x-]", "[-x]", "a[", "[^", "[^]", "[a-b-c]", "[\\"] {
            assert_eq!(fits(bad, "a"), Err(PatternError::Class(bad.into())), "{bad}");
        }
        assert_eq!(fits("a\\", "a"), Err(PatternError::Escape("a\\".into())));
        assert_eq!(fits(&"a".repeat(5000), "a"), Err(PatternError::TooLong));
    }

    #[test]
    fn two_stars_are_directories() {
        for (pattern, path, expected) in [
            ("**", "a/b", true),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("**/x", "a/bx", false),
            ("**/*.go", "a/b.go", true),
            ("**.go", "a/b.go", true),
            ("**x", "a/bx", true),
            ("**x*", "a/bx", false),
            ("**x*", "a/xb", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a**b", "ab", true),
            ("a**b", "ax/b", true),
            ("a**b", "axb", false),
            ("**/a/**", "x/a/y", true),
            ("**/a/**", "x/b/y", false),
        ] {
            assert_eq!(Pattern::deep(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn who_is_dead_stays_so() {
        let pattern = Pattern::deep("src/*/x").unwrap();
        let at = |path: &str| {
            let mut progress = pattern.start();
            pattern.advance(&mut progress, path);
            progress.is_dead()
        };
        assert_eq!([at("src/"), at("src/a/"), at("src/a/y"), at("other/")], [false, false, true, true]);
    }

    #[test]
    fn nothing_takes_long() {
        let pattern = Pattern::deep(&format!("{}b", "*a**/".repeat(500))).unwrap();
        assert!(!pattern.matches(&"a/".repeat(2000)));
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(1000))).unwrap();
        assert!(!pattern.matches(&"a".repeat(2000)));
    }
}
