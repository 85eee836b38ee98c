//! `load`: images from an archive into the store.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rustix::stdio::stdin;
use rustix::termios::isatty;

use crate::cli::image::limit::Limit;
use crate::cli::output::{self, progress::Display};
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::image::archive::transport::Which;
use crate::image::archive::{Archive, load};
use crate::oci::Platform;
use crate::store::Store;

/// Load images from an archive
#[derive(Debug, Args)]
pub struct Load {
    /// The archive, in any of the formats that `save` writes, compressed with gzip, bzip2, xz, zstd or not at all [default: standard input]
    #[arg(long, short, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Show nothing but what was loaded
    #[arg(long, short)]
    quiet: bool,
    /// Take the policy from this file
    #[arg(long, value_name = "FILE", hide = true)]
    signature_policy: Option<PathBuf>,
    #[command(flatten)]
    limit: Limit,
}

impl Load {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if self.input.is_none() && isatty(stdin()) {
            return Err(Report::new("cannot read from terminal, use command-line redirection or the --input flag"));
        }
        let store = context.store()?;
        let archive = match &self.input {
            Some(path) => Archive::open(&store, path)?,
            None => {
                let file = File::from(stdin().as_fd().try_clone_to_owned().map_err(Report::new)?);
                Archive::read(&store, file, "standard input")?
            }
        };
        let policy = self.signature_policy.as_deref();
        load(&store, &archive, self.limit.bytes()?, policy, self.quiet)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Loads all images of an archive, and says which.
pub fn load(
    store: &Store,
    archive: &Archive,
    max_layer_size: Option<u64>,
    policy: Option<&Path>,
    quiet: bool,
) -> Result<(), Report> {
    let progress = Display::new(quiet);
    let load = load::Load { store, progress: &progress, platform: Platform::host(), max_layer_size, policy };
    for load::Loaded { id, names } in load.run(archive, &Which::All)? {
        let event = |name: &str| Event::new(Kind::Image, Action::Load, id.hex(), name);
        events::record(store.layout().root(), &[event(names.first().map_or("", String::as_str))]);
        let shown = if names.is_empty() { vec![id.to_string()] } else { names };
        shown.iter().for_each(|name| output::line(&format!("Loaded image: {name}")));
    }
    Ok(())
}
