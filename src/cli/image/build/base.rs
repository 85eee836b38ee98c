//! The images that stages begin with, and those that files are taken from: found in the store, or pulled in a process of its own.

use crate::build::engine::Images;
use crate::build::{self, Error};
use crate::cli::Context;
use crate::cli::container::fetch::{self, Policy};
use crate::cli::image::pull::From;
use crate::host::subid::IdMaps;
use crate::image::find::{Found, find};
use crate::layer::worker;
use crate::oci::platform::PlatformError;
use crate::oci::{Digest, Platform};
use crate::store::Store;
use crate::store::build_cache::CachedStep;

/// Finds images, and pulls what is missing.
pub struct Finder<'a> {
    pub context: &'a Context,
    pub store: &'a Store,
    pub from: &'a From,
    /// What `--platform` and its like ask for.
    pub asked: Option<Platform>,
    pub policy: Policy,
    pub quiet: bool,
    /// Repositories with steps of others, and for them.
    pub cache_from: Vec<String>,
    pub cache_to: Vec<String>,
}

impl Images for Finder<'_> {
    fn recall(&self, key: &Digest) -> Option<CachedStep> {
        self.pull_step(key)
    }

    fn share(&self, key: &Digest, step: &CachedStep) -> build::Result<()> {
        self.push_step(key, step)
    }

    fn find(&self, name: &str, platform: Option<&str>) -> build::Result<Found> {
        let wanted = platform.filter(|text| !text.is_empty()).map(str::parse).transpose();
        let wanted: Option<Platform> = wanted.map_err(|error: PlatformError| Error::Refused(error.to_string()))?;
        let wanted = wanted.or_else(|| self.asked.clone());
        // One that says nothing of itself is whatever the user takes it for.
        let fits = |found: &Found| {
            let made_for = found.config.platform();
            made_for.architecture.is_empty() || wanted.as_ref().is_none_or(|wanted| made_for.runs_on(wanted))
        };
        let here = find(self.store, name)?;
        let other = here.as_ref().filter(|found| !fits(found)).map(|found| found.config.platform());
        let here = here.filter(fits);
        let is_here = here.is_some();
        if let Some(found) = here.filter(|_| matches!(self.policy, Policy::Missing | Policy::Never)) {
            return self.unpacked(name, found);
        }
        if matches!(self.policy, Policy::Never) {
            return Err(missing(name, wanted.as_ref(), other.as_ref()));
        }
        let dispensable = matches!(self.policy, Policy::Newer) && is_here;
        let which = (self.from, wanted.as_ref());
        let id = match fetch::pull_for(self.context, name, self.quiet, which, dispensable) {
            Ok(id) => id,
            Err(_) if dispensable => name.to_owned(),
            // It has said why.
            Err(_) => {
                return Err(match (&other, &wanted) {
                    (Some(_), Some(_)) => missing(name, wanted.as_ref(), other.as_ref()),
                    _ => Error::Refused(format!("the image `{name}` can't be pulled")),
                });
            }
        };
        let found = find(self.store, name)?.map_or_else(|| find(self.store, &id), |found| Ok(Some(found)))?;
        let found = found.ok_or_else(|| missing(name, wanted.as_ref(), None))?;
        if !fits(&found) {
            return Err(missing(name, wanted.as_ref(), Some(&found.config.platform())));
        }
        self.unpacked(name, found)
    }
}

/// `other`: what the image of that name is made for.
fn missing(name: &str, wanted: Option<&Platform>, other: Option<&Platform>) -> Error {
    match (wanted, other) {
        (Some(wanted), Some(other)) => Error::Hinted {
            text: format!("the image `{name}` is made for {other}, and {wanted} is asked for"),
            hint: format!("`coracle pull --platform={wanted} {name}` pulls it, if its registry has it for {wanted}"),
        },
        _ => {
            Error::Hinted { text: format!("{name}: image not known"), hint: format!("`coracle pull {name}` pulls it") }
        }
    }
}

impl Finder<'_> {
    fn unpacked(&self, name: &str, found: Found) -> build::Result<Found> {
        let mode = worker::mode_for(&IdMaps::of_account()?);
        match found.layers.iter().find(|layer| !self.store.has_layer(mode, layer)) {
            Some(missing) => Err(Error::Hinted {
                text: format!("the layer {missing} of `{name}` is not unpacked for this account"),
                hint: format!("`coracle pull {name}` unpacks it"),
            }),
            None => Ok(found),
        }
    }
}
