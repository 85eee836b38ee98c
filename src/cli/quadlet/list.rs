//! `quadlet list`: which there are, and which units they are.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::Report;
use crate::cli::output::{self, format, table};
use crate::systemd::quadlet::find;

/// List quadlets
#[derive(Debug, Args)]
pub struct List {
    /// `json`
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    name: String,
    unit_name: String,
    path: String,
}

impl List {
    pub fn run(self) -> Result<ExitCode, Report> {
        let (quadlets, errors) = find::load(&find::folders());
        let rows = quadlets.iter().map(|quadlet| Row {
            name: quadlet.name.clone(),
            unit_name: format!("{}.service", quadlet.service_name()),
            path: quadlet.path.display().to_string(),
        });
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&rows.collect::<Vec<_>>())?),
            Some(other) => {
                return Err(Report::new(format!("the format `{other}` is not known")).hint("`json` is"));
            }
            None => {
                let head = ["NAME", "UNIT NAME", "PATH ON DISK"].map(str::to_owned).to_vec();
                let rows = rows.map(|row| vec![row.name, row.unit_name, row.path]);
                output::print(&table::table(&[head].into_iter().chain(rows).collect::<Vec<_>>()));
            }
        }
        errors.iter().for_each(|error| output::complain(&format!("Error: {error}")));
        Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
