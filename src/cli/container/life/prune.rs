//! `container prune`: all containers that do not run go.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::output::time;
use crate::cli::{Context, Report, output};
use crate::container::find::{self, Found};
use crate::container::state::Status;
use crate::container::{Error, life, record::Container};

/// Remove all containers that do not run
#[derive(Debug, Args)]
pub struct Prune {
    /// Only containers that fit: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
}

/// What a container must be.
enum Filter {
    Label { name: String, value: Option<String>, wanted: bool },
    Until(chrono::DateTime<chrono::Utc>),
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let filters = self.filter.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
        if !self.force && !output::agreed("WARNING! This will remove all non running containers.")? {
            return Ok(ExitCode::SUCCESS);
        }
        let store = context.store()?;
        let mut failed: Option<Report> = None;
        for found in find::list(&store)?.found {
            if !filters.iter().all(|filter| filter.fits(&found.container)) || runs(&found)? {
                continue;
            }
            match life::remove::remove(&store, &found, false, Duration::ZERO) {
                Ok(()) => output::line(&found.container.id),
                // Started, or removed, meanwhile.
                Err(Error::RemoveRunning(_) | Error::NotFound(_)) => {}
                Err(error) => match &mut failed {
                    Some(failed) => failed.join(error.into()),
                    None => failed = Some(error.into()),
                },
            }
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}

fn runs(found: &Found) -> Result<bool, Report> {
    Ok(found.state()?.status == Status::Running)
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Report> {
        let unknown =
            || Report::new(format!("the filter `{text}` is not known")).hint("`label`, `label!` and `until` are");
        let (key, value) = text.split_once('=').ok_or_else(unknown)?;
        match key {
            "label" | "label!" => {
                let (name, value) = value.split_once('=').map_or((value, None), |(name, value)| (name, Some(value)));
                Ok(Self::Label { name: name.into(), value: value.map(str::to_owned), wanted: key == "label" })
            }
            "until" => {
                time::moment(value).map(Self::Until).ok_or_else(|| Report::new(format!("`{value}` is not a time")))
            }
            _ => Err(unknown()),
        }
    }

    fn fits(&self, container: &Container) -> bool {
        match self {
            Self::Label { name, value, wanted } => {
                let label = container.labels.get(name);
                let has = label.is_some_and(|label| value.as_ref().is_none_or(|value| value == label));
                has == *wanted
            }
            Self::Until(moment) => {
                chrono::DateTime::parse_from_rfc3339(&container.created).is_ok_and(|created| created < *moment)
            }
        }
    }
}
