//! What a list says of an image, as flags; and the image that is meant.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::Report;
use crate::cli::image::push::destination;
use crate::cli::image::reach::Reach;
use crate::image::manifest::add::{self, Instances};
use crate::image::manifest::platform::Words;
use crate::image::manifest::remote;
use crate::image::{Error, find};
use crate::oci::{Descriptor, Platform, Reference};
use crate::registry::{Mirrors, Trusted, registries};
use crate::store::Store;

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

/// What `text` adds to a list: an image of the store, else of a registry.
pub fn instances(store: &Store, text: &str, words: &Words, all: bool, reach: &Reach) -> Result<Instances, Report> {
    let here = match text.strip_prefix("containers-storage:") {
        Some(name) => return Ok(add::of_store(store, name, all)?),
        None if text.starts_with("docker://") => None,
        None => Some(add::of_store(store, text, all)),
    };
    match here {
        None | Some(Err(Error::Unknown { .. })) => {}
        Some(found) => return Ok(found?),
    }
    let name = destination(text)?;
    let mut platform = Platform::host();
    if let Some(architecture) = &words.architecture {
        platform = Platform::new(&platform.os, architecture, words.variant.as_deref());
    }
    if let Some(os) = &words.os {
        platform.os.clone_from(os);
    }
    let found = remote::of_registry(&at_registry(&name, reach)?, &name, &platform, all);
    found.map_err(|error| match text.starts_with("docker://") {
        true => error.into(),
        false => Report::from(error).hint(format!("no image `{text}` is here, so the registry was asked")),
    })
}

/// What a subject is: an image or list of the store, else of a registry.
pub fn subject(store: &Store, text: &str, reach: &Reach) -> Result<Descriptor, Report> {
    match find::descriptor(store, text) {
        Err(Error::Unknown { .. }) => {}
        found => return Ok(found?),
    }
    let name = destination(text)?;
    Ok(remote::descriptor(&at_registry(&name, reach)?, &name)?)
}

/// Where `name` is by registries.conf, and no more than policy.json takes.
pub fn at_registry(name: &Reference, reach: &Reach) -> Result<Trusted, Report> {
    let sources = Mirrors::of(name, &registries::of_account()?, &reach.options()?)?;
    Ok(Trusted::new(sources, &name.clone().pinned(), None)?)
}
