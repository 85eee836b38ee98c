//! `manifest annotate`: what a list says of an image, or of itself.

use std::process::ExitCode;

use clap::Args;

use super::words::{WordFlags, subject};
use crate::cli::image::reach::Reach;
use crate::cli::{Context, Report, output};
use crate::image::Error;
use crate::image::manifest::{add, change};

/// Change what a list says of an image, or of itself
#[derive(Debug, Args)]
pub struct Annotate {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    words: WordFlags,
    /// The annotations are the list's own
    #[arg(long)]
    index: bool,
    /// The image that the list belongs to, with `--index`
    #[arg(long, value_name = "IMAGE", requires = "index")]
    subject: Option<String>,
    /// Features of the operating system that the list says the image needs
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    os_features: Vec<String>,
    /// The name or id of the list
    list: String,
    /// The digest of the image's manifest, or an image
    #[arg(required_unless_present = "index", conflicts_with = "index")]
    image: Option<String>,
}

impl Annotate {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let mut words = self.words.words()?;
        words.os_features = self.os_features;
        let subject = self.subject.as_ref().map(|image| subject(&store, image, &self.reach)).transpose()?;
        let subject = subject.map(serde_json::to_value).transpose().map_err(Report::new)?;
        let manifest = match &self.image {
            Some(image) => Some((image, add::instance(&store, image)?)),
            None => None,
        };
        let id = change(&store, &self.list, |open| {
            match manifest {
                Some((image, digest)) => {
                    let entry = open.instance(&digest);
                    let missing = || Error::NoInstance { index: self.list.clone(), instance: image.clone() };
                    words.apply(entry.ok_or_else(missing)?);
                }
                None => {
                    open.index.annotations.extend(words.annotations);
                    open.index.extra.extend(subject.map(|subject| ("subject".to_owned(), subject)));
                }
            }
            Ok(open.id().clone())
        })?;
        output::line(id.hex());
        Ok(ExitCode::SUCCESS)
    }
}
