//! `--format`: fields of what a command shows, for templates.

use serde::Serialize;
use serde_json::Value;

use super::place::Place;
use super::words::plain;
use super::{Candidate, objects};
use crate::cli::container::inspect;
use crate::cli::container::ps::row::Row as Container;
use crate::cli::container::watch::stats::Row as Stats;
use crate::cli::image::history::Row as Step;
use crate::cli::image::list::row::Row as Image;
use crate::cli::network::shown::Shown as Network;
use crate::cli::registry::search::Found;
use crate::cli::secret::inspect as secrets;
use crate::cli::secret::ls::Row as Secret;
use crate::cli::system::df::Kind;
use crate::cli::system::{events, info, version};
use crate::cli::volume::inspect::Shown as Volume;
use crate::container::find;
use crate::image::inspect as images;

/// What may stand behind `--format` of the command.
pub fn of(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    match place.path.as_slice() {
        ["save"] | ["image", "save"] => return plain(["docker-archive", "docker-dir", "oci-archive", "oci-dir"]),
        ["push"] | [_, "push"] => return plain(["oci", "v2s2"]),
        ["commit"] | [.., "build"] => return plain(["docker", "oci"]),
        _ => {}
    }
    let table = if typed.starts_with("table ") { "table " } else { "" };
    let template = typed.get(table.len()..).unwrap_or_default();
    // Within the last `{{ }}` that is open, the field, with those that it is a part of.
    let before = match template.rfind("{{") {
        Some(open) if !template[open..].contains("}}") => open,
        _ => template.len(),
    };
    let (before, open) = template.split_at(before);
    let path = open.trim_start_matches("{{").trim_start().strip_prefix('.').unwrap_or_default();
    let outer = path.rfind('.').map_or("", |dot| &path[..=dot]);
    let Some(shown) = shown(place).map(|shown| part(shown, outer)) else { return plain(["json"]) };
    let Some(fields) = shown.as_object() else { return Vec::new() };
    let candidate = |(name, value): (&String, &Value)| {
        let end = if value.as_object().is_some_and(|fields| !fields.is_empty()) { "." } else { "}}" };
        Candidate::new(format!("{table}{before}{{{{.{outer}{name}{end}"), "")
    };
    let mut candidates: Vec<Candidate> = fields.iter().map(candidate).collect();
    if typed.is_empty() || "json".starts_with(typed) {
        candidates.push(Candidate::new("json", "all, as JSON"));
    }
    candidates
}

/// The part of a value that the fields `outer`, each with a dot behind it, lead to.
fn part(shown: Value, outer: &str) -> Value {
    let fields = outer.split_terminator('.');
    fields.fold(shown, |mut value, field| value.get_mut(field).map(Value::take).unwrap_or_default())
}

/// Something that the command could show.
fn shown(place: &Place<'_>) -> Option<Value> {
    match place.path.as_slice() {
        ["ps" | "ls"] => row::<Container>(),
        ["stats"] => row::<Stats>(),
        ["history"] | ["image", "history"] => row::<Step>(),
        ["images"] | ["image", "ls"] => row::<Image>(),
        ["network", "ls" | "inspect"] => row::<Network>(),
        ["search"] => row::<Found>(),
        ["secret", "ls"] => row::<Secret>(),
        ["system", "df"] => row::<Kind>(),
        ["volume", "ls" | "inspect"] => row::<Volume>(),
        ["secret", "inspect"] => secret(place),
        ["events"] | ["system", "events"] => Some(events::Shown::default().fields()),
        ["version"] => Some(version::version()),
        ["info"] | ["system", "info"] => info::fields(&objects::context(place)).ok(),
        ["image", "inspect"] => image(place),
        ["inspect"] => match place.said("type") {
            Some("image") => image(place),
            Some("volume") => row::<Volume>(),
            _ => container(place).or_else(|| image(place)),
        },
        _ => None,
    }
}

fn row<T: Default + Serialize>() -> Option<Value> {
    serde_json::to_value(T::default()).ok()
}

/// The image that the line names, or any.
fn image(place: &Place<'_>) -> Option<Value> {
    let store = objects::store(place)?;
    let named = place.given.first().and_then(|name| images::inspect(&store, name).ok()?);
    let any = || {
        let entry = store.images().ok()?.into_iter().find(|entry| entry.summary().is_some())?;
        images::inspect(&store, entry.summary()?.id.hex()).ok()?
    };
    let mut shown = serde_json::to_value(named.or_else(any)?).ok()?;
    inspect::complete(&mut shown);
    Some(shown)
}

/// Of any secret: all have the same fields.
fn secret(place: &Place<'_>) -> Option<Value> {
    let found = objects::store(place)?.secrets().ok()?.found.pop()?;
    Some(secrets::object(&found, place.is_said("showsecret")))
}

/// The container that the line names, or any: all have the same fields.
fn container(place: &Place<'_>) -> Option<Value> {
    let store = objects::store(place)?;
    let named = place.given.first().and_then(|name| find::find(&store, name).ok());
    let found = named.or_else(|| find::list(&store).ok()?.found.pop())?;
    inspect::container::container(&store, &found, None).ok()
}
