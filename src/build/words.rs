//! Words with their variables replaced and their quotes taken away, as BuildKit's frontend for Dockerfiles does it (POSIX shell,
//! 2.6.2 Parameter Expansion, with bash's `${x/pattern/text}`).
//!
//! | where | how |
//! |---|---|
//! | ADD, COPY (sources, destination, `--chown`, `--chmod`, `--exclude`, `--checksum`), ENV, LABEL, ARG, USER, WORKDIR, VOLUME, STOPSIGNAL, `--mount`'s values | [`word`] |
//! | EXPOSE | [`words`]: one may become several |
//! | a heredoc of ADD or COPY whose name is not quoted | [`heredoc`]: quotes stay |
//! | FROM: image and `--platform` | [`word`], with the ARGs above the first FROM only |
//! | RUN, CMD, ENTRYPOINT, SHELL, HEALTHCHECK, MAINTAINER, ONBUILD (until it is done) | not at all |

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

use regex::{NoExpand, Regex, RegexBuilder};

/// Bytes of what a word may become.
const LONGEST: usize = 1 << 20;
/// How deep `${a:-${b:-…}}` goes.
const DEEPEST: usize = 50;
/// Bytes of a compiled pattern.
const PATTERN: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    #[error("a quote {0} is not closed")]
    Quote(char),
    #[error("`${{` is not closed")]
    Brace,
    #[error("no name stands behind `${{`")]
    NoName,
    #[error("`{0}` behind a variable's name means nothing")]
    Modifier(String),
    #[error("`${{{0}/…` has no second `/`")]
    Slash(String),
    #[error("the pattern `{0}` can't be")]
    Pattern(String),
    #[error("{name}: {message}")]
    Required { name: String, message: String },
    #[error("it becomes longer than {LONGEST} bytes")]
    TooLong,
    #[error("`${{` goes deeper than {DEEPEST}")]
    TooDeep,
}

impl WordError {
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Quote(_) => {
                "names with spaces in COPY, ADD and VOLUME go into a list: `[\"a b\", \"/c\"]`".to_owned()
            }
            Self::Modifier(_) => "`:-`, `:+`, `:?`, `#`, `##`, `%`, `%%`, `/` and `//` mean something".to_owned(),
            Self::Required { name, .. } => format!("give it a value: `--build-arg {name}=VALUE`, or ARG or ENV above"),
            Self::Slash(_) => "as in `${name/pattern/text}`".to_owned(),
            Self::Brace | Self::NoName => "a `$` that is meant itself is `\\$`".to_owned(),
            _ => return None,
        })
    }
}

/// What variables are worth.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a word has become.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    pub text: String,
    /// The text at its spaces, as far as these were neither quoted nor escaped.
    pub words: Vec<String>,
    /// Variables that were used without having a value.
    pub unset: BTreeSet<String>,
}

pub fn expand(text: &str, escape: char, lookup: Lookup<'_>) -> Result<Expanded, WordError> {
    let mut lexer = Lexer::new(text, escape, lookup, true);
    let (text, words) = lexer.up_to(None, false)?;
    Ok(Expanded { text, words: words.finish(), unset: lexer.unset })
}

/// The text as one word.
pub fn word(text: &str, escape: char, lookup: Lookup<'_>) -> Result<String, WordError> {
    Ok(expand(text, escape, lookup)?.text)
}

/// The text as the words that it becomes.
pub fn words(text: &str, escape: char, lookup: Lookup<'_>) -> Result<Vec<String>, WordError> {
    Ok(expand(text, escape, lookup)?.words)
}

/// The contents of a heredoc: variables and escapes count, quotes do not.
pub fn heredoc(text: &str, lookup: Lookup<'_>) -> Result<String, WordError> {
    Ok(Lexer::new(text, '\\', lookup, false).up_to(None, false)?.0)
}

/// Collects words.
#[derive(Default)]
struct Split {
    done: Vec<String>,
    word: String,
    /// A word that is quoted counts even if it is empty.
    begun: bool,
}

impl Split {
    fn push(&mut self, c: char) {
        if c.is_whitespace() {
            self.end();
        } else {
            self.word.push(c);
        }
    }

    fn quoted(&mut self, text: &str) {
        self.word.push_str(text);
        self.begun |= !text.is_empty();
    }

    fn end(&mut self) {
        if !self.word.is_empty() || self.begun {
            self.done.push(std::mem::take(&mut self.word));
        }
        self.begun = false;
    }

    fn finish(mut self) -> Vec<String> {
        self.end();
        self.done
    }
}

struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    escape: char,
    lookup: Lookup<'a>,
    /// Quotes mean something.
    quotes: bool,
    unset: BTreeSet<String>,
    depth: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, escape: char, lookup: Lookup<'a>, quotes: bool) -> Self {
        Self { chars: text.chars().peekable(), escape, lookup, quotes, unset: BTreeSet::new(), depth: 0 }
    }

    /// Up to the character `stop`, which is taken too, or to the end. `raw`: escapes stay, for they mean something to a pattern.
    fn up_to(&mut self, stop: Option<char>, raw: bool) -> Result<(String, Split), WordError> {
        let (mut text, mut split) = (String::new(), Split::default());
        while let Some(c) = self.chars.next() {
            if Some(c) == stop {
                return Ok((text, split));
            }
            match c {
                '\'' if self.quotes => {
                    let quoted = self.single()?;
                    text.push_str(&quoted);
                    split.quoted(&quoted);
                }
                '"' if self.quotes => {
                    let quoted = self.double(raw)?;
                    text.push_str(&quoted);
                    split.quoted(&quoted);
                }
                '$' => {
                    let value = self.dollar()?;
                    text.push_str(&value);
                    value.chars().for_each(|c| split.push(c));
                }
                c if c == self.escape => {
                    if raw {
                        text.push(c);
                        split.word.push(c);
                    }
                    // At the very end it means nothing.
                    if let Some(next) = self.chars.next() {
                        text.push(next);
                        split.word.push(next);
                    }
                }
                c => {
                    text.push(c);
                    split.push(c);
                }
            }
            if text.len() > LONGEST {
                return Err(WordError::TooLong);
            }
        }
        if stop.is_some() { Err(WordError::Brace) } else { Ok((text, split)) }
    }

    /// All up to the next `'`, as it is.
    fn single(&mut self) -> Result<String, WordError> {
        let mut text = String::new();
        for c in self.chars.by_ref() {
            if c == '\'' {
                return Ok(text);
            }
            text.push(c);
        }
        Err(WordError::Quote('\''))
    }

    /// Up to the next `"`; variables count, and an escape before what would mean something.
    fn double(&mut self, raw: bool) -> Result<String, WordError> {
        let mut text = String::new();
        while let Some(c) = self.chars.next() {
            match c {
                '"' => return Ok(text),
                '$' => text.push_str(&self.dollar()?),
                c if c == self.escape => {
                    let escape = self.escape;
                    let next = self.chars.next_if(|next| [escape, '"', '$'].contains(next));
                    if raw && next.is_some() {
                        text.push(c);
                    }
                    text.push(next.unwrap_or(c));
                }
                c => text.push(c),
            }
            if text.len() > LONGEST {
                return Err(WordError::TooLong);
            }
        }
        Err(WordError::Quote('"'))
    }

    /// Behind a `$`.
    fn dollar(&mut self) -> Result<String, WordError> {
        if self.chars.next_if_eq(&'{').is_none() {
            let name = self.name();
            return Ok(if name.is_empty() { "$".to_owned() } else { self.value(&name).unwrap_or_default() });
        }
        if self.depth == DEEPEST {
            return Err(WordError::TooDeep);
        }
        self.depth += 1;
        let value = self.braced();
        self.depth -= 1;
        value
    }

    /// Behind `${`.
    fn braced(&mut self) -> Result<String, WordError> {
        let name = self.name();
        let next = self.chars.next().ok_or(WordError::Brace)?;
        if name.is_empty() {
            return Err(WordError::NoName);
        }
        match next {
            '}' => Ok(self.value(&name).unwrap_or_default()),
            ':' => match self.chars.next().ok_or(WordError::Brace)? {
                modifier @ ('-' | '+' | '?') => self.choice(&name, modifier, true),
                other => Err(WordError::Modifier(format!(":{other}"))),
            },
            '-' | '+' | '?' => self.choice(&name, next, false),
            '#' | '%' => self.trimmed(&name, next),
            '/' => self.replaced(&name),
            other => Err(WordError::Modifier(other.to_string())),
        }
    }

    /// `-`: what if it has no value; `+`: what if it has; `?`: it must have one. `empty_too`: an empty one is none.
    fn choice(&mut self, name: &str, modifier: char, empty_too: bool) -> Result<String, WordError> {
        let other = self.up_to(Some('}'), false)?.0;
        let value = self.given(name).filter(|value| !empty_too || !value.is_empty());
        match (modifier, value) {
            ('-', value) => Ok(value.unwrap_or(other)),
            ('+', Some(_)) => Ok(other),
            ('+', None) => Ok(String::new()),
            (_, Some(value)) => Ok(value),
            (_, None) => {
                let message = match other.is_empty() {
                    false => other,
                    true if empty_too => "has no value, or an empty one".to_owned(),
                    true => "has no value".to_owned(),
                };
                Err(WordError::Required { name: name.to_owned(), message })
            }
        }
    }

    /// `#`: without what its beginning fits, `%`: its end; the shortest, or if doubled the longest.
    fn trimmed(&mut self, name: &str, side: char) -> Result<String, WordError> {
        let greedy = self.chars.next_if_eq(&side).is_some();
        let pattern = self.up_to(Some('}'), true)?.0;
        let value = self.value(name).unwrap_or_default();
        if side == '#' {
            let regex = compile(&pattern, Fit::Start { greedy })?;
            return Ok(regex.find(&value).map_or(value.clone(), |found| value[found.end()..].to_owned()));
        }
        // The end is the beginning of what is read backwards.
        let backwards: String = value.chars().rev().collect();
        let regex = compile(&pattern, Fit::End { greedy })?;
        let cut = regex.find(&backwards).map_or(0, |found| found.end());
        Ok(value[..value.len() - cut].to_owned())
    }

    /// `/pattern/text`, and `//` for all of them.
    fn replaced(&mut self, name: &str) -> Result<String, WordError> {
        let all = self.chars.next_if_eq(&'/').is_some();
        let pattern = match self.up_to(Some('/'), true) {
            Err(WordError::Brace) => return Err(WordError::Slash(name.to_owned())),
            other => other?.0,
        };
        let text = self.up_to(Some('}'), true)?.0;
        let value = self.value(name).unwrap_or_default();
        let regex = compile(&pattern, Fit::Anywhere)?;
        if value.len().saturating_mul(text.len() + 1) > LONGEST && all {
            return Err(WordError::TooLong);
        }
        let text = NoExpand(&text);
        Ok(if all { regex.replace_all(&value, text) } else { regex.replace(&value, text) }.into_owned())
    }

    /// Letters, digits and `_`; or digits alone; or one of a shell's special names.
    fn name(&mut self) -> String {
        let mut name = String::new();
        if let Some(special) = self.chars.next_if(|c| ['@', '*', '#', '?', '-', '$', '!'].contains(c)) {
            return special.to_string();
        }
        let digits = self.chars.peek().is_some_and(char::is_ascii_digit);
        let part = |c: &char| if digits { c.is_ascii_digit() } else { c.is_alphanumeric() || *c == '_' };
        while let Some(c) = self.chars.next_if(part) {
            name.push(c);
        }
        name
    }

    fn given(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }

    fn value(&mut self, name: &str) -> Option<String> {
        let value = self.given(name);
        if value.is_none() {
            self.unset.insert(name.to_owned());
        }
        value
    }
}

/// What of a text a pattern must fit.
#[derive(Clone, Copy)]
enum Fit {
    Start {
        greedy: bool,
    },
    /// The pattern is turned round.
    End {
        greedy: bool,
    },
    Anywhere,
}

/// A shell's pattern of `*` and `?`, without brackets.
fn compile(pattern: &str, fit: Fit) -> Result<Regex, WordError> {
    let wrong = || WordError::Pattern(pattern.to_owned());
    let shortest = matches!(fit, Fit::Start { greedy: false } | Fit::End { greedy: false });
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' if shortest => ".*?".to_owned(),
            '*' => ".*".to_owned(),
            '?' => ".".to_owned(),
            '\\' => match chars.next() {
                Some(next @ ('*' | '?' | '\\' | '}' | '/')) => regex::escape(&next.to_string()),
                _ => return Err(wrong()),
            },
            c => regex::escape(&c.to_string()),
        });
    }
    if let Fit::End { .. } = fit {
        pieces.reverse();
    }
    let start = if let Fit::Anywhere = fit { "" } else { "^" };
    let regex = format!("{start}{}", pieces.concat());
    RegexBuilder::new(&regex).dot_matches_new_line(true).size_limit(PATTERN).build().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        let known =
            [("x", "y z"), ("empty", ""), ("path", "/usr/lib/x.tar.gz"), ("v", "1.2.3"), ("é", "e"), ("q", "a\"b")];
        known.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    fn said(text: &str) -> Result<String, String> {
        word(text, '\\', &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_quotes_and_escapes() {
        for (text, expected) in [
            ("$x", "y z"),
            ("a${x}b$empty$nothing.", "ay zb."),
            ("'$x' \"$x\" \\$x", "$x y z $x"),
            ("\"a\\\"b\\c\\\\d\\$x\"", "a\"b\\c\\d$x"),
            ("a\\bc\\", "abc"),
            ("$ $. $1x $é", "$ $. x e"),
            ("a 'b  c'd", "a b  cd"),
            ("$q", "a\"b"),
            ("${x:-w}|${empty:-w}|${empty-w}|${no:-w}|${no-w}|${no:-}", "y z|w||w|w|"),
            ("${x:+w}|${empty:+w}|${empty+w}|${no+w}", "w||w|"),
            ("${x:?e}|${empty?e}", "y z|"),
            ("${no:-${no:-'a}' \"$x\"}}", "a} y z"),
            ("${path#*/}|${path##*/}|${path%.*}|${path%%.*}", "usr/lib/x.tar.gz|x.tar.gz|/usr/lib/x.tar|/usr/lib/x"),
            ("${path%/*}|${path%%/*}|${path%\\/x*}|${é%*}.", "/usr/lib||/usr/lib|e."),
            ("${path#x}|${path%x}|${v#1.}|${v%.?}|${no#x}", "/usr/lib/x.tar.gz|/usr/lib/x.tar.gz|2.3|1.2|"),
            (
                "${v/./-}|${v//./-}|${v//[.]/-}|${path//\\//_}|${v/*/$x}|${v/?./}",
                "1-2.3|1-2-3|1.2.3|_usr_lib_x.tar.gz|y z|2.3",
            ),
            ("${v//./$1}", "123"),
        ] {
            assert_eq!(said(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(word("a\\b`$x`\"", '`', &lookup).as_deref(), Ok("a\\b$x\""));
        assert_eq!(heredoc("'$x' \"\\$x\" it's", &lookup).as_deref(), Ok("'y z' \"$x\" it's"));
    }

    #[test]
    fn words_are_split_where_nothing_is_quoted() {
        for (text, expected) in [
            ("80 $x", &["80", "y", "z"][..]),
            ("\"$x\" 'a b'c d\\ e", &["y z", "a bc", "d e"]),
            ("$empty  ", &[]),
            ("a${no:-b c}d", &["ab", "cd"]),
        ] {
            assert_eq!(words(text, '\\', &lookup).unwrap(), expected, "{text}");
        }
        let unset = expand("$no ${nope} ${other:-w} $x", '\\', &lookup).unwrap().unset;
        assert_eq!(unset.into_iter().collect::<Vec<_>>(), ["no", "nope"]);
    }

    #[test]
    fn what_can_not_be_meant_is_an_error() {
        for (text, problem) in [
            ("'a", "a quote ' is not closed"),
            ("a\"b$x", "a quote \" is not closed"),
            ("${x", "`${` is not closed"),
            ("${x:-y", "`${` is not closed"),
            ("${}", "no name stands behind `${`"),
            ("${{x}}", "no name stands behind `${`"),
            ("${x:=y}", "`:=` behind a variable's name means nothing"),
            ("${x^^}", "`^` behind a variable's name means nothing"),
            ("${x/a}", "`${x/…` has no second `/`"),
            ("${x#\\a}", "the pattern `\\a` can't be"),
            ("${no?}", "no: has no value"),
            ("${empty:?}", "empty: has no value, or an empty one"),
            ("${empty:?say $v}", "empty: say 1.2.3"),
        ] {
            assert_eq!(said(text), Err(problem.to_owned()), "{text}");
        }
    }

    #[test]
    fn nothing_grows_without_end() {
        let long = |_: &str| Some("a".repeat(LONGEST / 4));
        assert_eq!(word("$a$a$a$a$a", '\\', &long), Err(WordError::TooLong));
        assert_eq!(word("\"$a$a$a$a$a\"", '\\', &long), Err(WordError::TooLong));
        assert_eq!(word("${a//a/aaaaaaaaaa}", '\\', &long), Err(WordError::TooLong));
        assert_eq!(said(&"${a:-".repeat(100_000)), Err(WordError::TooDeep.to_string()));
        for sign in ["#", "##", "%", "%%"] {
            let stars = format!("${{v{sign}{}z}}", "*a".repeat(500));
            assert_eq!(said(&stars).as_deref(), Ok("1.2.3"));
        }
    }
}
