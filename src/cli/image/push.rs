//! `push`: an image of the store to a registry.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{Args, ValueEnum};

use super::archive::save::write;
use super::reach::Reach;
use crate::cli::output::progress::Display;
use crate::cli::{Context, Report};
use crate::container::watch::events::{self, Action, Event, Kind};
use crate::host::atomic_file;
use crate::image::archive::save::{Chosen, Save};
use crate::image::archive::target::Target;
use crate::image::archive::transport::Place;
use crate::image::find::find_any;
use crate::image::push::{self, Destination, compress::Wanted};
use crate::image::{self, Error, archive, tag};
use crate::oci::media_type::Format;
use crate::oci::{Compression, Digest, Reference};
use crate::registry::{self, Client, Mirrors, Trusted, registries};
use crate::store::Store;

/// Push an image to a registry
#[derive(Debug, Args)]
pub struct Push {
    #[command(flatten)]
    options: Options,
    /// Push all images that have a name in the repository IMAGE, each with its tag
    #[arg(short, long, conflicts_with_all = ["destination", "digestfile"])]
    all_tags: bool,
    /// Compress layers that are not; with `dir:` alone
    #[arg(long)]
    compress: bool,
    /// The name of an image or the start of its id
    image: String,
    /// The name that it gets, `registry/path:tag`, or an archive: `docker-archive:FILE[:NAME]`, `oci-archive:FILE[:NAME]`,
    /// `oci:DIRECTORY[:NAME]`, `dir:DIRECTORY` [default: the same name]
    destination: Option<String>,
}

/// How images are pushed; for every command that does.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    reach: Reach,
    /// How layers are compressed [default: as they are]
    #[arg(long, value_name = "FORMAT")]
    compression_format: Option<CompressionFormat>,
    /// The level of compression: 1 to 9 with gzip, 1 to 20 with zstd
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=20))]
    compression_level: Option<i32>,
    /// How layers are compressed where no flag says it
    #[arg(long, hide = true, value_name = "FORMAT")]
    default_compression_format: Option<CompressionFormat>,
    #[arg(long, hide = true, value_name = "LEVEL", value_parser = clap::value_parser!(i32).range(1..=20))]
    default_compression_level: Option<i32>,
    /// `false`: layers that the registry has as they are stay so [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_possible_values = true)]
    force_compression: Option<bool>,
    /// The format of the manifest: `oci` or `v2s2` [default: the image's own]
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<ManifestFormat>,
    /// Write the digest of what was pushed to this file
    #[arg(long, value_name = "FILE")]
    digestfile: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Accepted for scripts: signatures are not kept here
    #[arg(long, hide = true)]
    remove_signatures: bool,
    /// Accepted for scripts
    #[arg(long, hide = true)]
    disable_content_trust: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompressionFormat {
    Gzip,
    Zstd,
    #[value(name = "zstd:chunked", hide = true)]
    ZstdChunked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ManifestFormat {
    Oci,
    V2s2,
    #[value(hide = true)]
    V2s1,
}

impl Push {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        if self.all_tags {
            for name in names_in(&store, &self.image)? {
                self.push(&store, &name, &name)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        self.push(&store, &self.image, self.destination.as_ref().unwrap_or(&self.image))?;
        Ok(ExitCode::SUCCESS)
    }

    fn push(&self, store: &Store, image: &str, to: &str) -> Result<(), Report> {
        let id = match Place::parse(to).map_err(image::Error::from)? {
            Place::Archive { format, path, which } => {
                let mut chosen = Chosen::find(store, image)?;
                chosen.names = which.name().into_iter().collect();
                let progress = Display::new(self.options.quiet);
                let save = Save { store, progress: &progress, format, compress: self.compress };
                self.options.only_for_registries()?;
                write(&save, std::slice::from_ref(&chosen), &path)?;
                chosen.image.id
            }
            _ => {
                let found = find_any(store, image)?.ok_or_else(|| Error::Unknown { name: image.to_owned() })?;
                let to = destination(to)?;
                self.options.push(store, &to, &[], |push, to| push.image(&found.manifest_digest, to))?;
                found.id
            }
        };
        events::record(store.layout().root(), &[Event::new(Kind::Image, Action::Push, id.hex(), to)]);
        Ok(())
    }
}

/// The names that images have in a repository.
fn names_in(store: &Store, repository: &str) -> Result<Vec<String>, Report> {
    let wanted: Reference = repository.parse().map_err(Error::from)?;
    if wanted.tag().is_some() || wanted.digest().is_some() {
        return Err(Report::new("tag can't be used with --all-tags/-a")
            .hint(format!("name the repository: `{}`", wanted.name())));
    }
    let names = tag::names_in(store, repository)?;
    if names.is_empty() { Err(Error::Unknown { name: repository.to_owned() }.into()) } else { Ok(names) }
}

/// The name at a registry that somebody means.
pub fn destination(text: &str) -> Result<Reference, Report> {
    match Place::parse(text).map_err(image::Error::from)? {
        Place::Registry(name) => Ok(name.parse::<Reference>().map_err(image::Error::from)?.or_latest()),
        _ => Err(Report::new(format!("`{text}` is not at a registry"))),
    }
}

impl Options {
    /// Pushes with what was said to where `to` is by registries.conf, and writes the digest down.
    pub fn push(
        &self,
        store: &Store,
        to: &Reference,
        variants: &[Wanted],
        work: impl FnOnce(&push::Push<'_>, &Reference) -> image::Result<Digest>,
    ) -> Result<(), Report> {
        let (registries, options) = (registries::of_account()?, self.reach.options()?);
        let (to, options) = Mirrors::own(to, &registries, &options)?;
        let client = Client::new(&to, &options)?;
        // The credentials on the command line are for the one registry.
        let others = registry::Options { credentials: None, ..options.clone() };
        let reach = |name: &Reference| {
            let options = if name.registry() == to.registry() { &options } else { &others };
            Ok(Trusted::new(Mirrors::of(name, &registries, options)?, name, None)?)
        };
        let digest = self.to(store, (&client, self.format()?), &reach, variants, |push| work(push, &to))?;
        self.tell(&digest)
    }

    /// Pushes with what was said to an archive, in which it gets this name, and writes the digest down.
    pub fn push_to_archive(
        &self,
        store: &Store,
        (format, path): (archive::Format, &Path),
        name: Option<String>,
        variants: &[Wanted],
        work: impl FnOnce(&push::Push<'_>, &Reference) -> image::Result<Digest>,
    ) -> Result<(), Report> {
        let words = match (format, self.format()?) {
            (archive::Format::DockerDir, words) => words,
            (_, Some(Format::Docker)) => return Err(Report::new("an OCI layout holds the format oci alone")),
            _ => Some(Format::Oci),
        };
        let (registries, options) = (registries::of_account()?, self.reach.options()?);
        let reach = |name: &Reference| Ok(Trusted::new(Mirrors::of(name, &registries, &options)?, name, None)?);
        let target = Target::create(format, path)?;
        let address = Target::ADDRESS.parse().map_err(image::Error::from)?;
        let digest = self.to(store, (&target, words), &reach, variants, |push| work(push, &address))?;
        target.finish(name.as_slice())?;
        self.tell(&digest)
    }

    fn to(
        &self,
        store: &Store,
        (destination, format): (&dyn Destination, Option<Format>),
        reach: &(dyn Fn(&Reference) -> image::Result<Trusted> + Sync),
        variants: &[Wanted],
        work: impl FnOnce(&push::Push<'_>) -> image::Result<Digest>,
    ) -> Result<Digest, Report> {
        let (compress, elsewhere) = (self.compression()?, OnceLock::new());
        let progress = &Display::new(self.quiet);
        Ok(work(&push::Push { store, destination, progress, format, compress, variants, reach, elsewhere })?)
    }

    fn tell(&self, digest: &Digest) -> Result<(), Report> {
        match &self.digestfile {
            Some(path) => Ok(atomic_file::write(path, digest.to_string().as_bytes(), false)?),
            None => Ok(()),
        }
    }

    /// An archive has a format of its own, and keeps layers as they are.
    fn only_for_registries(&self) -> Result<(), Report> {
        let flag = match self {
            Self { format: Some(_), .. } => "--format",
            Self { compression_format: Some(_), .. } => "--compression-format",
            Self { digestfile: Some(_), .. } => "--digestfile",
            _ => return Ok(()),
        };
        Err(Report::new(format!("{flag} is for registries: an archive has a format of its own")))
    }

    fn format(&self) -> Result<Option<Format>, Report> {
        match self.format {
            None => Ok(None),
            Some(ManifestFormat::Oci) => Ok(Some(Format::Oci)),
            Some(ManifestFormat::V2s2) => Ok(Some(Format::Docker)),
            Some(ManifestFormat::V2s1) => {
                Err(Report::new("the format v2s1 says nothing that could be checked, and is not written here")
                    .hint("use `--format v2s2`"))
            }
        }
    }

    fn compression(&self) -> Result<Option<Wanted>, Report> {
        // A level alone means gzip, which layers that are compressed so have already.
        let Some(format) = self.compression_format.or(self.usual_compression()) else { return Ok(None) };
        let wanted = self.wanted(format, self.compression_level.or(self.default_compression_level))?;
        // What is only usual is no reason to send what the registry has in another form.
        let force = self.force_compression.unwrap_or(self.compression_format.is_some());
        Ok(Some(Wanted { force, ..wanted }))
    }

    /// What no flag says must not be in the way of one.
    fn usual_compression(&self) -> Option<CompressionFormat> {
        match self.default_compression_format? {
            CompressionFormat::Gzip => Some(CompressionFormat::Gzip),
            _ if self.format == Some(ManifestFormat::V2s2) => None,
            CompressionFormat::Zstd | CompressionFormat::ZstdChunked => Some(CompressionFormat::Zstd),
        }
    }

    /// What it is to be compressed in this format.
    pub fn wanted(&self, format: CompressionFormat, level: Option<i32>) -> Result<Wanted, Report> {
        let compression = match format {
            CompressionFormat::Gzip => Compression::Gzip,
            CompressionFormat::Zstd if self.format == Some(ManifestFormat::V2s2) => {
                return Err(Report::new("the format v2s2 has no layers that are compressed with zstd")
                    .hint("use `--format oci`"));
            }
            CompressionFormat::Zstd => Compression::Zstd,
            CompressionFormat::ZstdChunked => {
                return Err(Report::new("zstd:chunked is not written here").hint("use `zstd`"));
            }
        };
        if compression == Compression::Gzip && level.is_some_and(|level| level > 9) {
            return Err(Report::new("the levels of gzip are 1 to 9"));
        }
        Ok(Wanted { compression, level, force: true })
    }
}
