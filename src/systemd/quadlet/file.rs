//! The syntax of unit files (systemd.syntax(7)): sections of `Key=value`, keys that may be there more than once, and of which an empty
//! value takes back what was said before.
//!
//! A line that ends in a backslash goes on in the next one, comments between them left out. Nothing is done about specifiers (`%i`):
//! they go on into the unit that is made.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::words;
use super::{Error, Problem};

/// Of one file, in bytes; a longer one is no unit that somebody wrote.
pub const LONGEST: usize = 1 << 20;

/// Where something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: Rc<PathBuf>,
    /// From 1.
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub section: String,
    pub key: String,
    /// Its lines made one, with no space around.
    pub value: String,
    pub place: Place,
}

/// A unit file and its drop-ins, one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    pub entries: Vec<Entry>,
}

impl UnitFile {
    /// Adds what a file says.
    pub fn add(&mut self, file: &Path, text: &str) -> Result<(), Error> {
        let file = Rc::new(file.to_owned());
        let place = |line| Place { file: file.clone(), line };
        if text.len() > LONGEST {
            return Err(Problem::TooLong.at(&place(1)));
        }
        let mut section: Option<String> = None;
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let place = place(number + 1);
            let line = line.trim();
            if is_comment(line) {
                continue;
            }
            if has_control(line) {
                return Err(Problem::Control.at(&place));
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = Some(name.to_owned());
                continue;
            }
            let mut whole = line.to_owned();
            while whole.ends_with('\\') {
                whole.pop();
                let next =
                    lines.by_ref().map(|(_, line)| line.trim()).find(|line| line.is_empty() || !is_comment(line));
                let next = next.unwrap_or_default();
                if has_control(next) {
                    return Err(Problem::Control.at(&place));
                }
                whole.push(' ');
                whole.push_str(next);
            }
            let Some((key, value)) = whole.split_once('=').filter(|(key, _)| is_key(key.trim_end())) else {
                return Err(Problem::NoKey(line.to_owned()).at(&place));
            };
            let Some(section) = section.clone() else { return Err(Problem::NoSection.at(&place)) };
            // A unit's next line must not become a part of it.
            let value = value.trim_start().trim_end_matches(|c: char| c == '\\' || c.is_whitespace()).to_owned();
            let key = key.trim_end().to_owned();
            self.entries.push(Entry { section, key, value, place });
        }
        Ok(())
    }

    pub fn section<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.section == section)
    }

    /// What is said with a key since it was last taken back.
    pub fn values(&self, section: &str, key: &str) -> Vec<&Entry> {
        let said: Vec<&Entry> =
            self.entries.iter().filter(|entry| entry.section == section && entry.key == key).collect();
        let from = said.iter().rposition(|entry| entry.value.is_empty()).map_or(0, |last| last + 1);
        said.into_iter().skip(from).collect()
    }

    /// What counts of a key that has one value.
    pub fn last(&self, section: &str, key: &str) -> Option<&Entry> {
        self.values(section, key).pop()
    }
}

impl Entry {
    /// The value, without quotes around the whole of it.
    pub fn text(&self) -> &str {
        let quoted = |quote| self.value.strip_prefix(quote)?.strip_suffix(quote).filter(|text| !text.contains(quote));
        quoted('"').or_else(|| quoted('\'')).unwrap_or(&self.value)
    }

    /// The value as words.
    pub fn words(&self) -> Result<Vec<String>, Error> {
        words::split(&self.value).map_err(|problem| problem.at(&self.place))
    }

    /// The value as yes or no.
    pub fn is_on(&self) -> Result<bool, Error> {
        match self.value.to_lowercase().as_str() {
            "1" | "yes" | "y" | "true" | "t" | "on" => Ok(true),
            "0" | "no" | "n" | "false" | "f" | "off" => Ok(false),
            _ => Err(self.problem(Problem::NoSwitch(self.key.clone(), self.value.clone()))),
        }
    }

    pub fn problem(&self, problem: Problem) -> Error {
        problem.at(&self.place)
    }
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with(['#', ';'])
}

/// What ends a line for systemd, or is no text.
fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\t')
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<UnitFile, String> {
        let mut file = UnitFile::default();
        file.add(Path::new("/q/x.container"), text).map_err(|error| error.to_string())?;
        Ok(file)
    }

    #[test]
    fn lines_are_read_as_systemd_reads_them() {
        let file = read(
            "# comment\n[A]\n Key = one \\\n# within\n  ; too\n  two\\\n\nX=\n[B]\nKey=\"b c\"\n[A]\r\nX=1\r\nX=2\nX=\nX=3\nX=4",
        );
        let file = file.unwrap();
        assert_eq!(file.last("A", "Key").unwrap().value, "one  two");
        assert_eq!(file.last("B", "Key").unwrap().text(), "b c");
        let values: Vec<&str> = file.values("A", "X").into_iter().map(|entry| entry.value.as_str()).collect();
        assert_eq!(values, ["3", "4"]);
        assert_eq!(file.last("A", "X").unwrap().place.line, 16);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, words) in [
            ("\nX=1\n", "/q/x.container, line 2: a key before the first section"),
            ("[A]\nbad line\n", "/q/x.container, line 2: `bad line` is no `Key=value`, section or comment"),
            ("[A\nX=1\n", "/q/x.container, line 1: `[A` is no `Key=value`, section or comment"),
            ("[A]\nX=\0\n", "/q/x.container, line 2: a control character"),
        ] {
            assert_eq!(read(text).unwrap_err(), words);
        }
    }

    #[test]
    fn yes_and_no_have_many_words() {
        let file = read("[A]\nX=On\nY=0\nZ=maybe\n").unwrap();
        assert!(file.last("A", "X").unwrap().is_on().unwrap());
        assert!(!file.last("A", "Y").unwrap().is_on().unwrap());
        let error = file.last("A", "Z").unwrap().is_on().unwrap_err().to_string();
        assert_eq!(error, "/q/x.container, line 4: `Z=maybe`: expected yes or no");
    }
}
