//! `builder prune`: what builds remember goes.

use std::process::ExitCode;

use clap::Args;

use crate::build::prune;
use crate::cli::image::remove::{Containers, clear};
use crate::cli::output::{self, time};
use crate::cli::{Context, Report};
use crate::image::remove::drop_orphans;

/// Remove what builds remember and nobody uses: steps without an image, caches of `RUN --mount=type=cache`
#[derive(Debug, Args)]
pub struct Prune {
    /// Forget the steps of images that are there, too
    #[arg(long, short)]
    all: bool,
    /// Accepted for scripts: there is one builder
    #[arg(long, hide = true, value_name = "NAME")]
    builder: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    force: bool,
    /// Accepted for scripts: the list of what went is always the same
    #[arg(long, hide = true)]
    verbose: bool,
}

impl Prune {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let warning = match self.all {
            true => "WARNING! This will remove all build cache.",
            false => "WARNING! This will remove all dangling build cache.",
        };
        if !self.force && !output::agreed(warning)? {
            return Ok(ExitCode::SUCCESS);
        }
        let store = context.store()?;
        let pruned = prune::prune(&store, self.all)?;
        clear(&store, drop_orphans(&store, &Containers(&store))?)?;
        if !pruned.ids.is_empty() {
            output::line("Deleted build cache objects:");
            pruned.ids.iter().for_each(|id| output::line(id));
            output::line("");
        }
        output::line(&format!("Total reclaimed space: {}", time::go_size(pruned.bytes)));
        Ok(ExitCode::SUCCESS)
    }
}
