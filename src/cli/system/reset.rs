//! `system reset`: back to a store with nothing in it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::output;
use crate::cli::{Context, Report};
use crate::container::{Error, find, life};
use crate::host::change;
use crate::host::subid::IdMaps;
use crate::layer::worker;
use crate::store::Store;
use crate::sys::Call;

/// Remove all containers, images, volumes and networks
#[derive(Debug, Args)]
pub struct Reset {
    /// Do not ask
    #[arg(long, short)]
    force: bool,
}

/// Stays: others may hold a lock in it.
const LOCKS: &str = "locks";
const TMP: &str = "tmp";

impl Reset {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let warning = format!(
            "WARNING! This will remove:\n        - all containers\n        - all images\n        - all volumes\n        - all networks\n        - all secrets\n        - all that is in the \
             directory \"{}\"",
            store.layout().root().display()
        );
        if !self.force && !output::agreed(&warning)? {
            return Ok(ExitCode::SUCCESS);
        }
        for id in find::ids(&store)? {
            let removed = match find::find(&store, &id) {
                Ok(found) => life::remove::remove(&store, &found, true, Duration::ZERO),
                Err(Error::NotFound(_)) => Ok(()),
                Err(_) => life::remove::remove_broken(&store, &id, true),
            };
            removed?;
        }
        empty(&store)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Everything goes out of sight at once, and then for good.
fn empty(store: &Store) -> Result<(), Report> {
    let _lock = store.lock_exclusive()?;
    let gone = store.tmp_dir()?;
    let root = store.layout().root();
    for entry in std::fs::read_dir(root).call_with(|| format!("opendir({})", root.display()))? {
        let entry = entry.call_with(|| format!("readdir({})", root.display()))?;
        if entry.file_name() != LOCKS && entry.file_name() != TMP {
            change::rename(&entry.path(), &gone.path().join(entry.file_name()))?;
        }
    }
    worker::remove_tmp(&IdMaps::of_account()?, gone).map_err(crate::container::Error::from)?;
    // The next command makes the directories anew when this one is missing.
    let _ = change::remove_dir(&store.layout().tmp());
    Ok(())
}
