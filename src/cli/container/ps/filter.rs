//! Which containers a list shows.

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::cli::Report;
use crate::cli::filter::{Filters, has_label};
use crate::cli::output::time;
use crate::container::find::{self, Found};
use crate::container::mount::shown;
use crate::container::state::{State, Status};
use crate::store::Store;
use crate::store::networks::Network;

pub const KEYS: [&str; 17] = [
    "ancestor",
    "annotation",
    "before",
    "command",
    "exited",
    "health",
    "id",
    "label",
    "label!",
    "name",
    "network",
    "pod",
    "restart-policy",
    "since",
    "status",
    "until",
    "volume",
];

/// The words of Podman for what a container may do; those that none can do here are never true.
pub const STATES: [&str; 11] = [
    "configured",
    "created",
    "exited",
    "initialized",
    "paused",
    "removing",
    "restarting",
    "running",
    "stopped",
    "stopping",
    "unknown",
];

/// Filters, read once for all containers.
#[derive(Debug)]
pub struct Filter {
    given: Filters,
    patterns: Vec<(String, Regex)>,
    moments: Vec<(String, DateTime<Utc>)>,
}

impl Filter {
    pub fn parse(given: &[String], store: &Store) -> Result<Self, Report> {
        let given = Filters::parse(given, &KEYS)?;
        let mut patterns = Vec::new();
        for text in given.values("name").chain(given.values("command")) {
            let pattern = Regex::new(text.trim_start_matches('/'))
                .map_err(|error| Report::new(format!("`{text}` is no pattern: {error}")))?;
            patterns.push((text.to_owned(), pattern));
        }
        let mut moments = Vec::new();
        for text in given.values("before").chain(given.values("since")) {
            moments.push((text.to_owned(), created(&find::find(store, text)?)));
        }
        for text in given.values("until") {
            let moment = time::moment(text).ok_or_else(|| Report::new(format!("`{text}` is not a time")))?;
            moments.push((text.to_owned(), moment));
        }
        if let Some(unknown) = given.values("status").find(|state| !STATES.contains(state)) {
            return Err(Report::new(format!("unknown container state: {unknown}: invalid argument"))
                .hint(format!("states are {}", STATES.map(|state| format!("`{state}`")).join(", "))));
        }
        if let Some(bad) = given.values("exited").find(|code| code.parse::<i32>().is_err()) {
            return Err(Report::new(format!("exited code out of range \"{bad}\"")));
        }
        Ok(Self { given, patterns, moments })
    }

    /// A state is asked for, or an exit code: so not only what runs is meant.
    pub fn names_a_state(&self) -> bool {
        self.given.has("status") || self.given.has("exited")
    }

    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    pub fn fits(&self, found: &Found, state: &State) -> Result<bool, Report> {
        self.given.fit(|key, value| Ok(self.fits_one(found, state, key, value)))
    }

    fn fits_one(&self, found: &Found, state: &State, key: &str, value: &str) -> bool {
        let container = &found.container;
        let matches =
            |text: &str| self.patterns.iter().any(|(given, pattern)| given == value && pattern.is_match(text));
        let moment = self.moments.iter().find(|(given, _)| given == value).map(|(_, moment)| *moment);
        match key {
            "ancestor" => is_image(found, value),
            "before" | "until" => moment.is_some_and(|moment| created(found) < moment),
            "since" => moment.is_some_and(|moment| created(found) > moment),
            "command" => container.args().first().is_some_and(|program| matches(program)),
            "exited" => state.status == Status::Exited && state.exit_code.is_some_and(|code| value == code.to_string()),
            "health" => {
                found.health().ok().flatten().map_or("", |health| health.status.name())
                    == if value == "none" { "" } else { value }
            }
            "id" => container.id.starts_with(value),
            "label" => has_label(&container.labels, value),
            "label!" => !has_label(&container.labels, value),
            "name" => matches(&container.name),
            "network" => {
                value == container.network_mode() || container.networks.iter().any(|on| is_network(&on.network, value))
            }
            "restart-policy" => value == container.restart.name(),
            "status" => match value {
                "stopped" => state.status == Status::Exited,
                "restarting" => state.restarting,
                _ => value == state.name(),
            },
            "volume" => container.mounts.iter().any(|mount| mount.target == value || shown::is_named(mount, value)),
            _ => false,
        }
    }
}

fn created(found: &Found) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&found.container.created).map(|time| time.to_utc()).unwrap_or_default()
}

/// By name, or by the beginning of the id.
fn is_network(name: &str, wanted: &str) -> bool {
    name == wanted || wanted.len() > 2 && Network::id_of(name).starts_with(wanted)
}

/// By id, or by name as far as it is given: with or without tag, from any slash on.
fn is_image(found: &Found, wanted: &str) -> bool {
    let Some(image) = &found.container.image else { return false };
    let (name, untagged) = (image.name.as_str(), image.name.rsplit_once(':').map_or("", |(name, _)| name));
    let ends = |name: &str| name == wanted || name.strip_suffix(wanted).is_some_and(|before| before.ends_with('/'));
    !wanted.is_empty()
        && (ends(name) || ends(untagged) || image.id.hex().starts_with(wanted.trim_start_matches("sha256:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_mistakes() {
        let scratch = crate::store::testing::Scratch::new("ps-filter");
        let words = |text: &str| Filter::parse(&[text.to_owned()], &scratch.store).unwrap_err().messages.join("");
        assert_eq!(words("status=bogus"), "unknown container state: bogus: invalid argument");
        assert_eq!(words("foo=bar"), "foo is an invalid filter");
        assert_eq!(words("name"), "invalid filter \"name\"");
        assert!(words("name=(").contains("is no pattern"));
        assert!(words("before=nope").contains("no such container"));
        assert!(words("until=soon").contains("is not a time"));
        assert!(words("exited=x").contains("out of range"));
    }
}
