//! `build`: an image from instructions.

mod base;
mod check;
mod given;
mod inputs;
mod outputs;
mod progress;
mod sandbox;
mod shared;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use self::given::Given;
use self::outputs::Outputs;
use crate::build::engine::rights::Right;
use crate::build::engine::{Build as Engine, Built, Images, Request, Squash};
use crate::cli::container::fetch::{self, Policy};
use crate::cli::container::options::value::signal;
use crate::cli::image::pull::From;
use crate::cli::{Context, Report, output};
use crate::host::atomic_file;
use crate::image::find::find;
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
    /// A directory that COPY, ADD and RUN --mount take files from by this name, or the address of an archive or a repository of git;
    /// or, for FROM too, an image, `docker-image://NAME`
    #[arg(long, value_name = "NAME=DIRECTORY")]
    build_context: Vec<String>,
    /// Only check the instructions, line by line, as a build does at its start; exit code 1 if anything is found. `# check=skip=NAME`
    /// at the top of the file leaves a check out, `# check=error=true` has findings stop a build
    #[arg(long)]
    check: bool,
    /// Accepted for scripts: layers are compressed as they are stored
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    compress: Option<Option<String>>,
    /// Accepted for scripts: layers are compressed as they are stored
    #[arg(long, short = 'D', hide = true, num_args = 0..=1, require_equals = true)]
    disable_compression: Option<Option<String>>,
    /// Accepted for scripts: nothing is asked of a server of signatures
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    disable_content_trust: Option<Option<String>>,
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
    /// Begin the first stage with this image, whatever its FROM says
    #[arg(long = "from", value_name = "IMAGE")]
    base: Option<String>,
    /// Accepted for scripts: no label says what built an image
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    identity_label: Option<Option<String>>,
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
    /// Each step has its layer; `--layers=false`: one for all of this build, as `--squash` makes it
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    layers: Option<Option<String>>,
    /// Do every step anew
    #[arg(long)]
    no_cache: bool,
    /// Leave the history out of the image
    #[arg(long)]
    omit_history: bool,
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
    /// Accepted for scripts: stages that nothing needs are not built
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    skip_unused_stages: Option<Option<String>>,
    /// Make one layer of those of this build, above the base's
    #[arg(long)]
    squash: bool,
    /// Also write the result elsewhere: `DIRECTORY`, or `-` for a tar archive on standard output, or `type=local,dest=DIRECTORY`,
    /// `type=tar,dest=FILE`, `type=oci,dest=FILE`, `type=docker,dest=FILE`, `type=image,name=NAME,push=true`
    #[arg(long, short, value_name = "WHERE")]
    output: Vec<String>,
    /// Push the image under its names, once it is built
    #[arg(long)]
    push: bool,
    /// Look for steps that are not remembered here in this repository, `registry/path`; may be given several times
    #[arg(long, value_name = "REPOSITORY")]
    cache_from: Vec<String>,
    /// Push the layer of each step to this repository, for `--cache-from` elsewhere
    #[arg(long, value_name = "REPOSITORY")]
    cache_to: Vec<String>,
    /// Accepted for scripts: the result is always in the store
    #[arg(long, hide = true)]
    load: bool,
    /// Accepted for scripts: there is one builder
    #[arg(long, hide = true, value_name = "NAME")]
    builder: Option<String>,
    /// Accepted for scripts: nothing is attested
    #[arg(long, hide = true, value_name = "WHAT", aliases = ["sbom", "attest"], num_args = 0..=1, require_equals = true)]
    provenance: Vec<String>,
    /// Write ids, digests and names of what was built to a file, as JSON
    #[arg(long, value_name = "FILE")]
    metadata_file: Option<PathBuf>,
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
    /// Leave a variable out of the image
    #[arg(long, value_name = "NAME")]
    unsetenv: Vec<String>,
    /// Leave a label out of the image
    #[arg(long, value_name = "NAME")]
    unsetlabel: Vec<String>,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    sandbox: sandbox::Flags,
    /// The directory that files are copied from; `-`: an archive on standard input, or instructions alone; or where such an archive,
    /// such instructions, or a repository of git lies: `https://…/FILE`, `https://….git[#REFERENCE[:DIRECTORY]]`
    #[arg(value_name = "CONTEXT")]
    context: Option<PathBuf>,
}

impl Build {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let mut outputs = Outputs::parse(&self.output)?;
        outputs.take_stdout()?;
        if self.push && self.tag.is_empty() && outputs.names.is_empty() {
            return Err(Report::new("what is pushed needs a name").hint("`--tag NAME` gives it one"));
        }
        let display = progress::Display::new(&self.progress, self.quiet, self.explain)?;
        let mut given = Given::of(&self, &store)?;
        if let Some(image) = &self.base {
            given.file.begin_with(image);
        }
        if self.check {
            return check::only(&self, &store, &given);
        }
        let images = base::Finder {
            context,
            store: &store,
            from: &self.from,
            asked: self.from.asked()?,
            policy: self.policy()?,
            quiet: self.quiet,
            cache_from: shared::repositories("cache-from", &self.cache_from)?,
            cache_to: shared::repositories("cache-to", &self.cache_to)?,
        };
        let request = self.request((context, &store), &given, &outputs, &images)?;
        let epoch = request.epoch;
        let engine = Engine::new(request, &display)?;
        self.tell_unused(&engine);
        check::before(&engine, self.quiet)?;
        let built = engine.run()?;
        outputs.write(&store, &built.id, &built.names, epoch)?;
        self.push(context, &outputs, &built.names)?;
        if let Some(path) = &self.iidfile {
            atomic_file::write(path, format!("{}", built.id).as_bytes(), false)?;
        }
        if let Some(path) = &self.metadata_file {
            atomic_file::write(path, metadata(&store, &built)?.as_bytes(), false)?;
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

    /// Pushes what is to be pushed, each name by a command of its own.
    fn push(&self, context: &Context, outputs: &Outputs, names: &[String]) -> Result<(), Report> {
        let named: &[String] = if self.push { names } else { &outputs.pushed };
        named.iter().try_for_each(|name| fetch::push(context, name, self.quiet, &self.from))
    }

    /// As Podman says it.
    fn tell_unused(&self, engine: &Engine<'_>) {
        let unused = engine.arguments.unused(engine.request.file);
        if !unused.is_empty() && !self.quiet {
            let names = output::printable(&unused.join(" "));
            output::complain(&format!("[Warning] one or more build args were not consumed: [{names}]"));
        }
    }

    /// By the flag, the build argument, or the environment.
    fn epoch(&self, build_args: &BTreeMap<String, String>) -> Result<Option<i64>, Report> {
        if self.timestamp.is_some() {
            return Ok(self.timestamp);
        }
        let text = build_args.get(EPOCH).cloned().or_else(|| std::env::var(EPOCH).ok());
        let wrong = |text: &str| Report::new(format!("{EPOCH} is `{text}`: expected seconds since 1970"));
        let text = text.filter(|text| !text.is_empty());
        text.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
    }

    fn is_one_layer(&self) -> bool {
        matches!(&self.layers, Some(Some(value)) if value == "false")
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
        (context, store): (&'a Context, &'a Store),
        given: &'a Given,
        outputs: &Outputs,
        images: &'a dyn Images,
    ) -> Result<Request<'a>, Report> {
        let format = match self.format.as_str() {
            "oci" => Format::Oci,
            "docker" => Format::Docker,
            other => return Err(Report::new(format!("`--format={other}`: expected `oci` or `docker`"))),
        };
        let mut build_args = inputs::arguments(&self.build_arg, &self.build_arg_file)?;
        let epoch = self.epoch(&build_args)?;
        if let Some(seconds) = epoch {
            build_args.entry(EPOCH.to_owned()).or_insert_with(|| seconds.to_string());
        }
        Ok(Request {
            store,
            file: &given.file,
            context: given.context.as_ref(),
            contexts: inputs::contexts(&self.build_context, store, self.from.patience())?,
            target: self.target.as_deref(),
            build_args,
            labels: inputs::pairs(&self.label),
            env: inputs::arguments(&self.env, &[])?
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            unset_env: self.unsetenv.clone(),
            unset_labels: self.unsetlabel.clone(),
            omits_history: self.omit_history,
            annotations: inputs::pairs(&self.annotation),
            platform: self.from.asked()?.unwrap_or_else(Platform::host),
            format,
            names: self.tag.iter().chain(&outputs.names).cloned().collect(),
            no_cache: self.no_cache,
            explains: self.explain,
            jobs: self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            squash: match (self.squash_all, self.squash || self.is_one_layer()) {
                (true, _) => Squash::All,
                (false, true) => Squash::New,
                (false, false) => Squash::None,
            },
            epoch,
            secrets: inputs::secrets(&self.secret)?,
            agents: inputs::agents(&self.ssh)?,
            template: self.sandbox.template(context, store)?,
            sandbox: self.sandbox.words().join(" "),
            rights: self.allow.iter().map(|name| right(name)).collect::<Result<_, _>>()?,
            is_signal: |text| signal(text).is_ok(),
            images,
            patience: self.from.patience(),
        })
    }
}

/// What ARG asks for, and what everybody's tools for this have in the environment.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

fn right(name: &str) -> Result<Right, Report> {
    let known = "expected `security.insecure` or `network.host`";
    Right::named(name).ok_or_else(|| Report::new(format!("`--allow={name}`: {known}")))
}

/// As Docker's buildx writes it.
fn metadata(store: &Store, built: &Built) -> Result<String, Report> {
    let found = find(store, built.id.hex())?;
    let digest = found.map(|found| found.manifest_digest.to_string()).unwrap_or_default();
    let all = serde_json::json!({
        "containerimage.config.digest": built.id.to_string(),
        "containerimage.digest": digest,
        "image.name": built.names.join(","),
    });
    serde_json::to_string_pretty(&all).map(|text| text + "\n").map_err(Report::new)
}
