//! `--format json`.

use serde::Serialize;

use crate::cli::Report;

/// JSON as `inspect` and `--format json` print it.
pub fn json(value: &impl Serialize) -> Result<String, Report> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Report::new)
}
