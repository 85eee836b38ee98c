//! `--format json`.

use std::fmt::Write;

use serde::Serialize;

use crate::cli::Report;

/// JSON as `inspect` and `--format json` print it.
pub fn json(value: &impl Serialize) -> Result<String, Report> {
    serde_json::to_string_pretty(value).map(|text| visible(text) + "\n").map_err(Report::new)
}

/// JSON on one line.
pub fn line(value: &impl Serialize) -> Result<String, Report> {
    serde_json::to_string(value).map(visible).map_err(Report::new)
}

/// The same JSON with the control characters escaped that its strings may hold as they are: U+007F to U+009F, of which a terminal
/// takes U+009B for the beginning of a command.
pub fn visible(json: String) -> String {
    let steers = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !json.contains(steers) {
        return json;
    }
    json.chars().fold(String::with_capacity(json.len()), |mut text, c| {
        // A string takes all that is written to it.
        let _ = if steers(c) { write!(text, "\\u{:04x}", u32::from(c)) } else { text.write_char(c) };
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn json_holds_no_control_characters() {
        let text = super::line(&"\u{1b}[2J\u{7f}\u{9b}é").unwrap();
        assert_eq!(text, r#""\u001b[2J\u007f\u009bé""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "\u{1b}[2J\u{7f}\u{9b}é");
    }
}
