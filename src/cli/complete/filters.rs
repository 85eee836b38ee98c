//! `--filter KEY=VALUE`: the keys of each list, and what is known of their values.

use super::place::Place;
use super::words::plain;
use super::{Candidate, objects};
use crate::cli::container::ps::filter as containers;
use crate::cli::network::filter as networks;
use crate::cli::system::events;

const IMAGES: [&str; 13] = [
    "after",
    "before",
    "containers",
    "dangling",
    "digest",
    "id",
    "intermediate",
    "label",
    "manifest",
    "readonly",
    "reference",
    "since",
    "until",
];
const VOLUMES: [&str; 11] =
    ["after", "anonymous", "dangling", "driver", "label", "label!", "name", "opt", "scope", "since", "until"];
const PRUNABLE: [&str; 3] = ["label", "label!", "until"];

/// What may stand behind `--filter` of the command.
pub fn of(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    let keys: &[&str] = match place.path.as_slice() {
        ["ps" | "ls" | "start" | "stop" | "restart" | "rm" | "kill" | "pause" | "unpause"] => &containers::KEYS,
        ["images"] | ["image", "ls"] => &IMAGES,
        ["volume", "ls" | "prune"] => &VOLUMES,
        ["network", "ls"] => &networks::KEYS,
        ["events"] | ["system", "events"] => &events::FILTERS,
        ["secret", "ls"] => &["id", "name"],
        ["search"] => &["is-automated", "is-official", "stars"],
        [.., "prune"] => &PRUNABLE,
        _ => &[],
    };
    let Some((key, value)) = typed.split_once('=') else {
        return plain(keys.iter().map(|key| format!("{key}=")));
    };
    let mut values = if keys.contains(&key) { values(place, key, value) } else { Vec::new() };
    values.iter_mut().for_each(|candidate| candidate.value.insert_str(0, &format!("{key}=")));
    values
}

fn values(place: &Place<'_>, key: &str, typed: &str) -> Vec<Candidate> {
    let of_images = matches!(place.path.as_slice(), ["images" | "image", ..]);
    let of_containers = |place| objects::containers(place, typed, |_| true);
    match key {
        "ancestor" | "image" | "reference" => objects::images(place, typed),
        "after" | "before" | "since" if of_images => objects::images(place, typed),
        "after" | "since" if place.path.first() == Some(&"volume") => objects::volumes(place),
        "before" | "container" | "since" => of_containers(place),
        "name" if place.path.len() == 1 => of_containers(place),
        "network" => objects::networks(place),
        "volume" => objects::volumes(place),
        "name" => match place.path.first() {
            Some(&"volume") => objects::volumes(place),
            Some(&"network") => objects::networks(place),
            Some(&"secret") => objects::secrets(place),
            _ => Vec::new(),
        },
        "status" => plain(containers::STATES),
        "health" => plain(["healthy", "none", "starting", "unhealthy"]),
        "restart-policy" => plain(["always", "no", "on-failure", "unless-stopped"]),
        "type" => plain(["container", "image", "network", "volume"]),
        "anonymous" | "containers" | "dangling" | "intermediate" | "is-automated" | "is-official" | "manifest"
        | "readonly" => plain(["true", "false"]),
        _ => Vec::new(),
    }
}
