//! Names that are much like one that nothing bears: what somebody who mistyped has meant.

use crate::container::Error;
use crate::image;
use crate::store::{self, Store};

/// Something that was named, and is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    Container(String),
    Image(String),
    Network(String),
    Secret(String),
    Volume(String),
}

/// How much two names must have in common (Jaro's similarity, from 0 to 1). Of `web` and `wbe` that is 0.56, but of their letters all.
const ENOUGH: f64 = 0.8;
/// So many are named at most.
const MOST: usize = 3;

impl Missing {
    pub fn of_store(error: &store::Error) -> Option<Self> {
        match error {
            store::Error::NoVolume(name) => Some(Self::Volume(name.clone())),
            _ => None,
        }
    }

    pub fn of_image(error: &image::Error) -> Option<Self> {
        match error {
            image::Error::Unknown { name } => Some(Self::Image(name.clone())),
            _ => None,
        }
    }

    pub fn of_container(error: &Error) -> Option<Self> {
        match error {
            Error::NotFound(name) => Some(Self::Container(name.clone())),
            Error::NoNetwork(name) => Some(Self::Network(name.clone())),
            Error::NoSecret(name) => Some(Self::Secret(name.clone())),
            Error::Store(error) => Self::of_store(error),
            Error::Image(error) => Self::of_image(error),
            _ => None,
        }
    }

    /// What may have been meant; `None`: nothing in the store is like it.
    pub fn hint(&self, store: &Store) -> Option<String> {
        let (wanted, names) = match self {
            Self::Container(name) => (name, store.names().ok()?.into_iter().map(|(name, _)| name).collect()),
            Self::Image(name) => (name, names_of_images(store, name.contains('/'))?),
            Self::Network(name) => (name, store.networks().ok()?.found.into_iter().map(|one| one.name).collect()),
            Self::Secret(name) => (name, store.secrets().ok()?.found.into_iter().map(|one| one.name).collect()),
            Self::Volume(name) => (name, store.volumes().ok()?.found.into_iter().map(|one| one.name).collect()),
        };
        let names = nearest(wanted, names);
        (!names.is_empty()).then(|| format!("did you mean {}?", listed(&names)))
    }
}

/// `a`, `b` or `c`, in backticks.
fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// As they can be typed: without the usual tag, and without the registry's name where none was.
fn names_of_images(store: &Store, whole: bool) -> Option<Vec<String>> {
    let images = store.images().ok()?;
    let short = |name: &str| if whole { name.to_owned() } else { name.rsplit('/').next().unwrap_or(name).to_owned() };
    let names = images.iter().filter_map(|entry| entry.name()).map(short);
    Some(names.map(|name| name.trim_end_matches(":latest").to_owned()).collect())
}

/// The most similar first.
fn nearest(wanted: &str, names: Vec<String>) -> Vec<String> {
    let mut scored: Vec<(f64, String)> = names.into_iter().map(|name| (similarity(wanted, &name), name)).collect();
    scored.retain(|(score, _)| *score >= ENOUGH);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(MOST).map(|(_, name)| name).collect()
}

fn similarity(a: &str, b: &str) -> f64 {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters.into_iter().collect::<String>()
    };
    let (a, b) = (&a.to_lowercase(), &b.to_lowercase());
    strsim::jaro(a, b).max(strsim::jaro(&sorted(a), &sorted(b)) * 0.9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mistyped_is_near() {
        let names = || ["web", "database", "data", "other"].map(str::to_owned).to_vec();
        for (wanted, near) in [
            ("wbe", &["web"][..]),
            ("webb", &["web"]),
            ("databse", &["database", "data"]),
            ("Web", &["web"]),
            ("frob", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(wanted, names()), near, "{wanted}");
        }
    }
}
