//! What a list says of an image, as flags.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::Report;
use crate::image::manifest::platform::Words;

#[derive(Debug, Args)]
pub struct WordFlags {
    /// Say this of the image: `KEY=VALUE`
    #[arg(long, value_name = "KEY=VALUE")]
    annotation: Vec<String>,
    /// The architecture that the list says the image is for
    #[arg(long, value_name = "ARCHITECTURE")]
    arch: Option<String>,
    /// Features of the processor that the list says the image needs
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    features: Vec<String>,
    /// The operating system that the list says the image is for
    #[arg(long, value_name = "OS")]
    os: Option<String>,
    /// The version of the operating system that the list says the image is for
    #[arg(long, value_name = "VERSION")]
    os_version: Option<String>,
    /// The variant of the architecture that the list says the image is for
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,
}

impl WordFlags {
    pub fn words(&self) -> Result<Words, Report> {
        Ok(Words {
            annotations: annotations(&self.annotation)?,
            architecture: self.arch.clone(),
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            variant: self.variant.clone(),
            features: self.features.clone(),
            os_features: Vec::new(),
        })
    }
}

pub fn annotations(pairs: &[String]) -> Result<BTreeMap<String, String>, Report> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(Report::new(format!("expected --annotation {text:?} to be in key=value format"))),
    };
    pairs.iter().map(pair).collect()
}
