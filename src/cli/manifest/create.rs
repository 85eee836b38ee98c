//! `manifest create`: a new list.

use std::process::ExitCode;

use clap::Args;

use super::words::{annotations, instances};
use crate::cli::image::reach::Reach;
use crate::cli::{Context, Report, output};
use crate::image::Error;
use crate::image::manifest::platform::Words;
use crate::image::manifest::{self, Open, add};

/// Make a list, with images if they are named
#[derive(Debug, Args)]
pub struct Create {
    /// Of an image that is itself a list, add all images
    #[arg(long)]
    all: bool,
    /// Go on with the list if there is one of this name
    #[arg(long, short)]
    amend: bool,
    /// Say this of the list: `KEY=VALUE`
    #[arg(long, value_name = "KEY=VALUE")]
    annotation: Vec<String>,
    #[command(flatten)]
    reach: Reach,
    /// The name of the list; `localhost/` and `:latest` may be left out
    list: String,
    /// Images to add: from here if they are here, else from a registry; `docker://…` asks the registry
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
}

impl Create {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (words, reach) = (Words::default(), &self.reach);
        let images = self.images.iter().map(|image| instances(&store, image, &words, self.all, reach));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        let id = match manifest::create(&store, &self.list, annotations(&self.annotation)?) {
            Err(Error::NameInUse { .. }) if self.amend => Open::read(&store, &self.list)?.id().clone(),
            created => created?,
        };
        for instances in images {
            add::add(&store, &self.list, instances, &words)?;
        }
        output::line(id.hex());
        Ok(ExitCode::SUCCESS)
    }
}
