//! `image inspect`: all about images, as JSON or by a template.

use std::process::ExitCode;

use clap::Args;

use crate::cli::container::inspect::complete;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::image::Error;
use crate::image::inspect::inspect;

/// Show all about images
#[derive(Debug, Args)]
pub struct Inspect {
    /// Show what a Go template says of each, or `json`
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
    /// Names, or starts of ids
    #[arg(required = true)]
    images: Vec<String>,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, mut failure) = (Vec::new(), None::<Report>);
        for text in &self.images {
            let report = match inspect(&store, text) {
                Ok(Some(image)) => {
                    found.push(image);
                    continue;
                }
                Ok(None) => Report::from(Error::Unknown { name: text.clone() }),
                Err(error) => error.into(),
            };
            match &mut failure {
                Some(failure) => failure.join(report),
                None => failure = Some(report),
            }
        }
        match self.format.as_deref() {
            None | Some("json") => output::print(&format::json(&found)?),
            Some(text) => {
                let mut values =
                    found.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(Report::new)?;
                values.iter_mut().for_each(complete);
                output::print(&Template::parse("inspect", text)?.each(&values)?);
            }
        }
        failure.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}
