//! `--filter` of commands about volumes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::cli::Report;
use crate::cli::output::time;
use crate::container::find;
use crate::store::Store;
use crate::store::volumes::Volume;

/// What a volume must be: of each key one thing, of labels all.
pub struct Filters {
    all: BTreeMap<&'static str, Vec<Filter>>,
}

enum Filter {
    Name(Regex),
    Driver(String),
    Scope(String),
    Label {
        name: String,
        value: Option<String>,
        wanted: bool,
    },
    Option {
        name: String,
        value: Option<String>,
    },
    /// Whether no container has it.
    Dangling {
        wanted: bool,
        used: BTreeSet<String>,
    },
    Until(DateTime<Utc>),
    /// Made after another one.
    Since(String),
    Anonymous(bool),
}

impl Filters {
    pub fn parse(texts: &[String], store: &Store) -> Result<Self, Report> {
        let mut all: BTreeMap<&str, Vec<Filter>> = BTreeMap::new();
        for text in texts {
            let (key, filter) = parse(text, store)?;
            all.entry(key).or_default().push(filter);
        }
        Ok(Self { all })
    }

    pub fn fit(&self, volume: &Volume) -> bool {
        self.all.iter().all(|(key, filters)| match *key {
            "label" | "label!" => filters.iter().all(|filter| filter.fits(volume)),
            _ => filters.iter().any(|filter| filter.fits(volume)),
        })
    }
}

fn parse(text: &str, store: &Store) -> Result<(&'static str, Filter), Report> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let pair = || match value.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (value.to_owned(), None),
    };
    let truth = || match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Report::new(format!(
            "\"{value}\" is not a valid value for the \"{key}\" filter - must be true or false"
        ))),
    };
    Ok(match key {
        "name" => ("name", Filter::Name(pattern(value)?)),
        "driver" => ("driver", Filter::Driver(value.to_owned())),
        "scope" => ("scope", Filter::Scope(value.to_owned())),
        "label" | "label!" => {
            let ((name, value), wanted) = (pair(), key == "label");
            (if wanted { "label" } else { "label!" }, Filter::Label { name, value, wanted })
        }
        "opt" => {
            let (name, value) = pair();
            ("opt", Filter::Option { name, value })
        }
        "dangling" => ("dangling", Filter::Dangling { wanted: truth()?, used: used(store)? }),
        "anonymous" => ("anonymous", Filter::Anonymous(truth()?)),
        "until" => {
            let moment = time::moment(value).ok_or_else(|| Report::new(format!("`{value}` is not a time")))?;
            ("until", Filter::Until(moment))
        }
        "since" | "after" => ("since", Filter::Since(super::get(store, value)?.created)),
        _ => {
            return Err(Report::new(format!("\"{key}\" is an invalid volume filter")).hint(
                "`after`, `anonymous`, `dangling`, `driver`, `label`, `label!`, `name`, `opt`, `scope`, `since` and `until` are",
            ));
        }
    })
}

fn pattern(text: &str) -> Result<Regex, Report> {
    Regex::new(text).map_err(|error| Report::new(format!("`{text}` is no pattern: {error}")))
}

/// The names of all volumes that containers have.
fn used(store: &Store) -> Result<BTreeSet<String>, Report> {
    let mounts = find::all(store)?.into_iter().flat_map(|found| found.container.mounts);
    Ok(mounts.filter_map(|mount| Some(mount.volume()?.name.clone())).collect())
}

impl Filter {
    fn fits(&self, volume: &Volume) -> bool {
        let has = |map: &BTreeMap<String, String>, name: &str, value: &Option<String>| {
            map.get(name).is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        match self {
            Self::Name(pattern) => pattern.is_match(&volume.name),
            Self::Driver(driver) => driver == "local",
            Self::Scope(scope) => scope == "local",
            Self::Label { name, value, wanted } => has(&volume.labels, name, value) == *wanted,
            Self::Option { name, value } => has(&volume.options, name, value),
            Self::Dangling { wanted, used } => used.contains(&volume.name) != *wanted,
            Self::Until(moment) => DateTime::parse_from_rfc3339(&volume.created).is_ok_and(|created| created < *moment),
            Self::Since(created) => volume.created > *created,
            Self::Anonymous(wanted) => volume.anonymous == *wanted,
        }
    }
}
