//! `secret ls`: which secrets there are.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table, time};
use crate::cli::{Context, Report};
use crate::host::message;
use crate::store::secrets::{Secret, Secrets};

/// List secrets
#[derive(Debug, Args)]
pub struct Ls {
    /// Only those that fit: `name=`, `id=`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// No line of headings
    #[arg(long, short)]
    noheading: bool,
    /// Only IDs
    #[arg(long, short)]
    quiet: bool,
}

/// A row by Podman's keys.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    #[serde(rename = "ID")]
    id: String,
    name: String,
    driver: &'static str,
    created_at: String,
    updated_at: String,
}

impl Ls {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let mut rows = Vec::new();
        let Secrets { found, broken } = context.store()?.secrets()?;
        for (_, error) in broken {
            message::warn(|| error.to_string());
        }
        for secret in found {
            if self.fits(&secret)? {
                rows.push(row(secret));
            }
        }
        if self.quiet {
            rows.iter().for_each(|row| output::line(&row.id));
            return Ok(ExitCode::SUCCESS);
        }
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&rows)?),
            Some(text) => {
                let headings = [("CreatedAt", "CREATED"), ("UpdatedAt", "UPDATED")];
                output::print(&Template::parse("secret ls", text)?.list(&rows, &headings, self.noheading)?);
            }
            None => {
                let heading = ["ID", "NAME", "DRIVER", "CREATED", "UPDATED"].map(str::to_owned).to_vec();
                let cells = |row: Row| vec![row.id, row.name, row.driver.to_owned(), row.created_at, row.updated_at];
                let heading = (!self.noheading).then_some(heading);
                output::print(&table::table(
                    &heading.into_iter().chain(rows.into_iter().map(cells)).collect::<Vec<_>>(),
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Any of the filters.
    fn fits(&self, secret: &Secret) -> Result<bool, Report> {
        let mut fits = self.filter.is_empty();
        for filter in &self.filter {
            fits |= match filter.split_once('=') {
                Some(("name", value)) => secret.name.contains(value),
                Some(("id", value)) => secret.id.starts_with(value),
                _ => {
                    let key = filter.split('=').next().unwrap_or_default();
                    return Err(Report::new(format!("invalid filter \"{key}\"")).hint("`id` and `name` are"));
                }
            };
        }
        Ok(fits)
    }
}

fn row(secret: Secret) -> Row {
    let ago = |time: &str| {
        let then = chrono::DateTime::parse_from_rfc3339(time).map_or(0, |time| time.timestamp());
        time::ago(then)
    };
    Row {
        created_at: ago(&secret.created),
        updated_at: ago(&secret.updated),
        driver: "file",
        id: secret.id,
        name: secret.name,
    }
}
