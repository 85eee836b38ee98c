//! `network ls`: which networks there are.

use std::process::ExitCode;

use clap::Args;

use super::filter::Filter;
use super::shown::{object, shown};
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table};
use crate::cli::{Context, Report};
use crate::host::message;
use crate::store::Store;
use crate::store::networks::{Network, Networks};

/// List networks
#[derive(Debug, Args)]
pub struct Ls {
    /// Only those that fit: `name=`, `id=`, `driver=`, `label=`, `label!=`, `until=`, `dangling=`
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Whole IDs
    #[arg(long)]
    no_trunc: bool,
    /// No line of headings
    #[arg(long, short = 'n')]
    noheading: bool,
    /// Only names
    #[arg(long, short, conflicts_with = "format")]
    quiet: bool,
}

impl Ls {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let filter = Filter::parse(&self.filter, &store)?;
        let Networks { found, broken } = store.networks()?;
        for (_, error) in broken {
            message::warn(|| error.to_string());
        }
        let mut networks = Vec::new();
        for network in found {
            if filter.fits(&network)? {
                networks.push(network);
            }
        }
        self.print(&store, networks)?;
        Ok(ExitCode::SUCCESS)
    }

    fn id(&self, network: &Network) -> String {
        network.id.chars().take(if self.no_trunc { usize::MAX } else { 12 }).collect()
    }

    fn print(&self, store: &Store, networks: Vec<Network>) -> Result<(), Report> {
        if self.quiet {
            networks.iter().for_each(|network| output::line(&network.name));
            return Ok(());
        }
        match self.format.as_deref() {
            Some("json") => {
                let objects: Vec<_> = networks.iter().map(|network| object(network, None)).collect();
                output::print(&format::json(&objects)?);
            }
            Some(text) => {
                let mut rows = Vec::new();
                for network in networks {
                    let id = self.id(&network);
                    let mut row = shown(store, network)?;
                    row.id = id;
                    rows.push(row);
                }
                let headings = [("ID", "NETWORK ID")];
                output::print(&Template::parse("network ls", text)?.list(&rows, &headings, self.noheading)?);
            }
            None => {
                let heading = ["NETWORK ID", "NAME", "DRIVER"].map(str::to_owned).to_vec();
                let cells = |network: &Network| vec![self.id(network), network.name.clone(), "bridge".to_owned()];
                let rows = (!self.noheading).then_some(heading).into_iter().chain(networks.iter().map(cells));
                output::print(&table::table(&rows.collect::<Vec<_>>()));
            }
        }
        Ok(())
    }
}
