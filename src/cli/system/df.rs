//! `system df`: how much disk images, containers, volumes and what builds remember take.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::build::prune::{Kept, kept};
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table, time};
use crate::cli::{Context, Report};
use crate::container::find::{self, Found};
use crate::container::size::{self, Sizes, VolumeSize};
use crate::container::state::Status;
use crate::image::list::{Listed, list};
use crate::oci::{Digest, Reference};
use crate::store::Store;
use crate::store::layers::Mode;

/// Show how much disk images, containers, volumes and what builds remember take
#[derive(Debug, Args)]
pub struct Df {
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Each image, container and volume
    #[arg(long, short)]
    verbose: bool,
}

/// One kind of things: Podman's fields; the last kind is Docker's.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Kind {
    #[serde(rename = "Type")]
    name: &'static str,
    total: usize,
    active: usize,
    raw_size: u64,
    raw_reclaimable: u64,
    total_count: usize,
    size: String,
    reclaimable: String,
}

/// What there is.
struct Things {
    images: Vec<Listed>,
    containers: Vec<(Found, Status)>,
    sizes: Sizes,
    volumes: Vec<VolumeSize>,
    /// Of what an image has, too, the image has the size.
    remembered: Vec<Kept>,
}

impl Df {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        if self.verbose && self.format.is_some() {
            return Err(Report::new("cannot combine --format and --verbose flags"));
        }
        let store = context.store()?;
        let things = Things::of(&store)?;
        if self.verbose {
            output::print(&things.tables(&store));
            return Ok(ExitCode::SUCCESS);
        }
        let kinds = [things.of_images(&store), things.of_containers(&store), things.of_volumes(), things.of_builds()];
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&kinds)?),
            Some(text) => {
                let headings = [("Type", "TYPE")];
                output::print(&Template::parse("df", text)?.list(&kinds, &headings, false)?);
            }
            None => {
                let headings = ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"];
                let row = |kind: &Kind| {
                    [
                        kind.name.to_owned(),
                        kind.total.to_string(),
                        kind.active.to_string(),
                        kind.size.clone(),
                        kind.reclaimable.clone(),
                    ]
                    .to_vec()
                };
                let rows: Vec<_> =
                    std::iter::once(headings.map(str::to_owned).to_vec()).chain(kinds.iter().map(row)).collect();
                output::print(&table::table(&rows));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Kind {
    fn new(name: &'static str, total: usize, active: usize, bytes: u64, reclaimable: u64) -> Self {
        let percent = if bytes > 0 { (100.0 * reclaimable as f64 / bytes as f64).round() } else { 0.0 };
        Self {
            name,
            total,
            active,
            raw_size: bytes,
            raw_reclaimable: reclaimable,
            total_count: total,
            size: time::go_size(bytes),
            reclaimable: format!("{} ({percent}%)", time::go_size(reclaimable)),
        }
    }
}

impl Things {
    fn of(store: &Store) -> Result<Self, Report> {
        let found = find::list(store)?.found;
        let sizes = Sizes::measure(store, found.iter())?;
        let containers: Vec<(Found, Status)> =
            found.into_iter().filter_map(|found| found.state().ok().map(|state| (found, state.status))).collect();
        let volumes = size::volumes(store, containers.iter().map(|(found, _)| found))?;
        Ok(Self { images: list(store)?.images, containers, sizes, volumes, remembered: kept(store)? })
    }

    fn users(&self, image: &Listed) -> usize {
        self.containers.iter().filter(|(found, _)| found.container.image_id() == image.image.id.hex()).count()
    }

    /// Each layer counts once, whatever number of images has it.
    fn of_images(&self, store: &Store) -> Kind {
        let layers = |images: &mut dyn Iterator<Item = &Listed>| -> BTreeSet<Digest> {
            images.flat_map(|listed| listed.image.layers.iter().cloned()).collect()
        };
        let all = layers(&mut self.images.iter());
        let used = layers(&mut self.images.iter().filter(|listed| self.users(listed) > 0));
        let bytes = |layers: &mut dyn Iterator<Item = &Digest>| layers.map(|layer| bytes(store, layer)).sum();
        let active = self.images.iter().filter(|listed| self.users(listed) > 0).count();
        let free = bytes(&mut all.difference(&used));
        Kind::new("Images", self.images.len(), active, bytes(&mut all.iter()), free)
    }

    fn of_containers(&self, store: &Store) -> Kind {
        let written = |running: bool| -> u64 {
            let chosen = self.containers.iter().filter(|(_, status)| (*status == Status::Running) == running);
            chosen.map(|(found, _)| self.sizes.of(store, found).0).sum()
        };
        let active = self.containers.iter().filter(|(_, status)| *status == Status::Running).count();
        Kind::new("Containers", self.containers.len(), active, written(true) + written(false), written(false))
    }

    fn of_volumes(&self) -> Kind {
        let active = self.volumes.iter().filter(|volume| volume.users > 0).count();
        let bytes = self.volumes.iter().map(|volume| volume.bytes).sum();
        let free = self.volumes.iter().filter(|volume| volume.users == 0).map(|volume| volume.bytes).sum();
        Kind::new("Local Volumes", self.volumes.len(), active, bytes, free)
    }

    fn of_builds(&self) -> Kind {
        let active = self.remembered.iter().filter(|kept| kept.in_use).count();
        let bytes = |chosen: &dyn Fn(&Kept) -> bool| {
            self.remembered.iter().filter(|kept| chosen(kept)).map(|kept| kept.bytes).sum()
        };
        Kind::new("Build Cache", self.remembered.len(), active, bytes(&|_| true), bytes(&|kept| !kept.in_use))
    }

    fn tables(&self, store: &Store) -> String {
        let heading = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut images = vec![heading(&[
            "REPOSITORY",
            "TAG",
            "IMAGE ID",
            "CREATED",
            "SIZE",
            "SHARED SIZE",
            "UNIQUE SIZE",
            "CONTAINERS",
        ])];
        images.extend(self.images.iter().flat_map(|listed| self.image_rows(store, listed)));
        let mut containers =
            vec![heading(&["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"])];
        containers.extend(self.containers.iter().map(|(found, status)| self.container_row(store, found, *status)));
        let mut volumes = vec![heading(&["VOLUME NAME", "LINKS", "SIZE"])];
        let row =
            |volume: &VolumeSize| vec![volume.name.clone(), volume.users.to_string(), time::go_size(volume.bytes)];
        volumes.extend(self.volumes.iter().map(row));
        let mut remembered = vec![heading(&["CACHE ID", "IN USE", "SIZE"])];
        let row = |kept: &Kept| {
            let id = kept.id.get(..12).unwrap_or(&kept.id).to_owned();
            vec![id, kept.in_use.to_string(), time::go_size(kept.bytes)]
        };
        remembered.extend(self.remembered.iter().map(row));
        let parts = [
            ("Images", &images),
            ("Containers", &containers),
            ("Local Volumes", &volumes),
            ("Build Cache", &remembered),
        ];
        let part = |(name, rows): (&str, &Vec<Vec<String>>)| format!("{name} space usage:\n\n{}", table::table(rows));
        parts.map(part).join("\n")
    }

    /// One for each name.
    fn image_rows(&self, store: &Store, listed: &Listed) -> Vec<Vec<String>> {
        let image = &listed.image;
        let mut others: BTreeMap<&Digest, usize> = BTreeMap::new();
        self.images
            .iter()
            .flat_map(|other| &other.image.layers)
            .for_each(|layer| *others.entry(layer).or_default() += 1);
        let own: BTreeSet<&Digest> = image.layers.iter().collect();
        let shared: u64 = own.iter().filter(|layer| others[**layer] > 1).map(|layer| bytes(store, layer)).sum();
        let row = |repository: &str, tag: &str| {
            vec![
                repository.to_owned(),
                tag.to_owned(),
                image.id.hex().chars().take(12).collect(),
                time::duration(time::now() - listed.created),
                time::go_size(listed.size),
                time::go_size(shared),
                time::go_size(listed.size.saturating_sub(shared)),
                self.users(listed).to_string(),
            ]
        };
        if image.names.is_empty() {
            return vec![row("<none>", "<none>")];
        }
        let by_name = |name: &String| match name.parse::<Reference>() {
            Ok(reference) => row(&reference.name(), reference.tag().unwrap_or("<none>")),
            Err(_) => row(name, "<none>"),
        };
        image.names.iter().map(by_name).collect()
    }

    fn container_row(&self, store: &Store, found: &Found, status: Status) -> Vec<String> {
        let container = &found.container;
        let created = chrono::DateTime::parse_from_rfc3339(&container.created).map_or(0, |time| time.timestamp());
        vec![
            container.short_id().to_owned(),
            container.image_id().chars().take(12).collect(),
            container.args().join(" "),
            size::volume_names(container).count().to_string(),
            time::go_size(self.sizes.of(store, found).0),
            time::duration(time::now() - created),
            status.name().to_owned(),
            container.name.clone(),
        ]
    }
}

/// Bytes of an unpacked layer; the account has it in one of the modes.
fn bytes(store: &Store, layer: &Digest) -> u64 {
    Mode::ALL
        .into_iter()
        .find_map(|mode| store.layer_record(mode, layer).ok().flatten())
        .map_or(0, |record| record.size)
}
