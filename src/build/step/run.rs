//! RUN: a command in a container on the layers so far; what it changed is the new layer.

use std::path::PathBuf;

use super::agents::{Agents, check_owner};
use super::bound::bound;
use super::copy::{Origin, directory};
use super::seed;
use super::settings::check_environment;
use crate::build::arguments::PROXIES;
use crate::build::keys::Key;
use crate::build::parse::{Body, MountKind, MountSpec, Run, RunNetwork, Security};
use crate::build::stage::Stage;
use crate::build::{Error, Result, caches};
use crate::container::commit::step::Step;
use crate::container::mount::secret::{self, Place, Secret};
use crate::container::mount::{Mount, Source};
use crate::container::name;
use crate::container::record::{Container, Driver, Network};
use crate::image::make::layer::NewLayer;
use crate::oci::capability::CapabilitySet;
use crate::store::Tmp;
use crate::store::build_cache::Sources;

/// Where a heredoc that is a program lies.
const SCRIPTS: &str = "/dev/pipes";

/// What a command finds beside its layers.
#[derive(Default)]
struct Mounts {
    mounts: Vec<Mount>,
    secrets: Vec<(Secret, Vec<u8>)>,
    variables: Vec<String>,
    agents: Agents,
    /// Held while the command runs.
    locks: Vec<caches::Cache>,
    /// What was made to be mounted.
    parts: Vec<Tmp>,
}

pub fn run(stage: &mut Stage<'_>, run: &Run) -> Result<()> {
    // One that an image brings along, too.
    stage.build.may(run)?;
    if stage.pending.as_ref().is_some_and(|pending| !pending.user.is_empty()) {
        directory(stage)?;
    }
    if let Some(device) = run.devices.first() {
        return Err(Error::Hinted {
            text: format!("`RUN --device={}` is not known: instructions get no devices of this machine", device.text),
            hint: "`coracle build --device` gives one to all of them".into(),
        });
    }
    let body = run.body();
    let words = match &body {
        Body::Exec(words) => words.clone(),
        Body::Shell(text) => stage.shell().into_iter().chain([text.clone()]).collect(),
        Body::Script { name, .. } => vec![format!("{SCRIPTS}/{name}")],
    };
    if words.is_empty() {
        return Err(Error::Refused("there is nothing to run".into()));
    }
    let specs = run.mounts.iter().map(|mount| mount.read(|text| stage.text(text, mount.text.span)));
    let specs: Vec<MountSpec> = specs.collect::<Result<_>>()?;
    let pair = |(name, value): (&str, &str)| format!("{name}={value}");
    let arguments: Vec<String> =
        stage.scope.arguments().filter(|(name, _)| !PROXIES.contains(name)).map(pair).collect();
    let mut key = stage.key();
    key.part("RUN");
    key.parts(words.iter().map(String::as_str));
    if let Body::Script { content, .. } = &body {
        key.part(content);
    }
    let config = &stage.config.config;
    key.parts(config.env.iter().chain(&arguments).map(String::as_str));
    key.parts([config.user.as_str(), &config.working_dir]);
    key.part(&format!("{:?} {:?}", run.network, run.security));
    key.part(&stage.build.request.sandbox);
    specs.iter().for_each(|spec| key.part(&format!("{:?}", MountSpec { from: None, ..spec.clone() })));
    key.reads();
    for spec in &specs {
        add_mount(stage, spec, &mut key)?;
    }
    let key = key.finish();
    let text = history(&body, &words, &arguments);
    stage.put(&key, text, |stage| read(stage, &specs), |stage| layer(stage, run, &body, &words, &arguments, &specs))?;
    // Its container has made the directory.
    stage.pending = None;
    Ok(())
}

fn history(body: &Body, words: &[String], arguments: &[String]) -> String {
    let command = match body {
        Body::Script { content, .. } => content.trim_end().to_owned(),
        _ => words.join(" "),
    };
    match arguments.len() {
        0 => command,
        count => format!("|{count} {} {command}", arguments.join(" ")),
    }
}

/// What a mount gives the command to read; a cache gives it nothing that it may depend on, but for what it begins with.
fn add_mount(stage: &Stage<'_>, spec: &MountSpec, key: &mut Key) -> Result<()> {
    if spec.kind != MountKind::Bind && (spec.kind != MountKind::Cache || spec.from.is_none()) {
        return Ok(());
    }
    match stage.build.origin(stage, spec.from.as_deref())? {
        Origin::Layers(layers) => key.parts(layers.iter().map(|(_, diff_id)| diff_id.hex())),
        Origin::Context(context) => {
            let source = context.exact(spec.source.as_deref().unwrap_or("."))?;
            key.part(context.digest(&source, &mut stage.build.hashes.borrow_mut())?.hex());
        }
    }
    Ok(())
}

/// The files of contexts that a command may read; none, if those of one mount are too many to be remembered.
fn read(stage: &Stage<'_>, specs: &[MountSpec]) -> Result<Sources> {
    let mut all: Option<Sources> = None;
    for spec in specs.iter().filter(|spec| spec.kind == MountKind::Bind) {
        if let Origin::Context(context) = stage.build.origin(stage, spec.from.as_deref())? {
            let source = context.exact(spec.source.as_deref().unwrap_or("."))?;
            let found = context.sources(&[source], &mut stage.build.hashes.borrow_mut())?;
            let known = all.get_or_insert_with(|| Sources { folded: found.folded, ..Sources::default() });
            if found.is_empty() || known.folded != found.folded {
                return Ok(Sources::default());
            }
            known.digests.extend(found.digests);
        }
    }
    Ok(all.unwrap_or_default())
}

fn layer(
    stage: &Stage<'_>,
    run: &Run,
    body: &Body,
    words: &[String],
    arguments: &[String],
    specs: &[MountSpec],
) -> Result<NewLayer> {
    let request = &stage.build.request;
    let mut found = Mounts::default();
    for spec in specs {
        mount(stage, spec, &mut found)?;
    }
    if let Body::Script { name, content } = body {
        found.mounts.push(bind(stage.build.script(name, content)?, format!("{SCRIPTS}/{name}"), true));
    }
    let mut container = stage.container(words.to_vec())?;
    let proxies = stage.build.arguments.proxies().map(|(name, value)| format!("{name}={value}"));
    container.env.extend(proxies);
    container.env.extend(arguments.iter().chain(&found.variables).cloned());
    check_environment(&container.env)?;
    container.mounts.extend(found.mounts);
    container.secrets = found.secrets.iter().map(|(secret, _)| secret.clone()).collect();
    match run.network {
        RunNetwork::Default => {}
        RunNetwork::None => container.network = Network::None,
        RunNetwork::Host => container.network = Network::Host,
    }
    if run.security == Security::Insecure {
        (container.privileged, container.capabilities) = (true, CapabilitySet::ALL);
    }
    let mut targets: Vec<String> = container.mounts.iter().map(|mount| mount.target.clone()).collect();
    for (secret, _) in &found.secrets {
        if let Place::File { target, .. } = &secret.place {
            targets.extend([target.clone(), secret::DIRECTORY.to_owned()]);
        }
    }
    let secrets = found.secrets.into_iter().map(|(_, bytes)| bytes).collect();
    let step = Step::make(request.store, &stage.build.ids, container, secrets)?;
    let forwarder = found.agents.forward()?;
    // Where nobody hears it any more, this process is about to end.
    let code = step.run(&mut |from, bytes| drop(stage.build.output(from, bytes)))?;
    drop((found.locks, found.parts, forwarder));
    if code != 0 {
        return Err(Error::Command { command: words.join(" "), code });
    }
    Ok(step.into_layer(&targets, stage.build.request.epoch)?)
}

fn bind(path: PathBuf, target: String, read_only: bool) -> Mount {
    let options = if read_only { vec!["ro".to_owned()] } else { Vec::new() };
    Mount { source: Source::Bind(path), target, options, overlay: None }
}

fn mount(stage: &Stage<'_>, spec: &MountSpec, found: &mut Mounts) -> Result<()> {
    let target = |default: &str| stage.absolute(spec.target.as_deref().unwrap_or(default));
    match spec.kind {
        MountKind::Bind => {
            let (mount, part) = bound(stage, spec, target("/"))?;
            found.mounts.push(mount);
            found.parts.extend(part);
        }
        MountKind::Cache => {
            let id = spec.id.clone().unwrap_or_else(|| target("/"));
            let cache = seed::cache(stage, &id, spec)?;
            found.mounts.push(bind(cache.path().to_owned(), target("/"), spec.read_only));
            found.locks.push(cache);
        }
        MountKind::Tmpfs => {
            let options = spec.size.map(|size| format!("size={size}")).into_iter().collect();
            let source = Source::Tmpfs { copy_up: false };
            found.mounts.push(Mount { source, target: target("/"), options, overlay: None });
        }
        MountKind::Secret => take_secret(stage, spec, found)?,
        MountKind::Ssh => {
            let id = spec.id.as_deref().unwrap_or("default");
            match stage.build.request.agents.get(id) {
                Some(socket) => {
                    let (mount, variable) = found.agents.add(stage, spec, socket.clone())?;
                    found.mounts.push(mount);
                    found.variables.extend(variable);
                }
                None if spec.required => {
                    return Err(Error::Hinted {
                        text: format!("the agent `{id}` that RUN needs was not given"),
                        hint: format!("`coracle build --ssh {id}` gives it the agent of $SSH_AUTH_SOCK"),
                    });
                }
                None => {}
            }
        }
    }
    Ok(())
}

fn take_secret(stage: &Stage<'_>, spec: &MountSpec, found: &mut Mounts) -> Result<()> {
    let last = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
    let id = spec.id.clone().or_else(|| spec.source.clone()).or_else(|| spec.target.as_ref().map(last));
    let id = id.unwrap_or_default();
    let Some(bytes) = stage.build.request.secrets.get(&id) else {
        if spec.required {
            return Err(Error::Hinted {
                text: format!("the secret `{id}` that RUN needs was not given"),
                hint: format!("`coracle build --secret id={id},src=FILE` gives it"),
            });
        }
        return Ok(());
    };
    let (uid, gid, mode) = (spec.uid.unwrap_or(0), spec.gid.unwrap_or(0), spec.mode.unwrap_or(0o400));
    let mut add = |place| found.secrets.push((Secret { id: id.clone(), name: id.clone(), place }, bytes.clone()));
    if let Some(name) = &spec.env {
        add(Place::Variable(name.clone()));
    }
    if spec.env.is_none() || spec.target.is_some() {
        check_owner(stage, "secret", uid, gid)?;
        let target = spec.target.clone().unwrap_or_else(|| format!("/run/secrets/{id}"));
        add(Place::File { target: stage.absolute(&target), uid, gid, mode });
    }
    Ok(())
}

impl Stage<'_> {
    /// The same, for who reads and writes its files.
    pub fn bare_container(&self) -> Result<Container> {
        let container = self.container(vec!["true".to_owned()])?;
        Ok(Container {
            is_bare: true,
            mounts: Vec::new(),
            devices: Vec::new(),
            network: Network::None,
            introductions: None,
            working_dir: "/".to_owned(),
            user: String::new(),
            ..container
        })
    }

    /// A container on the layers so far, with the variables, the user and the directory that the stage has.
    pub fn container(&self, command: Vec<String>) -> Result<Container> {
        let template = &self.build.request.template;
        let config = &self.config.config;
        let name_of = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let mut env = template.env.clone();
        env.retain(|pair| !config.env.iter().any(|own| name_of(own) == name_of(pair)));
        env.extend(config.env.iter().cloned());
        let working_dir = if config.working_dir.is_empty() { "/".to_owned() } else { config.working_dir.clone() };
        // The kernel's overlay needs something to lie on.
        let driver = if self.layers.is_empty() { Driver::Fuse } else { template.driver };
        Ok(Container {
            id: name::random_id()?,
            driver,
            mode: crate::layer::worker::mode_for(&self.build.ids),
            layers: self.diff_ids(),
            entrypoint: Vec::new(),
            command,
            env,
            working_dir,
            working_dir_of_image: true,
            user: config.user.clone(),
            ..template.clone()
        })
    }
}
