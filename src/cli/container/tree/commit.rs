//! `commit`: an image of a container.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::cli::container::options::value::signal;
use crate::cli::output::{self, progress::Display};
use crate::cli::{Context, Report};
use crate::container::commit::{self, config::Asked};
use crate::container::find;
use crate::container::life::pause::Paused;
use crate::host::atomic_file::Unfinished;
use crate::oci::image_config::RunConfig;
use crate::oci::media_type::Format;

/// Make an image of a container and what it changed
#[derive(Debug, Args)]
pub struct Commit {
    /// Who made it: `NAME <ADDRESS>`
    #[arg(long, short, value_name = "AUTHOR")]
    author: Option<String>,
    /// Change the image's config by an instruction: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME,
    /// WORKDIR
    #[arg(long, short, value_name = "INSTRUCTION")]
    change: Vec<String>,
    /// Merge the container configuration of this JSON file into the image's config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// `oci` or `docker`
    #[arg(long, short, value_name = "FORMAT", default_value = "oci", hide_default_value = true)]
    format: String,
    /// Write the image's ID to this file
    #[arg(long, value_name = "FILE")]
    iidfile: Option<PathBuf>,
    /// Make volumes of the image of what is mounted in the container
    #[arg(long)]
    include_volumes: bool,
    /// A message for the image's config; with `--format docker` alone
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,
    /// Pause the container meanwhile
    #[arg(long, short)]
    pause: bool,
    /// Print nothing but the ID
    #[arg(long, short)]
    quiet: bool,
    /// Make one layer of the whole file system
    #[arg(long, short)]
    squash: bool,
    /// Name or ID
    container: String,
    /// The image's name; `localhost/` and `:latest` may be left out [default: none]
    image: Option<String>,
}

impl Commit {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let format = match self.format.as_str() {
            "oci" => Format::Oci,
            "docker" => Format::Docker,
            other => {
                return Err(
                    Report::new(format!("unrecognized image format \"{other}\"")).hint("`oci` and `docker` are known")
                );
            }
        };
        if self.message.is_some() && format == Format::Oci {
            return Err(Report::new("messages are only compatible with the docker image format (-f docker)"));
        }
        let store = context.store()?;
        let found = find::find(&store, &self.container)?;
        let asked = Asked {
            author: self.author.as_deref(),
            message: self.message.as_deref(),
            changes: &self.change,
            merged: self.merged()?,
            include_volumes: self.include_volumes,
            squash: self.squash,
            is_signal: |text| signal(text).is_ok(),
        };
        // Nothing is made whose id can't be told.
        let id_file = self.iidfile.as_deref().map(Unfinished::create).transpose()?;
        let progress = Display::new(self.quiet);
        let name = self.image.as_deref();
        let paused = if self.pause { Paused::meanwhile(&found)? } else { None };
        let id = commit::Commit { store: &store, progress: &progress, format, asked, name }.run(&found)?;
        drop(paused);
        if let Some(file) = id_file {
            file.finish_with(id.hex().as_bytes())?;
        }
        output::line(id.hex());
        Ok(ExitCode::SUCCESS)
    }

    fn merged(&self) -> Result<Option<RunConfig>, Report> {
        let Some(path) = &self.config else { return Ok(None) };
        let bad = |error: &dyn std::fmt::Display| {
            Report::new(format!("the container configuration in `{}` can't be read: {error}", path.display()))
        };
        let text = std::fs::read(path).map_err(|error| bad(&error))?;
        serde_json::from_slice(&text).map(Some).map_err(|error| bad(&error))
    }
}
