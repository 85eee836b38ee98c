//! What the user sees: lines, tables, JSON, templates.
//!
//! Text that comes from an image or a registry goes to a terminal only through [`printable`]: an escape sequence in a label must
//! not reach it. Tables and messages go through it wherever they go; the values of a template, and lines, only to a terminal,
//! since a script is to get what is there; JSON escapes such characters by itself ([`format`]).

pub mod colour;
pub mod format;
pub mod frames;
pub mod progress;
pub mod roff;
pub mod table;
pub mod template;
pub mod time;
pub mod yaml;

use std::io::{BufRead, IsTerminal, Write};

use super::Report;
use crate::host::message::Level;

/// Prints to standard output. A reader that went away ends the program quietly.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        #[allow(clippy::exit)]
        std::process::exit(125);
    }
}

/// Says what is about to be done, and reads whether the user wants it.
pub fn agreed(warning: &str) -> Result<bool, Report> {
    print(&format!("{warning}\nAre you sure you want to continue? [y/N] "));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(Report::new)?;
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

/// One line to standard output.
pub fn line(text: &str) {
    print(&format!("{}\n", if to_terminal() { printable(text) } else { text.to_owned() }));
}

/// Whether standard output is a terminal, which control characters could steer.
fn to_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Takes the place of all that a terminal shows; what it has no rows for is not shown. Elsewhere it is printed below the last.
pub fn repaint(text: &str) {
    match to_terminal() {
        true => print(&frames::whole(text)),
        false => print(text),
    }
}

/// One line to standard error; nothing is left to do if that fails.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A message about the program's own work: warnings as they are, what is done as Podman's log has it.
pub fn message(level: Level, text: &str) {
    match level {
        Level::Debug => {
            let time = chrono::Local::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            complain(&format!("time={time:?} level=debug msg={text:?}"));
        }
        Level::Warning => complain(&format!("warning: {}", printable(text))),
    }
}

/// The text with control characters, which could steer a terminal, made visible.
pub fn printable(text: &str) -> String {
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        let show =
            |c: char| if c.is_control() && c != '\n' && c != '\t' { c.escape_default().to_string() } else { c.into() };
        text.chars().map(show).collect()
    } else {
        text.to_owned()
    }
}
