//! Questions to whoever is at the terminal, on standard error: standard output holds results alone.

use std::io::{BufRead, Write};

use crate::cli::Report;

/// A line of the answer, without its end. Nothing more to read is an error.
pub fn line(question: &str) -> Result<String, Report> {
    // A prompt that can't be shown does not make the answer wrong.
    let _ = write!(std::io::stderr().lock(), "{question}");
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer).map_err(Report::new)? {
        0 => Err(Report::new("there is no answer to read on standard input")),
        _ => Ok(answer.trim_end_matches(['\n', '\r']).to_owned()),
    }
}
