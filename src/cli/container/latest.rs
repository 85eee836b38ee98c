//! One container: by name, or the one that was created last.

use clap::Args;

use crate::cli::Report;
use crate::container::find::{self, Found};
use crate::store::Store;

#[derive(Debug, Args)]
pub struct Latest {
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Name or ID
    #[arg(required_unless_present = "latest")]
    container: Option<String>,
}

impl Latest {
    pub fn find(&self, store: &Store) -> Result<Found, Report> {
        match (self.latest, &self.container) {
            (true, None) => latest(store),
            (false, Some(name)) => Ok(find::find(store, name)?),
            _ => Err(Report::new("`--latest` and the name of a container exclude each other")),
        }
    }
}

/// The container that was created last.
pub fn latest(store: &Store) -> Result<Found, Report> {
    find::list(store)?
        .found
        .pop()
        .ok_or_else(|| Report::new("no containers to choose the latest of: no such container"))
}
