//! What this account and this machine have beside the store: registries, quadlets, users, variables, time zones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::place::Place;
use super::words::plain;
use super::{Candidate, paths};
use crate::host::system_file;
use crate::registry::{AuthFile, Sources, registries};
use crate::systemd::quadlet::find;

/// Where tzdata has its zones.
const ZONES: &str = "/usr/share/zoneinfo/";

/// Registries: those that we are logged in to, and for `login` those that registries.conf speaks of.
pub fn registries(place: &Place<'_>) -> Vec<Candidate> {
    let conf = registries::of_account().unwrap_or_default();
    let named = place.said("compat-auth-file").or(place.said("authfile"));
    let sources = Sources::of_account(named.map(Path::new), &conf);
    // `logout` forgets what the first one says.
    let files = if place.path == ["logout"] { sources.files().get(..1).unwrap_or_default() } else { sources.files() };
    let known = files.iter().filter_map(|path| AuthFile::read(path).ok()??.keys().ok()).flatten();
    let known: BTreeSet<String> = known.collect();
    let others = conf.hosts().into_iter().filter(|host| place.path == ["login"] && !known.contains(*host));
    let others: Vec<Candidate> = others.map(|host| Candidate::new(host, "in registries.conf")).collect();
    known.into_iter().map(|key| Candidate::new(key, "logged in")).chain(others).collect()
}

/// Quadlets: all, or those that are the account's own.
pub fn quadlets(only_own: bool) -> Vec<Candidate> {
    let folders: Vec<PathBuf> = if only_own { find::own().into_iter().collect() } else { find::folders() };
    find::names(&folders).map(|(name, path)| Candidate::new(name, path.display().to_string())).collect()
}

/// Users of this machine.
pub fn users() -> Vec<Candidate> {
    first_fields("/etc/passwd")
}

/// Users with subordinate ids.
pub fn users_with_ids() -> Vec<Candidate> {
    first_fields("/etc/subuid")
}

fn first_fields(file: &str) -> Vec<Candidate> {
    let text = system_file::read(file).unwrap_or_default();
    plain(text.lines().filter_map(|line| line.split(':').next()).filter(|name| !name.is_empty()))
}

/// The variables that there are here. Their values are nobody's to see.
pub fn variables() -> Vec<Candidate> {
    let names: BTreeSet<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    plain(names)
}

/// Names of tzdata: `Europe/`, `Europe/Berlin`.
pub fn zones(typed: &str) -> Vec<Candidate> {
    let mut found = paths::of_machine(&format!("{ZONES}{typed}"), false);
    found.iter_mut().for_each(|candidate| drop(candidate.value.drain(..ZONES.len())));
    // The others are tables and programs' own.
    let is_zone = |name: &str| name.contains('/') || name.starts_with(char::is_uppercase) && !name.contains('.');
    found.retain(|candidate| is_zone(&candidate.value));
    found.insert(0, Candidate::new("local", "this machine's"));
    found
}
