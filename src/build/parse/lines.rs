//! From bytes to logical lines: directives read, comments left out, continued lines joined, heredocs' contents collected. Each
//! character of a joined line knows where it stands in the source.

use super::ast::{Directives, Word};
use super::heredoc::{self, Heredoc};
use super::problem::Problem;
use crate::build::source::{Fault, Source, Span};

/// An instruction's line.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Joined; without what surrounds it.
    pub text: String,
    /// Where pieces of the text come from: (offset in the text, offset in the source), ascending.
    map: Vec<(usize, usize)>,
    /// Of its first line, from 1.
    pub number: usize,
    /// All of it in the source, heredocs included.
    pub span: Span,
    pub heredocs: Vec<Heredoc>,
    /// Where the first empty line between those that are joined stands.
    pub gap: Option<Span>,
}

impl Line {
    /// Where these bytes of the text stand in the source.
    pub fn span(&self, start: usize, end: usize) -> Span {
        let last = self.locate(end.saturating_sub(1).max(start));
        Span { start: self.locate(start), end: if end > start { last + 1 } else { last } }
    }

    fn locate(&self, at: usize) -> usize {
        let piece = self.map.partition_point(|(offset, _)| *offset <= at).checked_sub(1);
        piece.and_then(|piece| self.map.get(piece)).map_or(self.span.start, |(offset, source)| source + at - offset)
    }

    fn push(&mut self, source: usize, text: &str) {
        self.map.push((self.text.len(), source));
        self.text.push_str(text);
    }

    /// Takes away what surrounds the text.
    fn trim(&mut self) {
        let start = self.text.len() - self.text.trim_start().len();
        self.text.truncate(self.text.trim_end().len());
        self.text.drain(..start.min(self.text.len()));
        let begin = self.locate(start);
        let first = self.map.partition_point(|(offset, _)| *offset <= start);
        self.map.drain(..first);
        self.map.iter_mut().for_each(|(offset, _)| *offset -= start);
        self.map.insert(0, (0, begin));
    }
}

/// The physical lines: each one's offset, and its text with the end of the line.
struct Physical<'a> {
    text: &'a str,
    at: usize,
    /// How many were read.
    count: usize,
}

impl<'a> Iterator for Physical<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split_inclusive('\n').next()?;
        let start = self.at;
        self.at += line.len();
        self.count += 1;
        Some((start, line))
    }
}

fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The directives and the instructions' lines.
pub fn read(source: &Source) -> Result<(Directives, Vec<Line>), Fault> {
    let at = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut lines = Physical { text: &source.text, at, count: 0 };
    let directives = directives(source, &mut lines)?;
    let mut found = Vec::new();
    while let Some((start, first)) = lines.next() {
        if is_comment(first) || first.trim().is_empty() {
            continue;
        }
        let mut line = join(&mut lines, start, first, directives.escape);
        if line.text.is_empty() {
            continue;
        }
        line.heredocs = heredoc::announced(&line.text, directives.escape);
        for at in 0..line.heredocs.len() {
            fill(source, &mut lines, &mut line, at)?;
        }
        found.push(line);
    }
    Ok((directives, found))
}

/// Of an instruction, the line and those that continue it.
fn join(lines: &mut Physical<'_>, start: usize, first: &str, escape: char) -> Line {
    let span = Span { start, end: start + first.len() };
    let mut line = Line { span, number: lines.count, ..Line::default() };
    let mut goes_on = add(&mut line, start, first, escape);
    while goes_on {
        let Some((start, next)) = lines.next() else { break };
        line.span.end = start + next.len();
        if next.trim().is_empty() {
            line.gap = line.gap.or(Some(Span { start, end: start }));
            continue;
        }
        if is_comment(next) {
            continue;
        }
        goes_on = add(&mut line, start, next, escape);
    }
    line.trim();
    line
}

/// Adds a physical line; whether the next one continues it.
fn add(line: &mut Line, start: usize, physical: &str, escape: char) -> bool {
    let physical = without_end(physical);
    let text = physical.trim_end_matches([' ', '\t']);
    // Two at the end are one that is escaped.
    match text.strip_suffix(escape).filter(|before| !before.ends_with(escape)) {
        Some(before) => line.push(start, before),
        None => line.push(start, physical),
    }
    text.ends_with(escape) && !text[..text.len() - 1].ends_with(escape)
}

/// Reads the contents of a heredoc.
fn fill(source: &Source, lines: &mut Physical<'_>, line: &mut Line, index: usize) -> Result<(), Fault> {
    let from = lines.at;
    let Some(heredoc) = line.heredocs.get_mut(index) else { return Ok(()) };
    for (start, physical) in lines.by_ref() {
        line.span.end = start + physical.len();
        if heredoc.is_end(without_end(physical)) {
            heredoc.content = source.text[from..start].to_owned();
            return Ok(());
        }
    }
    let word = heredoc.word.clone();
    let name = heredoc.name.clone();
    let at = line.text.find(&word).unwrap_or_default();
    Err(source.fault(line.span(at, at + word.len()), Problem::OpenHeredoc(name)))
}

/// `# name=value` lines at the very top; the first line that is none of them ends them.
fn directives(source: &Source, lines: &mut Physical<'_>) -> Result<Directives, Fault> {
    let (mut directives, mut escaped) = (Directives::default(), false);
    loop {
        let (at, count) = (lines.at, lines.count);
        let Some((start, line)) = lines.next() else { break };
        let Some((name, value)) = directive(without_end(line)) else {
            (lines.at, lines.count) = (at, count);
            break;
        };
        let span = Span { start, end: start + without_end(line).len() };
        let again = || source.fault(span, Problem::DirectiveAgain(name.clone()));
        match name.as_str() {
            "escape" if escaped => return Err(again()),
            "escape" => {
                escaped = true;
                directives.escape = match value {
                    "\\" => '\\',
                    "`" => '`',
                    other => return Err(source.fault(span, Problem::Escape(other.to_owned()))),
                };
            }
            "syntax" | "check" => {
                let slot = if name == "syntax" { &mut directives.syntax } else { &mut directives.check };
                if slot.replace(Word { text: value.to_owned(), span }).is_some() {
                    return Err(again());
                }
            }
            _ => {
                (lines.at, lines.count) = (at, count);
                break;
            }
        }
    }
    Ok(directives)
}

fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    (good && !value.is_empty()).then(|| (name.to_ascii_lowercase(), value))
}
