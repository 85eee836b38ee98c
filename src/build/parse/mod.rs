//! From text to [`Dockerfile`]: the current Dockerfile reference (dockerfile 1.x), heredocs and flags included.
//!
//! ```text
//!  bytes ──lines──▶ directives, logical lines (+ heredocs) ──instruction──▶ Kind
//!                                                        flags, mount, split: the parts of a line
//! ```
//!
//! What must stay true: no text makes this panic or take long; everything that is read knows where it stood; the text of a word
//! is what stands there.

mod ast;
mod duration;
mod flags;
mod heredoc;
mod instruction;
mod lines;
mod mount;
mod problem;
mod split;
#[cfg(test)]
mod tests;

pub use ast::{
    Add, Body, Command, Copy, CopySource, Directives, Dockerfile, From, HealthCheck, Instruction, Kind, OnBuild, Run,
    RunNetwork, Security, Word,
};
pub use heredoc::Heredoc;
pub use mount::{Mount, MountError, MountKind, MountSpec, Sharing};
pub use problem::{Problem, near};

use super::source::{Fault, Source, Span};
use instruction::Reader;

/// Bytes of a file.
pub const LONGEST: usize = 1 << 20;
/// Instructions of a file.
pub const MOST: usize = 10_000;

/// Reads a file of instructions; `name` is what the user calls it.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Dockerfile, Fault> {
    let source = text(name, bytes)?;
    let (directives, lines) = lines::read(&source)?;
    if let Some(line) = lines.get(MOST) {
        return Err(source.fault(line.span, Problem::TooMany));
    }
    let mut instructions = Vec::new();
    let mut has_from = false;
    for line in &lines {
        let reader = Reader { source: &source, line, escape: directives.escape };
        let instruction = reader.instruction()?;
        has_from |= matches!(instruction.kind, Kind::From(_));
        if !has_from && !matches!(instruction.kind, Kind::Arg(_)) {
            let name = instruction.kind.name();
            return Err(source.fault(line.span(0, name.len()), Problem::BeforeFrom(name)));
        }
        instructions.push(instruction);
    }
    if !has_from {
        let problem = if lines.is_empty() { Problem::Empty } else { Problem::NoFrom };
        return Err(source.fault(Span { start: source.text.len(), end: source.text.len() }, problem));
    }
    Ok(Dockerfile { source, directives, instructions })
}

/// Reads one instruction that an image brings along for those who build upon it; `name` says whose it is. The source that comes
/// with it is what its spans are in.
pub fn on_build(name: &str, text: &str) -> Result<(Source, Instruction), Fault> {
    let source = self::text(name, text.as_bytes())?;
    let (directives, lines) = lines::read(&source)?;
    let [line] = lines.as_slice() else {
        let problem = if lines.is_empty() { Problem::Empty } else { Problem::TooMany };
        return Err(source.fault(Span::default(), problem));
    };
    let instruction = Reader { source: &source, line, escape: directives.escape }.instruction()?;
    if let Kind::From(_) | Kind::OnBuild(_) | Kind::Maintainer(_) = instruction.kind {
        return Err(source.fault(line.span, Problem::OnBuild(instruction.kind.name())));
    }
    Ok((source, instruction))
}

fn text(name: &str, bytes: &[u8]) -> Result<Source, Fault> {
    let about = |valid: &[u8], problem| {
        // Of what is no text, nothing is shown.
        let before = String::from_utf8_lossy(&valid[valid.len().saturating_sub(1 << 16)..]).into_owned();
        let shown = before.chars().filter(|c| !c.is_control() || *c == '\n').collect::<String>();
        let source = Source::new(name, shown);
        let end = source.text.len();
        source.fault(Span { start: end, end }, problem)
    };
    if bytes.len() > LONGEST {
        return Err(Source::new(name, "").fault(Span::default(), Problem::TooLong(bytes.len())));
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(about(&bytes[..at], Problem::Nul));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(about(&bytes[..error.valid_up_to()], Problem::NotText)),
    }
}
