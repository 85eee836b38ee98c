//! The text of a Containerfile, and places in it: what is wrong there is shown with its line, and a mark below it.

use std::fmt;

use super::parse::Problem;

/// How much of a line is shown.
const SHOWN: usize = 160;

/// From one byte of a source's text up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    pub start: usize,
    /// Behind the last.
    pub end: usize,
}

/// A Containerfile, or one instruction that an image brings along.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// As the user named it.
    pub name: String,
    pub text: String,
}

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The number of the line that has this byte; from 1.
    pub fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub fn place(&self, span: Span) -> Place {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end).max(start);
        let begin = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[begin..];
        let text = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let before = self.text[begin..start].chars().count();
        let marked = self.text[start..end].split('\n').next().unwrap_or_default().trim_end().chars().count();
        Place {
            file: self.name.clone(),
            line: self.line(start),
            column: before + 1,
            width: marked.max(1),
            text: text.chars().take(SHOWN).collect(),
        }
    }

    /// What is wrong at that place.
    pub fn fault(&self, span: Span, problem: impl Into<Problem>) -> Fault {
        Fault { place: self.place(span), problem: Box::new(problem.into()) }
    }

    /// The nearest boundary of characters that is not behind.
    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters it is about; from 1.
    pub width: usize,
    /// The line, or its beginning.
    pub text: String,
}

impl Place {
    /// The line with its number, and below it a mark under what is meant. Tabs become spaces, so that the mark stands where it
    /// should.
    pub fn excerpt(&self) -> String {
        let number = self.line.to_string();
        let (margin, shown) = (" ".repeat(number.len()), self.text.replace('\t', " "));
        let length = self.text.chars().count();
        if self.column > length.max(1) + 1 {
            return format!(" {number} | {shown}");
        }
        let width = self.width.min((length + 1).saturating_sub(self.column)).max(1);
        format!(" {number} | {shown}\n {margin} | {}{}", " ".repeat(self.column - 1), "^".repeat(width))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What is wrong with a Containerfile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Fault {
    pub place: Place,
    pub problem: Box<Problem>,
}

impl Fault {
    /// What would help.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_with_a_mark() {
        let source = Source::new("Containerfile", "FROM a\n\tCOPY é b\r\nX");
        let start = source.text.find('é').unwrap();
        let place = source.place(Span { start, end: start + 'é'.len_utf8() });
        assert_eq!(place.to_string(), "Containerfile:2:7");
        assert_eq!(place.excerpt(), " 2 |  COPY é b\n   |       ^");
        // Within a character, behind the end, over several lines.
        for (span, place, excerpt) in [
            ((start + 1, start + 1), "Containerfile:2:7", " 2 |  COPY é b\n   |       ^"),
            ((900, 901), "Containerfile:3:2", " 3 | X\n   |  ^"),
            ((0, 20), "Containerfile:1:1", " 1 | FROM a\n   | ^^^^^^"),
        ] {
            let found = source.place(Span { start: span.0, end: span.1 });
            assert_eq!((found.to_string().as_str(), found.excerpt().as_str()), (place, excerpt));
        }
    }
}
