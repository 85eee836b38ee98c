//! `build`: an image from instructions.

mod inputs;
mod progress;
mod sandbox;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::build::engine::rights::Right;
use crate::build::engine::{Build as Engine, Images, Request, Squash};
use crate::build::{self, Error};
use crate::cli::container::fetch::{self, Policy};
use crate::cli::container::options::value::signal;
use crate::cli::image::pull::From;
use crate::cli::{Context, Report, output};
use crate::host::atomic_file;
use crate::host::subid::IdMaps;
use crate::image::find::{Found, find};
use crate::layer::worker;
use crate::oci::Platform;
use crate::oci::media_type::Format;
use crate::store::Store;

/// Build an image from the instructions of a Containerfile or Dockerfile
#[derive(Debug, Args)]
pub struct Build {
    /// Let the instructions have a right: `security.insecure` (`RUN --security=insecure`), `network.host` (`RUN --network=host`)
    #[arg(long, value_name = "RIGHT", value_delimiter = ',')]
    allow: Vec<String>,
    /// Note something in the image's manifest
    #[arg(long, value_name = "NAME=VALUE")]
    annotation: Vec<String>,
    /// A value for an ARG; without one, the environment's
    #[arg(long, value_name = "NAME[=VALUE]")]
    build_arg: Vec<String>,
    /// Read values for ARGs from a file, one a line
    #[arg(long, value_name = "FILE")]
    build_arg_file: Vec<PathBuf>,
    /// A directory that COPY, ADD and RUN --mount take files from by this name
    #[arg(long, value_name = "NAME=DIRECTORY")]
    build_context: Vec<String>,
    /// Set a variable in the image
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Say of each step why it was taken from the cache or not
    #[arg(long)]
    explain: bool,
    /// The file of instructions; `-`: standard input [default: Containerfile, or Dockerfile, of the context]
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Accepted for scripts: containers of steps are always removed
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    force_rm: Option<Option<String>>,
    /// The format of the image: `oci` or `docker`
    #[arg(long, value_name = "FORMAT", default_value = "oci", hide_default_value = true)]
    format: String,
    /// Leave out of the context what this file lists [default: .containerignore, or .dockerignore, of the context]
    #[arg(long, value_name = "FILE")]
    ignorefile: Option<PathBuf>,
    /// Write the image's id to a file
    #[arg(long, value_name = "FILE")]
    iidfile: Option<PathBuf>,
    /// So many stages are built side by side; 0: all that can be [default: as many as there are processors]
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// Set a label of the image
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<String>,
    /// Accepted for scripts: each step has its layer, and is remembered
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    layers: Option<Option<String>>,
    /// Do every step anew
    #[arg(long)]
    no_cache: bool,
    /// How to show what is done: `plain` lines, `tty` what goes on now, `auto` the latter on a terminal
    #[arg(long, value_name = "KIND", default_value = "auto", hide_default_value = true)]
    progress: String,
    /// When to pull the images of FROM: `missing`, `always`, `newer` or `never`
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, default_missing_value = "always")]
    pull: Option<String>,
    /// Always pull the images of FROM
    #[arg(long, hide = true)]
    pull_always: bool,
    /// Show nothing but the image's id
    #[arg(long, short)]
    quiet: bool,
    /// Accepted for scripts: containers of steps are always removed
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    rm: Option<Option<String>>,
    /// A secret for `RUN --mount=type=secret`: from a file, or from a variable
    #[arg(long, value_name = "id=NAME[,src=FILE|,env=VARIABLE]")]
    secret: Vec<String>,
    /// Refused: layers of a base stay as they are
    #[arg(long, hide = true)]
    squash: bool,
    /// Refused: results go to the store
    #[arg(long, short, hide = true, value_name = "WHERE")]
    output: Option<String>,
    /// Accepted for scripts: steps are remembered here, and by nobody else
    #[arg(long, hide = true, value_name = "WHERE")]
    cache_from: Vec<String>,
    /// Accepted for scripts
    #[arg(long, hide = true, value_name = "WHERE")]
    cache_to: Vec<String>,
    /// Accepted for scripts: the result is always in the store
    #[arg(long, hide = true)]
    load: bool,
    /// All of the image in one layer
    #[arg(long)]
    squash_all: bool,
    /// An agent for `RUN --mount=type=ssh`
    #[arg(long, value_name = "default|NAME[=SOCKET]")]
    ssh: Vec<String>,
    /// Name the image; may be given several times
    #[arg(long, short, value_name = "NAME")]
    tag: Vec<String>,
    /// Build up to this stage [default: the last]
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// The time of the image, and the latest of its files, in seconds since 1970 [default: $SOURCE_DATE_EPOCH]
    #[arg(long, visible_alias = "source-date-epoch", value_name = "SECONDS")]
    timestamp: Option<i64>,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    sandbox: sandbox::Flags,
    /// The directory that files are copied from
    #[arg(value_name = "CONTEXT")]
    context: Option<PathBuf>,
}

impl Build {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let directory = match (&self.context, self.file.is_empty()) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => Some(PathBuf::from(".")),
            (None, false) => None,
        };
        self.refuse(directory.as_deref())?;
        let display = progress::Display::new(&self.progress, self.quiet, self.explain)?;
        let (file, path) = inputs::instructions(&self.file, directory.as_deref())?;
        let asked = self.ignorefile.as_deref();
        let here = directory.map(|directory| inputs::context(&directory, asked, path.as_deref())).transpose()?;
        let images = Finder { context, store: &store, from: &self.from, policy: self.policy()?, quiet: self.quiet };
        let request = self.request(context, &store, &file, here.as_ref(), &images)?;
        let built = Engine::new(request, &display)?.run()?;
        if let Some(path) = &self.iidfile {
            atomic_file::write(path, format!("{}", built.id).as_bytes(), false)?;
        }
        if !self.quiet {
            output::line(&format!("--> {}", built.id.hex().get(..12).unwrap_or_default()));
            for name in &built.names {
                output::line(&output::printable(&format!("Successfully tagged {name}")));
            }
        }
        output::line(built.id.hex());
        Ok(ExitCode::SUCCESS)
    }

    fn refuse(&self, directory: Option<&Path>) -> Result<(), Report> {
        if self.squash {
            return Err(Report::new("`--squash` of the new layers alone is not supported yet")
                .hint("`--squash-all` makes one layer of all; an image without it runs the same"));
        }
        if let Some(to) = &self.output {
            return Err(Report::new(format!("`--output={to}` is not supported yet")).hint(
                "`coracle save` writes an image to an archive, and `coracle create` and `coracle export` its files",
            ));
        }
        match directory.and_then(Path::to_str) {
            Some("-") => Err(Report::new("a build context from standard input is not supported yet")
                .hint("unpack it into a directory, and name that; `-f -` reads instructions alone")),
            Some(text) if text.contains("://") || text.starts_with("git@") => {
                Err(Report::new(format!("`{text}` is no directory: contexts are not fetched from other machines"))
                    .hint("`git clone` it first, and name the directory"))
            }
            _ => Ok(()),
        }
    }

    fn policy(&self) -> Result<Policy, Report> {
        match self.pull.as_deref() {
            _ if self.pull_always => Ok(Policy::Always),
            None | Some("false" | "ifmissing") => Ok(Policy::Missing),
            Some("true") => Ok(Policy::Always),
            Some("ifnewer") => Ok(Policy::Newer),
            Some(word) => Policy::from_str(word, true)
                .map_err(|_| Report::new(format!("`--pull={word}`: expected `missing`, `always`, `newer` or `never`"))),
        }
    }

    fn request<'a>(
        &'a self,
        context: &'a Context,
        store: &'a Store,
        file: &'a build::parse::Dockerfile,
        here: Option<&'a build::context::Context>,
        images: &'a dyn Images,
    ) -> Result<Request<'a>, Report> {
        let format = match self.format.as_str() {
            "oci" => Format::Oci,
            "docker" => Format::Docker,
            other => return Err(Report::new(format!("`--format={other}`: expected `oci` or `docker`"))),
        };
        let mut contexts = BTreeMap::new();
        for word in &self.build_context {
            let (name, path) = word
                .split_once('=')
                .ok_or_else(|| Report::new(format!("`--build-context={word}`: expected `NAME=DIRECTORY`")))?;
            contexts.insert(name.to_owned(), inputs::context(Path::new(path), None, None)?);
        }
        let epoch = match (self.timestamp, std::env::var("SOURCE_DATE_EPOCH")) {
            (Some(seconds), _) => Some(seconds),
            (None, Ok(text)) if !text.is_empty() => Some(
                text.parse()
                    .map_err(|_| Report::new(format!("SOURCE_DATE_EPOCH is `{text}`: expected seconds since 1970")))?,
            ),
            _ => None,
        };
        Ok(Request {
            store,
            file,
            context: here,
            contexts,
            target: self.target.as_deref(),
            build_args: inputs::arguments(&self.build_arg, &self.build_arg_file)?,
            labels: inputs::pairs(&self.label),
            env: inputs::arguments(&self.env, &[])?
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            annotations: inputs::pairs(&self.annotation),
            platform: self.from.asked()?.unwrap_or_else(Platform::host),
            format,
            names: self.tag.clone(),
            no_cache: self.no_cache,
            jobs: self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            squash: if self.squash_all { Squash::All } else { Squash::None },
            epoch,
            secrets: inputs::secrets(&self.secret)?,
            agents: inputs::agents(&self.ssh)?,
            template: self.sandbox.template(context, store)?,
            sandbox: self.sandbox.words().join(" "),
            rights: self.allow.iter().map(|name| right(name)).collect::<Result<_, _>>()?,
            is_signal: |text| signal(text).is_ok(),
            images,
        })
    }
}

fn right(name: &str) -> Result<Right, Report> {
    let known = "expected `security.insecure` or `network.host`";
    Right::named(name).ok_or_else(|| Report::new(format!("`--allow={name}`: {known}")))
}

/// Finds the images that stages begin with, and pulls what is missing in a process of its own.
struct Finder<'a> {
    context: &'a Context,
    store: &'a Store,
    from: &'a From,
    policy: Policy,
    quiet: bool,
}

impl Images for Finder<'_> {
    fn find(&self, name: &str, _platform: Option<&str>) -> build::Result<Found> {
        let here = find(self.store, name)?;
        if let Some(found) = here.filter(|_| matches!(self.policy, Policy::Missing | Policy::Never)) {
            return self.unpacked(name, found);
        }
        if matches!(self.policy, Policy::Never) {
            let (text, hint) = (format!("{name}: image not known"), format!("`coracle pull {name}` pulls it"));
            return Err(Error::Hinted { text, hint });
        }
        let dispensable = matches!(self.policy, Policy::Newer) && find(self.store, name)?.is_some();
        let pulled = fetch::pull(self.context, name, self.quiet, self.from, dispensable);
        let id = match pulled {
            Ok(id) => id,
            Err(_) if dispensable => name.to_owned(),
            // It has said why.
            Err(_) => return Err(Error::Refused(format!("the image `{name}` can't be pulled"))),
        };
        let found = find(self.store, name)?.map_or_else(|| find(self.store, &id), |found| Ok(Some(found)))?;
        let missing = || Error::Refused(format!("{name}: image not known"));
        self.unpacked(name, found.ok_or_else(missing)?)
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
