//! Colours, of which there are few: how something stands, and that something failed.
//!
//! What must stay true: only a terminal gets them, and none where `NO_COLOR` is set (no-color.org) or `TERM` is `dumb`; and no word
//! means anything by its colour alone.

use std::io::IsTerminal;

/// A colour of the terminal's own palette, by its number in SGR (ECMA-48, 8.3.117).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

/// The text in this colour, if it goes to `stream` and that shows colours.
pub fn paint(stream: &impl IsTerminal, colour: Colour, text: &str) -> String {
    if stream.is_terminal() && are_wanted() { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_owned() }
}

fn are_wanted() -> bool {
    let says = |name, what: fn(&std::ffi::OsStr) -> bool| std::env::var_os(name).is_some_and(|value| what(&value));
    !says("NO_COLOR", |value| !value.is_empty()) && !says("TERM", |value| value == "dumb")
}
