//! `manifest add`: images into a list, or an artifact.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::artifact::ArtifactFlags;
use super::words::{WordFlags, instances};
use crate::cli::image::reach::Reach;
use crate::cli::{Context, Report, output};
use crate::image::manifest::add;

/// Add images to a list, or an artifact made of files
#[derive(Debug, Args)]
pub struct Add {
    /// Of an image that is itself a list, add all images
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    artifact: ArtifactFlags,
    #[command(flatten)]
    words: WordFlags,
    #[command(flatten)]
    reach: Reach,
    /// The name or id of the list
    list: String,
    /// The images, or files of an artifact: images from here if they are here, else from a registry; `docker://…` asks the registry
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

impl Add {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let words = self.words.words()?;
        if let Some(artifact) = self.artifact.artifact(&store, &self.reach)? {
            let files: Vec<PathBuf> = self.images.iter().map(PathBuf::from).collect();
            output::line(artifact.add(&store, &self.list, &files, &words)?.hex());
            return Ok(ExitCode::SUCCESS);
        }
        for image in &self.images {
            let instances = instances(&store, image, &words, self.all, &self.reach)?;
            output::line(add::add(&store, &self.list, instances, &words)?.hex());
        }
        Ok(ExitCode::SUCCESS)
    }
}
