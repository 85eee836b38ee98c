//! One stage: from its FROM on, step by step.
//!
//! What it has so far is a config, the layers below, and variables. RUN, COPY and ADD (and a WORKDIR that is not there) put a
//! layer on top, which is taken from the cache if one was made by the same step; all else changes the config alone.

use super::arguments::Scope;
use super::engine::{Build, Done};
use super::keys::{Key, StepKey};
use super::parse::{Command, Heredoc, Instruction, Kind, Word};
use super::progress::{Event, Number};
use super::source::{Place, Source, Span};
use super::step::{copy, run, settings};
use super::{Error, Result, why, words};
use crate::image::find::Found;
use crate::image::make::{self, layer::NewLayer};
use crate::oci::image_config::History;
use crate::oci::{Descriptor, Digest, ImageConfig};
use crate::runtime::inside::normal;
use crate::store::build_cache::{CachedStep, Sources};

/// A layer in the store: its blob, and its diff id.
pub type Layer = (Descriptor, Digest);

/// A WORKDIR, and whose it will be.
#[derive(Debug, Clone)]
pub struct WorkingDirectory {
    pub path: String,
    pub user: String,
}

/// A stage as far as it has got.
pub struct Stage<'a> {
    pub build: &'a Build<'a>,
    /// From 0, as it stands in the file.
    pub number: usize,
    pub source: &'a Source,
    pub escape: char,
    pub scope: Scope,
    pub config: ImageConfig,
    pub layers: Vec<Layer>,
    /// How many of them are the base's.
    pub inherited: usize,
    /// The image has a command for its own entry point only as long as nobody sets another.
    pub has_command: bool,
    /// The working directory, as long as nothing has made it.
    pub pending: Option<WorkingDirectory>,
}

impl<'a> Stage<'a> {
    /// A stage on an image, or on nothing.
    pub fn on(build: &'a Build<'a>, number: usize, source: &'a Source, escape: char, base: Option<Found>) -> Self {
        let (config, layers) = match base {
            Some(base) => (base.config, base.manifest.layers.into_iter().zip(base.layers).collect()),
            None => (build.empty_config(), Vec::new()),
        };
        let scope = Scope::new(&config.config.env);
        Self::with(build, number, source, escape, scope, config, layers)
    }

    /// A stage on another.
    pub fn with(
        build: &'a Build<'a>,
        number: usize,
        source: &'a Source,
        escape: char,
        scope: Scope,
        mut config: ImageConfig,
        layers: Vec<Layer>,
    ) -> Self {
        // Docker's notes about how the image below was made, which this one is not.
        config.extra.retain(|key, _| !["container", "container_config", "docker_version", "parent"].contains(&&**key));
        config.config.extra.remove("Image");
        let inherited = layers.len();
        Self { build, number, source, escape, scope, config, layers, inherited, has_command: false, pending: None }
    }

    /// Does one instruction; a fault or failure says where.
    pub fn step(&mut self, instruction: &Instruction, number: Number) -> Result<()> {
        let place = self.source.place(instruction.span);
        self.step_from(instruction, place, number)
    }

    /// The same of one that stands somewhere else, and is done because of what stands at `place`.
    pub fn step_from(&mut self, instruction: &Instruction, place: Place, number: Number) -> Result<()> {
        self.build.tell(&Event::Step { number, text: instruction.text.as_str().into() })?;
        self.apply(instruction).map_err(|error| match error {
            Error::Fault(_) | Error::Step { .. } => error,
            cause => Error::Step { place, cause: Box::new(cause) },
        })
    }

    fn apply(&mut self, instruction: &Instruction) -> Result<()> {
        match &instruction.kind {
            Kind::Run(run) => run::run(self, run),
            Kind::Copy(copy) => copy::copy(self, copy, None),
            Kind::Add(add) => copy::copy(self, &add.copy, Some(add)),
            _ => settings::set(self, instruction),
        }
    }

    /// A word with its variables replaced and its quotes taken away.
    pub fn word(&self, word: &Word) -> Result<String> {
        Ok(self.scope.word(self.source, self.escape, word)?)
    }

    /// The same of a text that is a part of an instruction.
    pub fn text(&self, text: &str, span: Span) -> Result<String> {
        self.word(&Word { text: text.to_owned(), span })
    }

    /// The content of a file that stands in the instructions, of the one at `span`.
    pub fn heredoc(&self, heredoc: &Heredoc, span: Span) -> Result<String> {
        if !heredoc.expands {
            return Ok(heredoc.text());
        }
        let expanded = words::heredoc(&heredoc.text(), &self.scope.lookup());
        Ok(expanded.map_err(|error| self.source.fault(span, error))?)
    }

    /// The same of several.
    pub fn words(&self, words: &[Word]) -> Result<Vec<String>> {
        words.iter().map(|word| self.word(word)).collect()
    }

    /// What a command runs: as it is, or by the shell.
    pub fn command(&self, command: &Command) -> Vec<String> {
        match command {
            Command::Exec(words) => words.clone(),
            Command::Shell(text) => self.shell().into_iter().chain([text.clone()]).collect(),
        }
    }

    /// Program and flags of the shell.
    pub fn shell(&self) -> Vec<String> {
        let own = self.config.config.shell.clone().filter(|words| !words.is_empty());
        own.unwrap_or_else(|| vec!["/bin/sh".into(), "-c".into()])
    }

    /// A path as WORKDIR has it.
    pub fn absolute(&self, path: &str) -> String {
        let working_dir = match self.config.config.working_dir.as_str() {
            "" => "/",
            path => path,
        };
        normal(&if path.starts_with('/') { path.to_owned() } else { format!("{working_dir}/{path}") })
    }

    /// The key of a step on the layers so far, to which all else that it depends on is to be added.
    pub fn key(&self) -> Key {
        Key::on(self.layers.iter().map(|(_, diff_id)| diff_id), self.build.request.epoch)
    }

    pub fn diff_ids(&self) -> Vec<Digest> {
        self.layers.iter().map(|(_, diff_id)| diff_id.clone()).collect()
    }

    /// Puts the layer of a step on top: the one that the cache has, else what `make` gives. `text`: what the history says.
    /// `sources`: what it takes of the context, for who asks why.
    pub fn put(
        &mut self,
        key: &StepKey,
        text: String,
        sources: impl FnOnce(&Self) -> Result<Sources>,
        make: impl FnOnce(&Self) -> Result<NewLayer>,
    ) -> Result<()> {
        let (StepKey { digest: key, parts }, store, ids) = (key, self.build.request.store, &self.build.ids);
        let mode = crate::layer::worker::mode_for(ids);
        let is_there = |step: &CachedStep| store.has_layer(mode, &step.diff_id) && store.has_blob(&step.blob.digest);
        let images = self.build.request.images;
        let known = store.cached_step(key).filter(|_| !self.build.request.no_cache);
        let was_known = known.is_some();
        let own = known.filter(is_there);
        let is_own = own.is_some();
        let recalled = || {
            let asked = Some(images).filter(|_| !self.build.request.no_cache);
            asked.and_then(|images| images.recall(key)).filter(is_there)
        };
        if let Some(step) = own.or_else(recalled) {
            self.build.tell(&Event::Cached { key: key.hex().into() })?;
            if is_own {
                images.share(key, &step)?;
            }
            self.push((step.blob, step.diff_id), step.created, text);
            return Ok(());
        }
        let sources = sources(self)?;
        let why = match was_known {
            _ if self.build.request.no_cache => "--no-cache".into(),
            true => "its layer was removed".into(),
            false if self.build.request.explains => why::what_is_new(store, parts, &sources).into(),
            false => why::NEW.into(),
        };
        self.build.tell(&Event::Made { why })?;
        let layer = make(self)?;
        let created = self.build.now();
        let step = |blob: &Descriptor, diff_id: &Digest| {
            let (diff_id, blob) = (diff_id.clone(), blob.clone());
            CachedStep {
                diff_id,
                blob,
                created: created.clone(),
                instruction: text.clone(),
                parts: Some(parts.clone()),
                sources: sources.clone(),
            }
        };
        let (blob, diff_id) =
            make::keep(store, layer, ids, |blob, diff_id| Ok(store.cache_step(key, &step(blob, diff_id))?))?;
        images.share(key, &step(&blob, &diff_id))?;
        self.push((blob, diff_id), created, text);
        Ok(())
    }

    fn push(&mut self, layer: Layer, created: String, text: String) {
        self.layers.push(layer);
        self.config.history.push(History { created: Some(created), created_by: Some(text), ..History::default() });
    }

    /// A step that changed the config alone.
    pub fn note(&mut self, text: String) {
        self.config.history.push(History { created_by: Some(text), empty_layer: true, ..History::default() });
    }

    /// What those upon it begin with.
    pub fn done(self) -> Done {
        let Self { config, layers, inherited, scope, .. } = self;
        Done { config, layers, inherited, scope }
    }

    /// Gives the steps that made no layer the time at which the image was first made; the config, with it.
    pub fn finished(&self) -> Result<ImageConfig> {
        let mut config = ImageConfig { created: None, ..self.config.clone() };
        config.rootfs.diff_ids = self.diff_ids();
        let key = Digest::of(
            &serde_json::to_vec(&config)
                .map_err(crate::oci::image_config::ConfigError::from)
                .map_err(crate::image::Error::from)?,
        );
        let created = match self.build.request.epoch {
            Some(_) => self.build.now(),
            None => self.build.request.store.first_made(&key, self.build.now())?,
        };
        for step in config.history.iter_mut().filter(|step| step.created.is_none()) {
            step.created = Some(created.clone());
        }
        config.created = Some(created);
        Ok(config)
    }
}
