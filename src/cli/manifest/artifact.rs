//! `manifest add --artifact`: files that become an artifact, and what is said of it.

use std::path::PathBuf;

use clap::Args;

use super::words::subject;
use crate::cli::Report;
use crate::cli::image::reach::Reach;
use crate::image::manifest::artifact::Artifact;
use crate::store::Store;

#[derive(Debug, Args)]
pub struct ArtifactFlags {
    /// The arguments are files, of which one artifact is made and added
    #[arg(long)]
    pub artifact: bool,
    /// The file that is the artifact's config [default: an empty one]
    #[arg(long, value_name = "FILE")]
    artifact_config: Option<PathBuf>,
    /// The media type of the artifact's config
    #[arg(long, value_name = "TYPE")]
    artifact_config_type: Option<String>,
    /// Do not keep the names of the files
    #[arg(long)]
    artifact_exclude_titles: bool,
    /// The media type of the files [default: what they begin with tells it]
    #[arg(long, value_name = "TYPE")]
    artifact_layer_type: Option<String>,
    /// The image that the artifact belongs to
    #[arg(long, value_name = "IMAGE")]
    artifact_subject: Option<String>,
    /// What the artifact is, as a media type [default: application/vnd.unknown.artifact.v1]
    #[arg(long, value_name = "TYPE")]
    artifact_type: Option<String>,
}

impl ArtifactFlags {
    /// `None`: images are meant.
    pub fn artifact(self, store: &Store, reach: &Reach) -> Result<Option<Artifact>, Report> {
        if !self.artifact {
            let flag = match self {
                Self { artifact_type: Some(_), .. } => "--artifact-type",
                Self { artifact_config: Some(_), .. } => "--artifact-config",
                Self { artifact_config_type: Some(_), .. } => "--artifact-config-type",
                Self { artifact_layer_type: Some(_), .. } => "--artifact-layer-type",
                Self { artifact_exclude_titles: true, .. } => "--artifact-exclude-titles",
                Self { artifact_subject: Some(_), .. } => "--artifact-subject",
                _ => return Ok(None),
            };
            return Err(Report::new(format!("{flag} requires --artifact")));
        }
        Ok(Some(Artifact {
            kind: self.artifact_type,
            config: self.artifact_config,
            config_type: self.artifact_config_type,
            layer_type: self.artifact_layer_type,
            untitled: self.artifact_exclude_titles,
            subject: self.artifact_subject.map(|image| subject(store, &image, reach)).transpose()?,
        }))
    }
}
