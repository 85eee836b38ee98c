//! `pull`: images from a registry into the store.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::archive::transport;
use super::limit::Limit;
use super::reach::Reach;
use crate::cli::container::fetch::Policy;
use crate::cli::output::{self, progress::Display};
use crate::cli::registry::short_name::Chosen;
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::host::subid::IdMaps;
use crate::image;
use crate::image::archive::transport::Place;
use crate::image::find::{Found, find_any};
use crate::image::pull::{self, PARALLEL, Pulled};
use crate::layer::worker;
use crate::oci::{Digest, ImageConfig, Platform, Reference, Registries};
use crate::registry::{Mirrors, Patience, Trusted, registries};
use crate::store::Store;

/// Pull images from a registry
#[derive(Debug, Args)]
pub struct Pull {
    #[command(flatten)]
    from: From,
    /// Pull all images of the repository that have a tag
    #[arg(short, long)]
    all_tags: bool,
    /// Refuse artifacts: somebody wants to run it
    #[arg(long, hide = true)]
    no_artifacts: bool,
    /// When to pull: `always`, `missing`, `never`, or `newer`: then what is here is kept where the registry has nothing else, or
    /// can't be reached
    #[arg(long, value_name = "WHEN", default_value = "always")]
    policy: Policy,
    /// Show nothing but the ids
    #[arg(short, long)]
    quiet: bool,
    /// Names: `registry/path:tag`; `docker.io/library/` and `:latest` may be left out; or images in archives:
    /// `docker-archive:PATH[:NAME]`, `oci-archive:PATH[:NAME]`, `oci:DIRECTORY[:NAME]`, `dir:DIRECTORY`
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// How a registry is reached and which image of several is meant; for every command that may pull.
#[derive(Debug, Args)]
pub struct From {
    #[command(flatten)]
    reach: Reach,
    /// The platform of the image: `os/architecture` or `os/architecture/variant` [default: this machine's]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// Take the policy from this file
    #[arg(long, value_name = "FILE", hide = true)]
    signature_policy: Option<PathBuf>,
    /// The architecture of the image
    #[arg(long, value_name = "ARCHITECTURE", conflicts_with = "platform")]
    arch: Option<String>,
    /// The operating system of the image
    #[arg(long, value_name = "OS", conflicts_with = "platform")]
    os: Option<String>,
    /// The variant of the architecture
    #[arg(long, value_name = "VARIANT", conflicts_with = "platform")]
    variant: Option<String>,
    #[command(flatten)]
    limit: Limit,
}

impl Pull {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        crate::container::life::sweep::sweep(&store);
        let mut failures: Option<Report> = None;
        for image in &self.images {
            if let Err(report) = self.pull(&store, image) {
                join(&mut failures, report);
            }
        }
        failures.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    fn pull(&self, store: &Store, image: &str) -> Result<(), Report> {
        let place = Place::parse(image).map_err(image::Error::from)?;
        if !matches!(place, Place::Registry(_)) {
            if self.all_tags {
                return Err(Report::new(format!("`{image}` is no registry's, and has no tags")));
            }
            let From { limit, signature_policy, .. } = &self.from;
            let (platform, policy) = (self.from.platform()?, signature_policy.as_deref());
            return transport::take(store, &place, platform, limit.bytes()?, policy, self.quiet);
        }
        let images = if self.all_tags { self.from.tagged(image, self.quiet)? } else { vec![image.to_owned()] };
        let mut failures: Option<Report> = None;
        for image in images {
            match self.as_the_policy_says(store, &image) {
                Ok(id) => output::line(id.hex()),
                Err(report) => join(&mut failures, report),
            }
        }
        failures.map_or(Ok(()), Err)
    }

    /// Pulls one image of a registry, or takes the one that is here; its id.
    fn as_the_policy_says(&self, store: &Store, image: &str) -> Result<Digest, Report> {
        let here = if self.policy == Policy::Always { None } else { self.from.here(store, image)? };
        match (self.policy, here) {
            (Policy::Missing | Policy::Never, Some(id)) => Ok(id),
            (Policy::Never, None) => {
                Err(Report::new(format!("{image}: image not known")).hint(format!("`coracle pull {image}` pulls it")))
            }
            (_, None) => self.fetch(store, image),
            (_, Some(id)) => Ok(self.fetch(store, image).unwrap_or_else(|report| {
                let cause = report.messages.first().map(String::as_str).unwrap_or_default();
                output::complain(&output::printable(&format!("Warning: the `{image}` that is here is kept: {cause}")));
                id
            })),
        }
    }

    fn fetch(&self, store: &Store, image: &str) -> Result<Digest, Report> {
        let pulled = self.from.pull(store, image, !self.no_artifacts, self.quiet)?;
        let event = Event::new(Kind::Image, Action::Pull, pulled.id.hex(), &pulled.name);
        events::record(store.layout().root(), &[event]);
        Ok(pulled.id)
    }
}

fn join(failures: &mut Option<Report>, report: Report) {
    match failures {
        Some(all) => all.join(report),
        None => *failures = Some(report),
    }
}

/// Whether an image is for the platform that was asked for.
pub fn fits(found: &Found, platform: Option<&Platform>) -> bool {
    let ImageConfig { os, architecture, variant, .. } = &found.config;
    platform.is_none_or(|wanted| Platform::new(os, architecture, variant.as_deref()).runs_on(wanted))
}

impl From {
    /// Pulls one image, with progress on standard error.
    fn pull(&self, store: &Store, image: &str, artifacts: bool, quiet: bool) -> Result<Pulled, Report> {
        self.first(image, quiet, |name, registries| self.pull_name((store, registries), name, artifacts, quiet))
    }

    /// The id of an image of that name that is here, for the platform that was asked for and with all of its layers.
    fn here(&self, store: &Store, image: &str) -> Result<Option<Digest>, Report> {
        let (asked, mode) = (self.asked()?, worker::mode_for(&IdMaps::of_account()?));
        let whole = |found: &Found| found.layers.iter().all(|layer| store.has_layer(mode, layer));
        let found = find_any(store, image)?.filter(|found| fits(found, asked.as_ref()) && whole(found));
        Ok(found.map(|found| found.id))
    }

    /// The full names of all images that the repository of `image` has.
    fn tagged(&self, image: &str, quiet: bool) -> Result<Vec<String>, Report> {
        self.first(image, quiet, |name, registries| {
            let tags = Mirrors::of(name, registries, &self.reach.options()?)?.tags()?;
            Ok(tags.into_iter().map(|tag| format!("{}:{tag}", name.name())).collect())
        })
    }

    fn pull_name(
        &self,
        (store, registries): (&Store, &Registries),
        name: &Reference,
        artifacts: bool,
        quiet: bool,
    ) -> Result<Pulled, Report> {
        let platform = self.platform()?;
        let sources = Mirrors::of(name, registries, &self.reach.options()?)?;
        let registry = Trusted::new(sources, &name.clone().pinned(), self.signature_policy.as_deref())?;
        let ids = IdMaps::of_account()?;
        let progress = Display::new(quiet);
        let max_layer_size = self.limit.bytes()?;
        let pull = pull::Pull {
            store,
            registry: &registry,
            progress: &progress,
            platform,
            ids,
            parallel: PARALLEL,
            max_layer_size,
            artifacts,
        };
        Ok(pull.run(name)?)
    }

    fn platform(&self) -> Result<Platform, Report> {
        Ok(self.asked()?.unwrap_or_else(Platform::host))
    }

    /// The platform that was asked for.
    pub fn asked(&self) -> Result<Option<Platform>, Report> {
        let host = Platform::host();
        if self.platform.is_some() {
            return Ok(self.platform.clone());
        }
        if self.arch.is_none() && self.os.is_none() && self.variant.is_none() {
            return Ok(None);
        }
        let os = self.os.clone().unwrap_or(host.os);
        let mut text = format!("{os}/{}", self.arch.clone().unwrap_or(host.architecture));
        if let Some(variant) = &self.variant {
            text = format!("{text}/{variant}");
        }
        text.parse().map(Some).map_err(Report::new)
    }

    /// See [`Reach::patience`].
    pub fn patience(&self) -> Patience {
        self.reach.patience()
    }

    /// See [`Reach::credentials`].
    pub fn credentials(&self) -> Option<String> {
        self.reach.credentials()
    }

    /// How a registry is reached, for a push in another process.
    pub fn reach_arguments(&self) -> Vec<String> {
        self.reach.arguments()
    }

    /// The same as arguments, for a pull in another process: for this platform, where one is named.
    pub fn arguments(&self, platform: Option<&Platform>) -> Vec<String> {
        let policy = self.signature_policy.as_ref().map(|path| path.display().to_string());
        let which = match platform {
            Some(platform) => vec![("platform", Some(platform.to_string()))],
            None => vec![
                ("platform", self.platform.as_ref().map(ToString::to_string)),
                ("arch", self.arch.clone()),
                ("os", self.os.clone()),
                ("variant", self.variant.clone()),
            ],
        };
        let texts = [("signature-policy", policy)].into_iter().chain(which);
        let own = texts.filter_map(|(flag, value)| Some(format!("--{flag}={}", value?)));
        self.reach.arguments().into_iter().chain(own).chain(self.limit.arguments()).collect()
    }

    /// What succeeds first with one of the names that `image` may mean. What was given as credentials is for one registry: where the
    /// name may be at several, none of them gets it.
    fn first<T>(
        &self,
        image: &str,
        quiet: bool,
        attempt: impl Fn(&Reference, &Registries) -> Result<T, Report>,
    ) -> Result<T, Report> {
        let registries = registries::of_account()?;
        let chosen = Chosen::of(&registries, image, quiet)?;
        let places: Vec<_> = chosen.names.iter().map(Reference::registry).collect();
        self.reach.at_one_of(image, &places)?;
        let mut failures = None;
        for name in &chosen.names {
            match attempt(name, &registries) {
                Ok(done) => {
                    chosen.record(name);
                    return Ok(done);
                }
                Err(report) => join(&mut failures, report),
            }
        }
        Err(failures.unwrap_or_else(|| Report::new(format!("`{image}` means no image"))))
    }
}
