//! `history`: how an image was made.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table, time};
use crate::cli::{Context, Report};
use crate::image::history::{Step, history};

/// Show how an image was made
#[derive(Debug, Args)]
pub struct History {
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Times as how long ago; `false`: as dates [default: true]
    #[arg(long, short = 'H', value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    human: bool,
    /// Show whole ids and commands
    #[arg(long)]
    no_trunc: bool,
    /// Show only the ids
    #[arg(long, short)]
    quiet: bool,
    /// A name or the start of an id
    image: String,
}

const HEADINGS: [&str; 5] = ["ID", "CREATED", "CREATED BY", "SIZE", "COMMENT"];
const MISSING: &str = "<missing>";
/// Characters of a command that is shown in part.
const SHOWN: usize = 45;

impl History {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let steps = history(&context.store()?, &self.image)?;
        if self.format.as_deref() == Some("json") {
            output::print(&format::json(&steps.iter().map(Json::of).collect::<Vec<_>>())?);
            return Ok(ExitCode::SUCCESS);
        }
        let rows: Vec<Row> = steps.iter().map(|step| self.row(step)).collect();
        let text = match &self.format {
            _ if self.quiet => rows.iter().map(|row| format!("{}\n", row.id)).collect(),
            Some(text) => {
                let template = Template::parse("history", text)?.of_texts();
                match template.is_json() {
                    true => template.each(&steps.iter().map(Json::of_step).collect::<Vec<_>>())?,
                    false => template.list(&rows, &[], false)?,
                }
            }
            None => {
                let heading = HEADINGS.map(str::to_owned).to_vec();
                let cells = |row: Row| vec![row.id, row.created, row.created_by, row.size, row.comment];
                table::table(&[heading].into_iter().chain(rows.into_iter().map(cells)).collect::<Vec<_>>())
            }
        };
        output::print(&text);
        Ok(ExitCode::SUCCESS)
    }

    fn row(&self, step: &Step) -> Row {
        let id = match &step.id {
            Some(id) if self.no_trunc => id.hex().to_owned(),
            Some(id) => id.hex().chars().take(12).collect(),
            None => MISSING.to_owned(),
        };
        let created_by = step.history.created_by.clone().unwrap_or_default();
        let created_by = match created_by.chars().count() > SHOWN && !self.no_trunc {
            true => created_by.chars().take(SHOWN - 3).chain("...".chars()).collect(),
            false => created_by,
        };
        let created = moment(step);
        let at = created.map(rfc3339).unwrap_or_default();
        let since = match created.filter(|_| self.human) {
            Some(created) => time::ago(created.timestamp()),
            None => at.clone(),
        };
        Row {
            id,
            created: since.clone(),
            created_since: since,
            created_at: at,
            created_by,
            size: time::short_size(step.size),
            comment: step.history.comment.clone().unwrap_or_default(),
            tags: step.names.clone(),
        }
    }
}

fn moment(step: &Step) -> Option<chrono::DateTime<chrono::Utc>> {
    let text = step.history.created.as_deref()?;
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}

fn rfc3339(moment: chrono::DateTime<chrono::Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// What a template sees.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    #[serde(rename = "ID")]
    id: String,
    created: String,
    created_since: String,
    created_at: String,
    created_by: String,
    size: String,
    comment: String,
    tags: Vec<String>,
}

/// Podman's keys, which are of two kinds.
#[derive(Debug, Serialize)]
struct Json {
    id: String,
    /// As the image has it.
    created: Option<String>,
    #[serde(rename = "CreatedBy")]
    created_by: String,
    tags: Vec<String>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(rename = "Created", skip_serializing_if = "Option::is_none")]
    seconds: Option<String>,
}

impl Json {
    fn of(step: &Step) -> Self {
        Self { seconds: moment(step).map(rfc3339), ..Self::of_step(step) }
    }

    /// As `{{json .}}` shows it.
    fn of_step(step: &Step) -> Self {
        Self {
            id: step.id.as_ref().map_or(MISSING, |id| id.hex()).to_owned(),
            created: step.history.created.clone(),
            created_by: step.history.created_by.clone().unwrap_or_default(),
            tags: step.names.clone(),
            size: step.size,
            comment: step.history.comment.clone().filter(|comment| !comment.is_empty()),
            seconds: None,
        }
    }
}
