//! `--filter KEY=VALUE` of lists: what is given for one key, any of it must fit; what is given for different keys, all of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, Utc};

use super::Report;
use super::output::time;

/// Keys of which all values must fit.
const CUMULATIVE: [&str; 3] = ["label", "label!", "annotation"];

#[derive(Debug, Default)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

impl Filters {
    pub fn parse(given: &[String], known: &[&str]) -> Result<Self, Report> {
        let mut filters = Self::default();
        for filter in given {
            let (key, value) = filter
                .split_once('=')
                .ok_or_else(|| Report::new(format!("invalid filter \"{filter}\"")).hint(words(known)))?;
            if !known.contains(&key) {
                return Err(Report::new(format!("{key} is an invalid filter")).hint(words(known)));
            }
            filters.0.entry(key.to_owned()).or_default().insert(value.to_owned());
        }
        Ok(filters)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// What was given for a key.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).into_iter().flatten().map(String::as_str)
    }

    /// Whether something fits, of which `fits` tells by key and value.
    pub fn fit(&self, mut fits: impl FnMut(&str, &str) -> Result<bool, Report>) -> Result<bool, Report> {
        for (key, values) in &self.0 {
            let mut any = false;
            let mut all = true;
            for value in values {
                let one = fits(key, value)?;
                (any, all) = (any || one, all && one);
            }
            if !(if CUMULATIVE.contains(&key.as_str()) { all } else { any }) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn words(known: &[&str]) -> String {
    format!("filters are {}", known.iter().map(|key| format!("`{key}=`")).collect::<Vec<_>>().join(", "))
}

/// Whether labels fit `NAME` or `NAME=VALUE`.
pub fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|found| found == value),
        None => labels.contains_key(wanted),
    }
}

/// What `prune` removes: by labels, and by age.
#[derive(Debug)]
pub struct Prunable {
    labels: Filters,
    until: Vec<DateTime<Utc>>,
}

impl Prunable {
    pub fn parse(given: &[String]) -> Result<Self, Report> {
        let labels = Filters::parse(given, &["label", "label!", "until"])?;
        let moment = |text: &str| time::moment(text).ok_or_else(|| Report::new(format!("`{text}` is not a time")));
        let until = labels.values("until").map(moment).collect::<Result<_, _>>()?;
        Ok(Self { labels, until })
    }

    /// One whose age nobody knows is not old.
    pub fn fits(&self, labels: &BTreeMap<String, String>, created: Option<DateTime<FixedOffset>>) -> bool {
        let old = self.until.iter().all(|until| created.is_some_and(|created| created < *until));
        let labelled = self.labels.values("label").all(|label| has_label(labels, label));
        old && labelled && !self.labels.values("label!").any(|label| has_label(labels, label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_any_different_keys_all() {
        let given = ["name=a", "name=b", "state=on"].map(str::to_owned);
        let filters = Filters::parse(&given, &["name", "state"]).unwrap();
        let fit = |name: &str, state: &str| {
            filters.fit(|key, value| Ok(value == if key == "name" { name } else { state })).unwrap()
        };
        assert!(fit("a", "on") && fit("b", "on") && !fit("c", "on") && !fit("a", "off"));
        let labels: BTreeMap<_, _> = [("x".to_owned(), "1".to_owned())].into();
        assert!(has_label(&labels, "x") && has_label(&labels, "x=1") && !has_label(&labels, "x=2"));
        let both = Filters::parse(&["label=x=1".to_owned(), "label=y".to_owned()], &["label"]).unwrap();
        assert!(!both.fit(|_, value| Ok(has_label(&labels, value))).unwrap());
        let words = |given: &str| Filters::parse(&[given.to_owned()], &["name"]).unwrap_err();
        assert_eq!(words("foo=bar").messages, ["foo is an invalid filter"]);
        assert_eq!(words("name").messages, ["invalid filter \"name\""]);
        assert_eq!(words("name").hints, ["filters are `name=`"]);
    }
}
