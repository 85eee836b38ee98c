//! The config of an image that is made of a container: the image's own, what the container was started with, what was asked for.

use crate::container::record::Container;
use crate::container::state;
use crate::oci::image_config::{History, RunConfig};
use crate::oci::instruction::{self, InstructionError};
use crate::oci::{Digest, ImageConfig};

/// What was asked for.
pub struct Asked<'a> {
    pub author: Option<&'a str>,
    pub message: Option<&'a str>,
    /// Instructions of a Containerfile.
    pub changes: &'a [String],
    /// What else the run config is to hold.
    pub merged: Option<RunConfig>,
    pub include_volumes: bool,
    /// One layer with everything in it, instead of one more; and a history of one step.
    pub squash: bool,
    /// Knows the names of signals.
    pub is_signal: fn(&str) -> bool,
}

/// The config of the new image: all but its layers. `base` is that of the container's image.
pub fn config(base: ImageConfig, container: &Container, asked: &Asked<'_>) -> Result<ImageConfig, InstructionError> {
    let mut config = ImageConfig { created: Some(state::now()), comment: asked.message.map(str::to_owned), ..base };
    if let Some(author) = asked.author {
        config.author = Some(author.to_owned());
    }
    // Docker's notes about the container of which the image below was made.
    config.extra.retain(|key, _| key != "container" && key != "container_config");
    take(&mut config.config, container, asked.include_volumes);
    if let Some(merged) = &asked.merged {
        merge(&mut config.config, merged.clone());
    }
    instruction::apply(&mut config.config, asked.changes, asked.is_signal)?;
    if asked.squash {
        config.history.clear();
    }
    config.history.push(History {
        created: config.created.clone(),
        created_by: Some(container.args().join(" ")),
        author: asked.author.map(str::to_owned),
        comment: Some(format!("FROM {}", container.image_name())),
        ..History::default()
    });
    config.rootfs.diff_ids = Vec::<Digest>::new();
    Ok(config)
}

/// What the container was started with.
fn take(config: &mut RunConfig, container: &Container, include_volumes: bool) {
    let list = |words: &[String]| (!words.is_empty()).then(|| words.to_vec());
    config.entrypoint = list(&container.entrypoint);
    config.cmd = list(&container.command);
    // The name of one container is no other's.
    let own_name = format!("HOSTNAME={}", container.hostname);
    config.env = container.env.iter().filter(|pair| **pair != own_name).cloned().collect();
    config.user.clone_from(&container.user);
    config.working_dir.clone_from(&container.working_dir);
    config.labels.clone_from(&container.labels);
    if include_volumes {
        let targets = container.mounts.iter().map(|mount| mount.target.clone());
        config.volumes.extend(targets.map(|target| (target, serde_json::json!({}))));
    }
}

/// What `merged` says replaces what was there; variables, labels, ports and volumes are added to.
fn merge(config: &mut RunConfig, merged: RunConfig) {
    merged.env.into_iter().for_each(|pair| config.set_env(pair));
    config.labels.extend(merged.labels);
    config.exposed_ports.extend(merged.exposed_ports);
    config.volumes.extend(merged.volumes);
    config.extra.extend(merged.extra);
    config.on_build.extend(merged.on_build);
    // They belong together.
    if merged.entrypoint.is_some() || merged.cmd.is_some() {
        (config.entrypoint, config.cmd) = (merged.entrypoint, merged.cmd);
    }
    for (old, new) in [(&mut config.user, merged.user), (&mut config.working_dir, merged.working_dir)] {
        if !new.is_empty() {
            *old = new;
        }
    }
    config.stop_signal = merged.stop_signal.or(config.stop_signal.take());
    config.stop_timeout = merged.stop_timeout.or(config.stop_timeout);
    config.healthcheck = merged.healthcheck.or(config.healthcheck.take());
    config.shell = merged.shell.or(config.shell.take());
}
