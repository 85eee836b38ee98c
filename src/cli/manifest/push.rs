//! `manifest push`: a list and its images to a registry, or to an archive.

use std::process::ExitCode;

use clap::Args;

use crate::cli::image::push::{CompressionFormat, Options, destination};
use crate::cli::image::remove::{Containers, clear};
use crate::cli::{Context, Report};
use crate::image;
use crate::image::archive::transport::Place;
use crate::image::manifest::Open;
use crate::image::remove::Removal;
use crate::store::Store;

/// Push a list and its images to a registry or an archive
#[derive(Debug, Args)]
pub struct Push {
    /// Push each image with its layers in this compression, too, and let the list name both
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    add_compression: Vec<CompressionFormat>,
    /// `false`: push the list alone; the registry has its images already [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_possible_values = true)]
    all: Option<bool>,
    /// Remove the list here once it is there
    #[arg(long, alias = "purge", short_alias = 'p')]
    rm: bool,
    #[command(flatten)]
    options: Options,
    /// The name or id of the list
    list: String,
    /// The name that it gets, `registry/path:tag`, or an archive: `oci-archive:FILE[:NAME]`, `oci:DIRECTORY[:NAME]`,
    /// `dir:DIRECTORY` [default: the same name]
    destination: Option<String>,
}

impl Push {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let open = Open::read(&store, &self.list)?;
        self.push(&store, &open)?;
        if self.rm {
            let removed = (Removal { names: true }).run(&store, open.id().hex(), &Containers(&store))?;
            clear(&store, removed)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn push(&self, store: &Store, open: &Open) -> Result<(), Report> {
        let all = self.all.unwrap_or(true);
        if !all && !self.add_compression.is_empty() {
            return Err(Report::new("--add-compression is for the images of the list, which `--all=false` leaves out"));
        }
        let variants = self.add_compression.iter().map(|format| self.options.wanted(*format, None));
        let variants = variants.collect::<Result<Vec<_>, _>>()?;
        let to = self.destination.as_ref().unwrap_or(&self.list);
        match Place::parse(to).map_err(image::Error::from)? {
            Place::Archive { format, path, which } => {
                let place = (format, path.as_path());
                self.options
                    .push_to_archive(store, place, which.name(), &variants, |push, to| push.index(open, all, to))
            }
            _ => self.options.push(store, &destination(to)?, &variants, |push, to| push.index(open, all, to)),
        }
    }
}
