//! `volume inspect`: everything about volumes.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

use super::{all, get};
use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::container::{find, state::Status};
use crate::store::Store;
use crate::store::volumes::{DATA, Volume, meaning};

/// Show everything about volumes
#[derive(Debug, Args)]
pub struct Inspect {
    /// All volumes
    #[arg(long, short)]
    all: bool,
    /// `json`, or a Go template
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<String>,
    /// Their names
    #[arg(required_unless_present = "all", value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// A volume by Podman's keys.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    pub name: String,
    pub driver: &'static str,
    mountpoint: String,
    created_at: String,
    labels: BTreeMap<String, String>,
    scope: &'static str,
    options: BTreeMap<String, String>,
    #[serde(rename = "UID")]
    uid: u32,
    #[serde(rename = "GID")]
    gid: u32,
    anonymous: bool,
    /// How many containers run with it.
    mount_count: usize,
    needs_copy_up: bool,
    needs_chown: bool,
}

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        let (mut found, mut failed) = if self.all { all(&store)? } else { (Vec::new(), None) };
        for name in &self.volumes {
            match get(&store, name) {
                Ok(volume) => found.push(volume),
                Err(report) => match &mut failed {
                    Some(failed) => failed.join(report),
                    None => failed = Some(report),
                },
            }
        }
        let shown = show(&store, found)?;
        match self.format.as_deref() {
            None | Some("json") => output::print(&format::json(&shown)?),
            Some(text) => output::print(&Template::parse("inspect", text)?.each(&shown)?),
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }
}

/// Volumes as they are shown, in the order given.
pub fn show(store: &Store, volumes: Vec<Volume>) -> Result<Vec<Shown>, Report> {
    let mut running = Vec::new();
    for found in find::all(store)? {
        let mounts = found.container.mounts.iter().filter_map(|mount| Some(mount.volume()?.name.clone()));
        let mounts: Vec<String> = mounts.collect();
        // The state of one that has no volume is nothing to look at.
        if !mounts.is_empty() && found.state()?.status == Status::Running {
            running.extend(mounts);
        }
    }
    let one = |volume: Volume| {
        let meaning = meaning::of(&volume.options).unwrap_or_default();
        Shown {
            mount_count: running.iter().filter(|name| **name == volume.name).count(),
            mountpoint: store.layout().volume(&volume.name).join(DATA).display().to_string(),
            driver: "local",
            scope: "local",
            created_at: volume.created,
            labels: volume.labels,
            options: volume.options,
            uid: meaning.uid.unwrap_or(0),
            gid: meaning.gid.unwrap_or(0),
            anonymous: volume.anonymous,
            needs_copy_up: volume.fresh,
            needs_chown: volume.fresh,
            name: volume.name,
        }
    };
    Ok(volumes.into_iter().map(one).collect())
}
