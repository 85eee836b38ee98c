//! `network inspect`: everything about networks.

use std::process::ExitCode;

use clap::Args;

use super::shown::{object, shown};
use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::container::networks::get;
use crate::store::Store;
use crate::store::networks::Network;

/// Show everything about networks
#[derive(Debug, Args)]
pub struct Inspect {
    /// `json`, or a Go template
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<String>,
    /// Their names or IDs
    #[arg(required = true, value_name = "NETWORK")]
    networks: Vec<String>,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, mut failed): (Vec<Network>, Option<Report>) = (Vec::new(), None);
        for name in &self.networks {
            match get(&store, name) {
                Ok(network) => found.push(network),
                Err(error) => {
                    let report = Report::from(error);
                    let named = Report::new(format!("network {name}: {}", report.messages.join("; ")));
                    match &mut failed {
                        Some(failed) => failed.join(named),
                        None => failed = Some(named),
                    }
                }
            }
        }
        print(&store, found, self.format.as_deref())?;
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}

/// As JSON, or by a template.
pub fn print(store: &Store, networks: Vec<Network>, format: Option<&str>) -> Result<(), Report> {
    match format {
        None | Some("json") => {
            let mut objects = Vec::new();
            for network in &networks {
                objects.push(object(network, Some(&store.members(&network.id)?)));
            }
            output::print(&format::json(&objects)?);
        }
        Some(text) => {
            let all = networks.into_iter().map(|network| shown(store, network)).collect::<Result<Vec<_>, _>>()?;
            output::print(&Template::parse("network inspect", text)?.each(&all)?);
        }
    }
    Ok(())
}
