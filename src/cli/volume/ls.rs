//! `volume ls`: which volumes there are.

use std::process::ExitCode;

use clap::Args;

use super::all;
use super::filter::Filters;
use super::inspect::show;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table};
use crate::cli::{Context, Report};
use crate::store::Store;
use crate::store::volumes::Volume;

/// List volumes
#[derive(Debug, Args)]
pub struct Ls {
    /// Only those that fit: `name=`, `label=`, `label!=`, `opt=`, `dangling=`, `until=`, `since=`, `anonymous=`, `driver=`, `scope=`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// No line of headings
    #[arg(long, short)]
    noheading: bool,
    /// Only names
    #[arg(long, short, conflicts_with = "format")]
    quiet: bool,
}

impl Ls {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let filters = Filters::parse(&self.filter, &store)?;
        let (mut volumes, failed) = all(&store)?;
        volumes.retain(|volume| filters.fit(volume));
        self.print(&store, volumes)?;
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    fn print(&self, store: &Store, volumes: Vec<Volume>) -> Result<(), Report> {
        if self.quiet {
            volumes.iter().for_each(|volume| output::line(&volume.name));
            return Ok(());
        }
        let shown = show(store, volumes)?;
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&shown)?),
            Some(text) => {
                let headings = [("Name", "VOLUME NAME")];
                output::print(&Template::parse("volume ls", text)?.list(&shown, &headings, self.noheading)?);
            }
            None => {
                let heading = (!self.noheading).then(|| vec!["DRIVER".to_owned(), "VOLUME NAME".to_owned()]);
                let rows = shown.into_iter().map(|volume| vec![volume.driver.to_owned(), volume.name]);
                output::print(&table::table(&heading.into_iter().chain(rows).collect::<Vec<_>>()));
            }
        }
        Ok(())
    }
}
