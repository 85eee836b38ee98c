//! Questions to whoever is at the terminal, on standard error: standard output holds results alone.

use std::io::{BufRead, Write};

use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, isatty, tcgetattr, tcsetattr};

use crate::cli::Report;

/// What Ctrl-C sends.
const INTERRUPT: u8 = 3;

/// A line of the answer, without its end. Nothing more to read is an error.
pub fn line(question: &str) -> Result<String, Report> {
    show(question);
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer).map_err(Report::new)? {
        0 => Err(Report::new("there is no answer to read on standard input")),
        _ => Ok(answer.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

/// As [`line`], not shown while it is typed.
pub fn secret(question: &str) -> Result<String, Report> {
    if !isatty(stdin()) {
        return line(question);
    }
    let before = tcgetattr(stdin()).map_err(Report::new)?;
    let mut silent = before.clone();
    // Ctrl-C ends the line and no more: the terminal must show again what is typed before this process ends.
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    show(question);
    tcsetattr(stdin(), OptionalActions::Flush, &silent).map_err(Report::new)?;
    let mut answer = [0; 4096];
    // In this mode a read gives one line.
    let read = rustix::io::read(stdin(), &mut answer);
    tcsetattr(stdin(), OptionalActions::Flush, &before).map_err(Report::new)?;
    show("\n");
    match answer.get(..read.map_err(Report::new)?) {
        Some([.., INTERRUPT]) => Err(Report::silent(130)),
        Some([answer @ .., b'\n']) => String::from_utf8(answer.to_vec()).map_err(|_| Report::new("this is not UTF-8")),
        _ => Err(Report::new("there is no answer to read on standard input")),
    }
}

fn show(text: &str) {
    // A prompt that can't be shown does not make the answer wrong.
    let _ = write!(std::io::stderr().lock(), "{text}");
}
