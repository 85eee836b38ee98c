//! `inspect`: everything about containers, and about images, volumes and networks where no container has the name.

mod config;
pub mod container;
mod host_config;
mod network;

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::latest::latest;
use crate::cli::network::shown::object;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report, volume};
use crate::container::find::{self, Found};
use crate::container::size::Sizes;
use crate::container::{Error, networks};
use crate::store::Store;

/// Show everything about containers, images, volumes or networks
#[derive(Debug, Args)]
pub struct Inspect {
    /// `container`, `image`, `volume`, `network`, or `all`: whatever has the name
    #[arg(long = "type", short = 't', value_name = "TYPE", default_value = "all", hide_default_value = true)]
    kind: String,
    #[command(flatten)]
    common: InspectContainer,
}

/// Show everything about containers
#[derive(Debug, Args)]
pub struct InspectContainer {
    /// `json`, or a Go template
    #[arg(long, short, value_name = "FORMAT")]
    format: Option<String>,
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// How much each container has written, and how much that is with its image
    #[arg(long, short)]
    size: bool,
    /// Names or IDs
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// What a name is looked for among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Container,
    Image,
    Volume,
    Network,
}

/// Fields that JSON shows only of those that have them. Templates may ask for them all the same.
const OPTIONAL: [&str; 5] = ["Health", "Healthcheck", "SizeRootFs", "SizeRw", "StartupHealthCheck"];

impl Inspect {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let kind = match self.kind.as_str() {
            "all" | "" => Kind::All,
            "container" => Kind::Container,
            "image" => Kind::Image,
            "volume" => Kind::Volume,
            "network" => Kind::Network,
            other => {
                return Err(Report::new(format!(
                    "invalid type \"{other}\": must be \"image\", \"container\", \"volume\", \"network\", or \"all\""
                )));
            }
        };
        self.common.show(&context.store()?, kind)
    }
}

impl InspectContainer {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        self.show(&context.store()?, Kind::Container)
    }

    fn show(mut self, store: &Store, kind: Kind) -> Result<ExitCode, Report> {
        match (self.latest, self.names.is_empty()) {
            (true, true) => self.names.push(latest(store)?.container.id),
            (true, false) => return Err(Report::new("--latest and arguments cannot be used together")),
            (false, true) => return Err(Report::new("no names or ids specified").hint("name a container or an image")),
            (false, false) => {}
        }
        let template = match self.format.as_deref() {
            None | Some("json") => None,
            Some(text) => Some(Template::parse("inspect", text)?),
        };
        let mut shown: Vec<Value> = Vec::new();
        let mut failed: Option<Report> = None;
        for name in &self.names {
            match self.one(store, name, kind) {
                Ok(value) => shown.push(value),
                Err(report) => match &mut failed {
                    Some(failed) => failed.join(report),
                    None => failed = Some(report),
                },
            }
        }
        match template {
            Some(template) if !template.is_json() => {
                shown.iter_mut().for_each(complete);
                output::print(&template.each(&shown)?);
            }
            other => {
                shown.iter_mut().for_each(tidy);
                output::print(&other.map_or_else(|| format::json(&shown), |template| template.each(&shown))?);
            }
        }
        failed.map_or(Ok(ExitCode::SUCCESS), Err)
    }

    fn one(&self, store: &Store, name: &str, kind: Kind) -> Result<Value, Report> {
        if matches!(kind, Kind::All | Kind::Container) {
            match find::find(store, name) {
                Ok(found) => return self.container(store, &found),
                Err(Error::NotFound(_)) if kind == Kind::All => {}
                Err(Error::NotFound(_)) => return Err(Report::new(format!("no such container {name}"))),
                Err(error) => return Err(error.into()),
            }
        }
        if matches!(kind, Kind::All | Kind::Image) {
            match crate::image::inspect::inspect(store, name)? {
                Some(image) => return serde_json::to_value(image).map_err(Report::new),
                None if kind == Kind::All => {}
                None => return Err(crate::image::Error::Unknown { name: name.to_owned() }.into()),
            }
        }
        if matches!(kind, Kind::All | Kind::Volume) {
            match volume::get(store, name) {
                Ok(volume) => {
                    return serde_json::to_value(volume::inspect::show(store, vec![volume])?.pop())
                        .map_err(Report::new);
                }
                Err(_) if kind == Kind::All => {}
                Err(report) => return Err(report),
            }
        }
        match networks::get(store, name) {
            Ok(network) => Ok(object(&network, Some(&store.members(&network.id)?))),
            Err(_) if kind == Kind::All => Err(Report::new(format!("no such object: \"{name}\""))
                .hint("`coracle ps -a`, `images`, `volume ls` and `network ls` list what there is")),
            Err(error) => Err(error.into()),
        }
    }

    fn container(&self, store: &Store, found: &Found) -> Result<Value, Report> {
        let size = match self.size {
            true => Some(Sizes::measure(store, std::iter::once(found))?.of(store, found)),
            false => None,
        };
        container::container(store, found, size)
    }
}

/// For those who read JSON.
fn tidy(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    fields.retain(|name, value| !(value.is_null() && OPTIONAL.contains(&name.as_str())));
    fields.values_mut().for_each(tidy);
}

/// An image's configuration leaves out what the image does not say; a template may ask for it.
pub fn complete(value: &mut Value) {
    let unsaid = [
        ("Cmd", json!([])),
        ("Entrypoint", json!([])),
        ("Env", json!([])),
        ("ExposedPorts", json!({})),
        ("Healthcheck", Value::Null),
        ("Labels", json!({})),
        ("StopSignal", json!("")),
        ("User", json!("")),
        ("Volumes", json!({})),
        ("WorkingDir", json!("")),
    ];
    if let Some(config) = value.get_mut("Config").and_then(Value::as_object_mut) {
        for (name, empty) in unsaid {
            config.entry(name).or_insert(empty);
        }
    }
    let Some(image) = value.as_object_mut().filter(|image| image.contains_key("History")) else { return };
    image.entry("Healthcheck").or_insert(Value::Null);
    let unsaid = [("author", json!("")), ("comment", json!("")), ("created", Value::Null), ("created_by", json!(""))];
    for step in image.get_mut("History").and_then(Value::as_array_mut).into_iter().flatten() {
        let Value::Object(step) = step else { continue };
        for (name, empty) in unsaid.iter().chain(&[("empty_layer", json!(false))]) {
            step.entry(*name).or_insert_with(|| empty.clone());
        }
    }
}
