//! `system prune`: containers that do not run, images that nobody uses, and what builds remember for none, go.

use std::process::ExitCode;

use clap::Args;

use crate::build::prune::Pruned;
use crate::cli::container::life::prune as containers;
use crate::cli::filter::Prunable;
use crate::cli::image::prune as images;
use crate::cli::network::prune as networks;
use crate::cli::output::{self, time};
use crate::cli::prune::Removed;
use crate::cli::volume::prune as volumes;
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};

/// Remove all containers that do not run, and images that nobody uses
#[derive(Debug, Args)]
pub struct Prune {
    /// All images that no container uses, not only those without a name; and the caches of `RUN --mount=type=cache`
    #[arg(long, short)]
    all: bool,
    /// Accepted for scripts: there is nothing of that kind
    #[arg(long, hide = true)]
    build: bool,
    #[arg(long, hide = true)]
    external: bool,
    /// Only what fits: `label=NAME[=VALUE]`, `label!=…`, `until=TIME` (made before then)
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
    /// Volumes that no container uses, too
    #[arg(long)]
    volumes: bool,
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let filter = Prunable::parse(&self.filter)?;
        if !self.force && !output::agreed(&self.warning())? {
            return Ok(ExitCode::SUCCESS);
        }
        let store = context.store()?;
        let removed = containers::prune(&store, &filter)?;
        show("Containers", &removed);
        let of_networks = networks::prune(&store, self.filter.clone())?;
        show("Networks", &of_networks);
        let of_volumes = match self.volumes {
            true => volumes::remove(&store, &volumes::unused(&store, self.filter.clone())?)?,
            false => Removed::default(),
        };
        show("Volumes", &of_volumes);
        let of_images = images::prune(&store, self.all, &filter)?;
        show("Images", &of_images);
        // What a filter is about says nothing of these.
        let of_builds = match self.all && self.filter.is_empty() {
            true => crate::build::prune::prune(&store, false)?,
            false => Pruned::default(),
        };
        if !of_builds.ids.is_empty() {
            output::line(&format!("Deleted Build Cache\n{}", of_builds.ids.join("\n")));
        }
        let bytes = removed.bytes + of_volumes.bytes + of_images.bytes + of_builds.bytes;
        output::line(&format!("Total reclaimed space: {}", time::go_size(bytes)));
        events::record(store.layout().root(), &[Event::new(Kind::System, Action::Prune, "", "")]);
        let mut failed = removed;
        of_networks
            .failed
            .into_iter()
            .chain(of_volumes.failed)
            .chain(of_images.failed)
            .for_each(|report| failed.fail(report));
        failed.end()
    }

    fn warning(&self) -> String {
        let images = match self.all {
            true => "all images without at least one container associated with them",
            false => "all dangling images",
        };
        let cache = if self.all { "all build cache" } else { "all dangling build cache" };
        let volumes = if self.volumes { "\t- all volumes not used by at least one container\n" } else { "" };
        format!(
            "WARNING! This command removes:\n\t- all stopped containers\n\t- all networks not used by at least one container\n{volumes}\t- {images}\n\t- {cache}\n"
        )
    }
}

fn show(what: &str, removed: &Removed) {
    if !removed.ids.is_empty() {
        output::line(&format!("Deleted {what}"));
        removed.show();
    }
}
