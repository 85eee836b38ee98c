//! What the store has: containers, images, networks, volumes, secrets.

use std::ffi::OsString;
use std::path::Path;

use super::Candidate;
use super::place::Place;
use crate::cli::root::Context;
use crate::container::find::{self, Found};
use crate::container::state::State;
use crate::store::Store;

/// So much of an ID must have been typed before IDs are offered, and so much of it is shown.
const TYPED: usize = 2;
const SHORT: usize = 12;

/// As the line speaks of it.
pub fn context(place: &Place<'_>) -> Context {
    let of_environment = || std::env::var_os("CORACLE_ROOT").filter(|root| !root.is_empty());
    let root = place.said("root").map(OsString::from).or_else(of_environment);
    Context::of_root(root.as_deref().map(Path::new))
}

/// The store that the line speaks of, if there is one.
pub fn store(place: &Place<'_>) -> Option<Store> {
    Store::existing(&context(place).dirs().ok()?)
}

/// Containers whose state `fits`: names, and IDs that begin with what was typed.
pub fn containers(place: &Place<'_>, typed: &str, fits: impl Fn(&State) -> bool) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let all = store(place).and_then(|store| find::list(&store).ok()).map(|all| all.found).unwrap_or_default();
    for Found { directory, container } in all {
        let begins = container.name.starts_with(typed) || is_start_of(&container.id, typed);
        // Of those that are not meant the state is not read.
        let Some(state) = begins.then(|| State::read(&directory).ok()).flatten().filter(&fits) else { continue };
        let about = format!("{}, {}", state.name(), container.image_name());
        candidates.push(Candidate::new(&container.name, &about));
        candidates.extend(id(&container.id, typed, &about));
    }
    candidates
}

/// Images, each by the shortest of its names that begins with what was typed: with its registry or without.
pub fn images(place: &Place<'_>, typed: &str) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut told = std::collections::BTreeSet::new();
    for entry in store(place).and_then(|store| store.images().ok()).unwrap_or_default() {
        let about = entry.summary().map(|image| image.id.hex().to_owned()).unwrap_or_default();
        let about = about.get(..SHORT).unwrap_or_default();
        if let Some(name) = entry.name() {
            let starts = name.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
            let mut names = starts.filter_map(|start| name.get(start..)).filter(|name| name.starts_with(typed));
            candidates
                .extend(names.find(|name| told.insert((*name).to_owned())).map(|name| Candidate::new(name, about)));
        }
        if let Some(image) = entry.summary().map(|image| image.id.hex()) {
            let found = id(image, typed, entry.name().unwrap_or("without a name"));
            candidates.extend(found.filter(|candidate| told.insert(candidate.value.clone())));
        }
    }
    candidates
}

pub fn networks(place: &Place<'_>) -> Vec<Candidate> {
    let all = store(place).and_then(|store| store.networks().ok()).unwrap_or_default();
    let subnets = |lans: &[crate::store::networks::Lan]| {
        lans.iter().map(|lan| lan.subnet.to_string()).collect::<Vec<_>>().join(", ")
    };
    all.found.iter().map(|network| Candidate::new(&network.name, subnets(&network.subnets))).collect()
}

pub fn volumes(place: &Place<'_>) -> Vec<Candidate> {
    let all = store(place).and_then(|store| store.volumes().ok()).map(|all| all.found).unwrap_or_default();
    all.into_iter().map(|volume| Candidate::new(volume.name, "a volume")).collect()
}

pub fn secrets(place: &Place<'_>) -> Vec<Candidate> {
    let all = store(place).and_then(|store| store.secrets().ok()).unwrap_or_default();
    all.found.into_iter().map(|secret| Candidate::new(secret.name, "a secret")).collect()
}

/// The ID, as short as it is commonly shown or as long as it was typed.
fn id(id: &str, typed: &str, about: &str) -> Option<Candidate> {
    let shown = if typed.len() > SHORT { id } else { id.get(..SHORT)? };
    is_start_of(id, typed).then(|| Candidate::new(shown, about))
}

fn is_start_of(id: &str, typed: &str) -> bool {
    typed.len() >= TYPED && id.starts_with(typed)
}
