//! A whole build: its stages as they need each other, and the image of the last.

pub mod rights;
mod stages;
mod wire;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::build::arguments::{Arguments, Scope};
use crate::build::checks::{self, Facts, Finding, Rules};
use crate::build::context::Context;
use crate::build::graph::{self, Graph};
use crate::build::hashes::Hashes;
use crate::build::parse::{Dockerfile, Kind, on_build};
use crate::build::progress::{Event, Number, Progress};
use crate::build::source::Place;
use crate::build::stage::{Layer, Stage};
use crate::build::step::copy::{self, Origin};
use crate::build::{Error, Result};
use crate::container::commit::step::Output;
use crate::container::record::Container;
use crate::container::{state, tree};
use crate::host::subid::IdMaps;
use crate::image::find::Found;
use crate::image::make::New;
use crate::image::make::layer::NewLayer;
use crate::image::{self, tag};
use crate::layer::pack::Form;
use crate::layer::read::Tree;
use crate::layer::worker;
use crate::oci::image_config::History;
use crate::oci::media_type::Format;
use crate::oci::{Digest, ImageConfig, Platform};
use crate::registry::Patience;
use crate::store::build_cache::CachedStep;
use crate::store::{Store, Tmp};
use rights::Right;
use wire::Teller;

/// What images upon nothing begin with, as everywhere.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who finds images, and pulls those that are missing.
pub trait Images {
    fn find(&self, name: &str, platform: Option<&str>) -> Result<Found>;

    /// The layer of a step that somebody else has made, in the store and remembered by now.
    fn recall(&self, key: &Digest) -> Option<CachedStep>;

    /// Lets others have the layer of a step.
    fn share(&self, key: &Digest, step: &CachedStep) -> Result<()>;
}

/// What is to be built.
pub struct Request<'a> {
    pub store: &'a Store,
    pub file: &'a Dockerfile,
    /// `None`: there is none, and nothing can be copied from it.
    pub context: Option<&'a Context>,
    /// `--build-context`: by name.
    pub contexts: BTreeMap<String, Named>,
    pub target: Option<&'a str>,
    pub build_args: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    /// `NAME=value`, for the image.
    pub env: Vec<String>,
    /// Names of variables and labels that the image is not to have, whoever set them.
    pub unset_env: Vec<String>,
    pub unset_labels: Vec<String>,
    /// The image does not say how it was made.
    pub omits_history: bool,
    pub annotations: BTreeMap<String, String>,
    pub platform: Platform,
    pub format: Format,
    /// As the user wrote them.
    pub names: Vec<String>,
    pub no_cache: bool,
    /// Somebody wants to know why a step is done again.
    pub explains: bool,
    /// So many stages are built at the same time; 0: all that can be.
    pub jobs: usize,
    pub squash: Squash,
    /// The time of the image, and the latest of its files, in seconds since 1970.
    pub epoch: Option<i64>,
    pub secrets: BTreeMap<String, Vec<u8>>,
    /// Sockets of agents for ssh.
    pub agents: BTreeMap<String, PathBuf>,
    /// What the containers of RUN have in common: sandbox, limits, network.
    pub template: Container,
    /// The words that say so, of which a layer may depend.
    pub sandbox: String,
    /// What instructions may ask for beyond that.
    pub rights: Vec<Right>,
    /// Knows the names of signals.
    pub is_signal: fn(&str) -> bool,
    pub images: &'a dyn Images,
    /// With servers that ADD fetches from.
    pub patience: Patience,
}

/// What a name of `--build-context` stands for.
#[derive(Debug)]
pub enum Named {
    Files(Context),
    Image(String),
}

/// Which layers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Squash {
    #[default]
    None,
    /// Those of this build, above the base's.
    New,
    /// All, the base's too.
    All,
}

/// What a build gives.
#[derive(Debug)]
pub struct Built {
    pub id: Digest,
    /// The full references.
    pub names: Vec<String>,
}

/// A stage that is done, for those upon it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Done {
    pub config: ImageConfig,
    pub layers: Vec<Layer>,
    /// How many of them are the base's.
    pub inherited: usize,
    pub scope: Scope,
}

pub struct Build<'a> {
    pub request: Request<'a>,
    pub ids: IdMaps,
    pub hashes: RefCell<Hashes>,
    progress: &'a dyn Progress,
    /// Stages that are done, by number.
    done: RefCell<BTreeMap<usize, Done>>,
    /// Images that stages begin with or take files from, by name and platform.
    found: BTreeMap<(String, Option<String>), Found>,
    /// In the process of a stage: who hears of it.
    teller: OnceCell<Teller>,
    pub arguments: Arguments,
    graph: Graph,
    /// The stages to be built, by number.
    order: Vec<usize>,
    /// For files that commands find mounted.
    tmp: Tmp,
}

impl<'a> Build<'a> {
    pub fn new(request: Request<'a>, progress: &'a dyn Progress) -> Result<Self> {
        let ids = IdMaps::of_account()?;
        let image = |named: &Named| if let Named::Image(image) = named { Some(image.clone()) } else { None };
        let contexts: Vec<_> = request.contexts.iter().map(|(name, named)| (name.clone(), image(named))).collect();
        let given = request.build_args.clone();
        let mut arguments = Arguments::new(given, &Platform::host(), &request.platform, request.target);
        arguments.read(request.file)?;
        let graph = Graph::new(request.file, &arguments, &contexts)?;
        let order = graph.order(request.file, graph.target(request.target)?)?;
        let hashes = match request.context.and_then(Context::lasting_path) {
            Some(path) => {
                let key = Digest::of(path.as_os_str().as_encoded_bytes());
                Hashes::load(request.store.build_cache_folder("contexts")?.join(key.hex()))
            }
            None => Hashes::default(),
        };
        let tmp = request.store.tmp_dir()?;
        let (hashes, done, teller) = (RefCell::new(hashes), RefCell::default(), OnceCell::new());
        let found = BTreeMap::new();
        let mut build = Self { request, ids, hashes, progress, done, found, teller, arguments, graph, order, tmp };
        build.check_rights()?;
        build.find_images()?;
        Ok(build)
    }

    /// Images are found, and pulled, before any stage begins: they may ask the user something, and show how it goes. What they
    /// bring along may need stages that nothing else does, and these other images.
    fn find_images(&mut self) -> Result<()> {
        loop {
            self.find_those_of_stages()?;
            if !self.needs_more() {
                return Ok(());
            }
            let target = self.order.last().copied().unwrap_or_default();
            self.order = self.graph.order(self.request.file, target)?;
        }
    }

    /// Adds to what stages need, what the images that they begin with take from stages.
    fn needs_more(&mut self) -> bool {
        let mut more = false;
        for number in self.order.clone() {
            let Some(graph::Stage { base: graph::Origin::Image(name), platform, .. }) = self.graph.stages.get(number)
            else {
                continue;
            };
            let found = self.found.get(&(name.clone(), platform.clone()));
            let texts = found.map(|found| found.config.config.on_build.clone()).unwrap_or_default();
            // What can't be read is told of where it is to be done.
            for (_, instruction) in texts.iter().filter_map(|text| on_build("", text).ok()) {
                more |= self.graph.needs_also(number, &instruction.kind);
            }
        }
        more
    }

    fn find_those_of_stages(&mut self) -> Result<()> {
        let file = self.request.file;
        for number in self.order.clone() {
            for (name, platform, span) in self.graph.images(file, number) {
                let key = (name, platform);
                if !self.found.contains_key(&key) {
                    let found = self.request.images.find(&key.0, key.1.as_deref());
                    let place = file.source.place(span);
                    let found = found.map_err(|cause| match self.graph.near(&key.0) {
                        Some(near) => {
                            let hint = format!("did you mean the stage `{near}`?");
                            Error::Step { place, cause: Box::new(Error::Hinted { text: cause.to_string(), hint }) }
                        }
                        None => Error::Step { place, cause: Box::new(cause) },
                    })?;
                    self.found.insert(key, found);
                }
            }
        }
        Ok(())
    }

    /// What an image that a stage begins with has in its environment; `None`: it is not known, or the image brings along
    /// instructions that may add to it.
    fn environment(&self, name: &str, platform: Option<&str>) -> Option<Vec<String>> {
        let found = self.found.get(&(name.to_owned(), platform.map(str::to_owned)))?;
        let config = &found.config.config;
        config.on_build.is_empty().then(|| config.env.clone())
    }

    /// What is allowed and seldom meant.
    pub fn findings(&self, rules: &Rules) -> Vec<Finding> {
        let request = &self.request;
        let facts = Facts {
            arguments: &self.arguments,
            environment: &|name, platform| self.environment(name, platform),
            contexts: request.contexts.keys().cloned().collect(),
            is_left_out: &|path| request.context.is_some_and(|context| context.leaves_out(path)),
        };
        checks::find(request.file, &facts, rules)
    }

    fn image(&self, name: &str, platform: Option<&str>) -> Result<Found> {
        let key = (name.to_owned(), platform.map(str::to_owned));
        // An instruction that an image brings along may name one that the file does not.
        self.found.get(&key).cloned().map_or_else(|| self.request.images.find(name, platform), Ok)
    }

    /// Builds. The caller has one thread.
    pub fn run(&self) -> Result<Built> {
        let _ = worker::sweep(self.request.store);
        let names = self.request.names.iter().map(|name| tag::full_name(name)).collect::<image::Result<Vec<_>>>()?;
        self.stages()?;
        self.hashes.borrow().save()?;
        let target = self.order.last().copied().unwrap_or_default();
        self.progress.commit(names.first().map(String::as_str));
        let id = self.commit(self.upon(target, target)?, &names)?;
        Ok(Built { id, names })
    }

    pub fn tell(&self, event: &Event<'_>) -> Result<()> {
        self.teller.get().map_or(Ok(()), |teller| teller.event(event))
    }

    /// What the command of a RUN wrote.
    pub fn output(&self, from: Output, bytes: &[u8]) -> Result<()> {
        self.teller.get().map_or(Ok(()), |teller| teller.output(from, bytes))
    }

    /// The time of what is made now, as configs have it.
    pub fn now(&self) -> String {
        let epoch = self.request.epoch.and_then(|epoch| chrono::DateTime::from_timestamp(epoch, 0));
        epoch.map_or_else(state::now, |time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }

    pub fn empty_config(&self) -> ImageConfig {
        let Platform { architecture, os, variant, .. } = self.request.platform.clone();
        let mut config = ImageConfig { architecture, os, variant, ..ImageConfig::default() };
        config.config.env.push(PATH.to_owned());
        config.rootfs.kind = "layers".to_owned();
        config
    }

    /// What a `from` means: a stage, a context, an image; without one, the build context.
    pub fn origin(&self, stage: &Stage<'_>, from: Option<&str>) -> Result<Origin<'_>> {
        let Some(from) = from else {
            let context = self.request.context.map(Origin::Context);
            return context.ok_or_else(|| Error::Hinted {
                text: "there is no build context, so nothing can be copied from it".into(),
                hint: "name a directory as the last argument".into(),
            });
        };
        match self.graph.origin(from, stage.number) {
            Some(graph::Origin::Scratch) | None => Ok(Origin::Layers(Vec::new())),
            Some(graph::Origin::Stage(number)) => Ok(Origin::Layers(self.done(number)?.layers)),
            Some(graph::Origin::Context(name)) => self.named_context(&name).map(Origin::Context),
            Some(graph::Origin::Image(name)) => {
                let found = self.image(&name, None)?;
                Ok(Origin::Layers(found.manifest.layers.into_iter().zip(found.layers).collect()))
            }
        }
    }

    fn done(&self, number: usize) -> Result<Done> {
        let done = self.done.borrow().get(&number).cloned();
        done.ok_or_else(|| Error::Refused("a stage is built before one that it needs".into()))
    }

    /// Names of contexts are in small letters where they are looked up.
    fn named_context(&self, name: &str) -> Result<&Context> {
        match self.request.contexts.iter().find(|(known, _)| known.to_lowercase() == name) {
            Some((_, Named::Files(context))) => Ok(context),
            _ => Err(Error::Refused(format!("there is no build context `{name}`"))),
        }
    }

    /// A file that a command finds mounted.
    pub fn script(&self, name: &str, content: &str) -> Result<PathBuf> {
        use crate::host::atomic_file;
        let path =
            self.tmp.path().join(format!("script-{}", Digest::of(format!("{name}\n{content}").as_bytes()).hex()));
        if !path.exists() {
            atomic_file::create(&path, content.as_bytes(), 0o755, false)?;
        }
        Ok(path)
    }

    /// The stage of a number as it begins upon another that is done.
    fn upon(&self, number: usize, other: usize) -> Result<Stage<'_>> {
        let Done { config, layers, scope, inherited } = self.done(other)?;
        let file = self.request.file;
        let stage = Stage::with(self, number, &file.source, file.directives.escape, scope, config, layers);
        Ok(Stage { inherited, ..stage })
    }

    fn stage(&self, number: usize) -> Result<Stage<'_>> {
        let file = self.request.file;
        let Some(plan) = self.graph.stages.get(number) else {
            return Err(Error::Refused("there is no such stage".into()));
        };
        let instructions = plan.instructions(file);
        let numbered = |step| Number { step, steps: 1 + instructions.len() };
        let (source, escape) = (&file.source, file.directives.escape);
        let text = source.text.get(plan.span.start..plan.span.end).unwrap_or_default().trim();
        self.tell(&Event::Step { number: numbered(1), text: text.into() })?;
        let mut stage = match &plan.base {
            graph::Origin::Scratch => Stage::on(self, number, source, escape, None),
            graph::Origin::Stage(other) => {
                let mut stage = self.upon(number, *other)?;
                let title = self.graph.stages.get(*other).map(graph::Stage::title).unwrap_or_default();
                self.on_build(&mut stage, &title, &source.place(plan.span), numbered(1))?;
                stage
            }
            graph::Origin::Context(name) => {
                let text = format!("`{name}` is a directory, and a stage begins with an image");
                let cause = Box::new(Error::Hinted { text, hint: "`COPY --from` takes files from it".into() });
                return Err(Error::Step { place: source.place(plan.span), cause });
            }
            graph::Origin::Image(image) => {
                let found = self.image(image, plan.platform.as_deref())?;
                let mut stage = Stage::on(self, number, source, escape, Some(found));
                self.on_build(&mut stage, image, &source.place(plan.span), numbered(1))?;
                stage
            }
        };
        for (place, instruction) in instructions.iter().enumerate() {
            stage.step(instruction, numbered(2 + place))?;
        }
        copy::directory(&mut stage)?;
        Ok(stage)
    }

    /// What an image, or a stage, brings along for those who build upon it, which is not handed on.
    fn on_build(&self, stage: &mut Stage<'_>, image: &str, from: &Place, number: Number) -> Result<()> {
        for text in std::mem::take(&mut stage.config.config.on_build) {
            let (_source, instruction) = on_build(&format!("ONBUILD of {image}"), &text)?;
            if let Kind::From(_) = instruction.kind {
                continue;
            }
            // It was written for another file.
            let escape = std::mem::replace(&mut stage.escape, '\\');
            let done = stage.step_from(&instruction, from.clone(), number);
            stage.escape = escape;
            done.map_err(|error| delayed(error, from, &text))?;
        }
        Ok(())
    }

    /// All layers above the lowest `kept` in one, and their history in one step. `None`: there are none.
    fn squash(&self, stage: &mut Stage<'_>, kept: usize) -> Result<Option<NewLayer>> {
        let (store, mode) = (self.request.store, worker::mode_for(&self.ids));
        let above: Vec<Digest> = stage.diff_ids().split_off(kept.min(stage.layers.len()));
        let mut layers = tree::layers(store, mode, &above);
        if layers.is_empty() {
            return Ok(None);
        }
        let tree = Tree { top: layers.remove(0), below: layers, live: None };
        let form = if kept > 0 { Form::LAYERS } else { Form::TREE };
        let form = Form { latest: self.request.epoch, ..form };
        let layer = NewLayer::pack(store, &self.ids, mode, &tree, form, &[])?;
        stage.layers.truncate(kept);
        let mut history = std::mem::take(&mut stage.config.history);
        history.truncate(steps_of(&history, kept));
        stage.config.history = history;
        stage.config.history.push(History { created_by: Some("squashed".into()), ..History::default() });
        Ok(Some(layer))
    }

    fn commit(&self, mut stage: Stage<'_>, names: &[String]) -> Result<Digest> {
        let request = &self.request;
        let run = &mut stage.config.config;
        run.labels.retain(|name, _| !request.unset_labels.contains(name));
        let name_of = |pair: &String| pair.split('=').next().unwrap_or_default().to_owned();
        run.env.retain(|pair| !request.unset_env.contains(&name_of(pair)));
        run.labels.extend(request.labels.clone());
        request.env.iter().for_each(|pair| run.set_env(pair.clone()));
        let squashed = match request.squash {
            Squash::None => None,
            Squash::New => {
                let kept = stage.inherited;
                self.squash(&mut stage, kept)?
            }
            Squash::All => self.squash(&mut stage, 0)?,
        };
        let below = stage.layers.clone();
        let mut config = stage.finished()?;
        if request.omits_history {
            config.history.clear();
        }
        let new = New {
            store: request.store,
            progress: &(),
            format: request.format,
            below,
            config,
            annotations: request.annotations.clone(),
            name: names.first().map(String::as_str),
        };
        let id = match squashed {
            Some(layer) => new.finish(layer, &self.ids)?,
            None => new.finish_without_layer(&self.ids)?,
        };
        for name in names.iter().skip(1) {
            tag::tag(request.store, id.hex(), name)?;
        }
        Ok(id)
    }
}

/// What is wrong in an instruction that does not stand in the file, at the place because of which it is done.
fn delayed(error: Error, from: &Place, text: &str) -> Error {
    let Error::Fault(fault) = error else { return error };
    let text = format!("`ONBUILD {}`: {}", text.lines().next().unwrap_or_default(), fault.problem);
    let cause = match fault.hint() {
        Some(hint) => Error::Hinted { text, hint },
        None => Error::Refused(text),
    };
    Error::Step { place: from.clone(), cause: Box::new(cause) }
}

/// How many steps of a history it took to make so many layers, and what only the config had of them.
fn steps_of(history: &[History], layers: usize) -> usize {
    let mut left = layers;
    let is_over = |step: &History| -> bool {
        let over = !step.empty_layer && left == 0;
        left -= usize::from(!step.empty_layer && !over);
        over
    };
    if layers == 0 { 0 } else { history.iter().position(is_over).unwrap_or(history.len()) }
}
