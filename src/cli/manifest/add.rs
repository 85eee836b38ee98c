//! `manifest add`: images into a list.

use std::process::ExitCode;

use clap::Args;

use super::words::{WordFlags, instances};
use crate::cli::image::reach::Reach;
use crate::cli::{Context, Report, output};
use crate::image::manifest::add;

/// Add images to a list
#[derive(Debug, Args)]
pub struct Add {
    /// Of an image that is itself a list, add all images
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    words: WordFlags,
    #[command(flatten)]
    reach: Reach,
    /// The name or id of the list
    list: String,
    /// The images: from here if they are here, else from a registry; `docker://…` asks the registry
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

impl Add {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let words = self.words.words()?;
        for image in &self.images {
            let instances = instances(&store, image, &words, self.all, &self.reach)?;
            output::line(add::add(&store, &self.list, instances, &words)?.hex());
        }
        Ok(ExitCode::SUCCESS)
    }
}
