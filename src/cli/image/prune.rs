//! `image prune`: images that nobody uses go.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::remove::{Containers, clear};
use crate::cli::filter::Prunable;
use crate::cli::prune::Removed;
use crate::cli::{Context, Report, output};
use crate::image::Error;
use crate::image::list::{List, Listed, list};
use crate::image::remove::{Removal, drop_orphans};
use crate::layer::worker;
use crate::store::Store;

/// Remove images that have no name and on which no other image was made, or all that no container uses
#[derive(Debug, Args)]
pub struct Prune {
    /// Those with names, too
    #[arg(long, short)]
    all: bool,
    /// The caches of `RUN --mount=type=cache`, too; what else builds remember, and no image has, goes anyway
    #[arg(long)]
    build_cache: bool,
    /// Accepted for scripts: other programs' containers are never in this store
    #[arg(long, hide = true)]
    external: bool,
    /// Only images that fit: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let filter = Prunable::parse(&self.filter)?;
        let warning = match self.all {
            true => "WARNING! This command removes all images without at least one container associated with them.",
            false => "WARNING! This command removes all dangling images.",
        };
        if !self.force && !output::agreed(warning)? {
            return Ok(ExitCode::SUCCESS);
        }
        let store = context.store()?;
        let removed = prune(&store, self.all, &filter)?;
        if self.build_cache {
            crate::build::prune::prune(&store, false)?;
        }
        removed.show();
        removed.end()
    }
}

/// Removes the images that no container uses, and that fit; without `all` only those without a name, on which none was made that stays.
pub fn prune(store: &Store, all: bool, filter: &Prunable) -> Result<Removed, Report> {
    let mut removed = Removed::default();
    // No pull is to go on with them.
    store.sweep_partial(Duration::ZERO)?;
    let List { images, broken } = list(store)?;
    let goes = |listed: &Listed| {
        let labels = &listed.image.config.config.labels;
        let created = chrono::DateTime::from_timestamp(listed.created, 0).map(|created| created.fixed_offset());
        (all || listed.image.names.is_empty()) && filter.fits(labels, created)
    };
    let (mut going, mut staying): (Vec<_>, Vec<_>) = images.into_iter().partition(goes);
    let is_base = |staying: &[Listed], listed: &Listed| {
        staying.iter().any(|child| child.parent.as_ref() == Some(&listed.image.id))
    };
    // Those that stay keep what they were made on, which keeps what that was made on.
    while let Some(base) = going.iter().position(|listed| !all && is_base(&staying, listed)) {
        staying.push(going.swap_remove(base));
    }
    let ids = going.into_iter().map(|listed| listed.image.id);
    // What can't be read has no labels and no age.
    let broken = broken.into_iter().filter(|_| all && filter.fits(&BTreeMap::new(), None)).map(|(key, _)| key);
    for id in ids.chain(broken) {
        match (Removal { names: true }).run(store, id.hex(), &Containers(store)) {
            Ok(gone) => {
                removed.bytes += gone.bytes;
                removed.ids.push(gone.id.clone());
                clear(store, gone)?;
            }
            // Another of the same id went with all its manifests.
            Err(Error::InUse { .. } | Error::Unknown { .. }) => {}
            Err(error) => removed.fail(error.into()),
        }
    }
    let orphans = drop_orphans(store, &Containers(store))?;
    removed.bytes += orphans.bytes;
    clear(store, orphans)?;
    // What a killed build or pull has left makes room, too.
    let _ = worker::sweep(store);
    Ok(removed)
}
