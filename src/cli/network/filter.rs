//! `--filter` of commands about networks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use regex::Regex;

use crate::cli::Report;
use crate::cli::filter::{Filters, has_label};
use crate::cli::output::time;
use crate::container::find;
use crate::store::Store;
use crate::store::networks::{DEFAULT, Network};

pub const KEYS: [&str; 7] = ["dangling", "driver", "id", "label", "label!", "name", "until"];

/// What a network must be.
#[derive(Debug)]
pub struct Filter {
    given: Filters,
    /// Names of those that a container is to be on.
    used: BTreeSet<String>,
}

impl Filter {
    pub fn parse(given: &[String], store: &Store) -> Result<Self, Report> {
        let given = Filters::parse(given, &KEYS)?;
        let mut used = BTreeSet::new();
        if given.has("dangling") {
            // That one is never without use.
            used.insert(DEFAULT.to_owned());
            for found in find::all(store)? {
                used.extend(found.container.networks.into_iter().map(|attachment| attachment.network));
            }
        }
        Ok(Self { given, used })
    }

    pub fn fits(&self, network: &Network) -> Result<bool, Report> {
        self.given.fit(|key, value| match key {
            "dangling" => match value {
                "true" | "1" => Ok(!self.used.contains(&network.name)),
                "false" | "0" => Ok(self.used.contains(&network.name)),
                _ => Err(Report::new(format!("invalid dangling filter value \"{value}\""))),
            },
            "driver" => Ok(value == "bridge"),
            "id" => Ok(network.id.starts_with(value)),
            "label" => Ok(has_label(&network.labels, value)),
            "label!" => Ok(!has_label(&network.labels, value)),
            "name" => Ok(pattern(value)?.is_match(&network.name)),
            _ => {
                let until: DateTime<Utc> =
                    time::moment(value).ok_or_else(|| Report::new(format!("`{value}` is not a time")))?;
                Ok(DateTime::parse_from_rfc3339(&network.created).is_ok_and(|created| created < until))
            }
        })
    }
}

fn pattern(text: &str) -> Result<Regex, Report> {
    Regex::new(text).map_err(|error| Report::new(format!("`{text}` is no pattern: {error}")))
}
