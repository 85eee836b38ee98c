//! `quadlet list`: which there are, and which units they are.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::Report;
use crate::cli::output::{self, format, table};
use crate::host::systemd::Manager;
use crate::systemd::quadlet::find;

const NOT_LOADED: &str = "Not loaded";

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
    status: String,
}

/// As Podman has them: `active/running`; of those that systemd does not know, that.
fn states(units: &[String]) -> Vec<String> {
    // A template is no unit: its instances are.
    let known = Manager::of_user().and_then(|manager| manager.and_then(|mut manager| manager.states(units)).ok());
    let shown = |[load, active, sub]: &[String; 3]| match load.as_str() {
        "loaded" => format!("{active}/{sub}"),
        _ => NOT_LOADED.to_owned(),
    };
    known.map_or_else(|| vec![NOT_LOADED.to_owned(); units.len()], |known| known.iter().map(shown).collect())
}

impl List {
    pub fn run(self) -> Result<ExitCode, Report> {
        let (quadlets, errors) = find::load(&find::folders());
        let units: Vec<String> = quadlets.iter().map(|quadlet| format!("{}.service", quadlet.service_name())).collect();
        let states = states(&units);
        let rows = quadlets.iter().zip(units).zip(states).map(|((quadlet, unit_name), status)| Row {
            name: quadlet.name.clone(),
            unit_name,
            path: quadlet.path.display().to_string(),
            status,
        });
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&rows.collect::<Vec<_>>())?),
            Some(other) => {
                return Err(Report::new(format!("the format `{other}` is not known")).hint("`json` is"));
            }
            None => {
                let head = ["NAME", "UNIT NAME", "PATH ON DISK", "STATUS"].map(str::to_owned).to_vec();
                let rows = rows.map(|row| vec![row.name, row.unit_name, row.path, row.status]);
                output::print(&table::table(&[head].into_iter().chain(rows).collect::<Vec<_>>()));
            }
        }
        errors.iter().for_each(|error| output::complain(&format!("Error: {error}")));
        Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
