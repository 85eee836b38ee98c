//! A unit that was made of a quadlet, and the links that enable it.

use std::path::PathBuf;

use super::file::{Entry, UnitFile};
use super::{Error, Quadlet, keys, words};

/// The keys of `[Install]`, and the folders of links that they stand for (systemd.unit(5)).
const FOLDERS: [(&str, &str); 3] = [("WantedBy", "wants"), ("RequiredBy", "requires"), ("UpheldBy", "upholds")];

/// The keys of `[Unit]` that name other units.
const DEPENDENCIES: [&str; 9] =
    ["Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Conflicts", "Before", "After"];

/// A unit file as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `web.service`.
    pub name: String,
    /// The quadlet that it was made of.
    pub source: PathBuf,
    /// Its links, as paths below the folder of units, and what each leads to.
    pub links: Vec<(String, String)>,
    sections: Vec<(String, Vec<(String, String)>)>,
}

impl Service {
    /// One that is made of no quadlet.
    pub fn new(name: String) -> Self {
        Self { name, source: PathBuf::new(), links: Vec::new(), sections: Vec::new() }
    }

    /// All that the quadlet says to systemd; its own section is kept under a name that systemd passes over. `rename` says which unit a
    /// quadlet becomes.
    pub fn of(quadlet: &Quadlet, rename: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut service = Self {
            name: format!("{}.service", quadlet.service_name()),
            source: quadlet.path.clone(),
            links: Vec::new(),
            sections: Vec::new(),
        };
        service.add("Unit", "SourcePath", &quadlet.path.to_string_lossy());
        for entry in &quadlet.file.entries {
            match entry.section.as_str() {
                own if own == quadlet.kind.section() => service.add(&format!("X-{own}"), &entry.key, &entry.value),
                // What is asked of the generator.
                keys::GENERATOR => {}
                "Unit" if DEPENDENCIES.contains(&entry.key.as_str()) => {
                    let names = entry.value.split_whitespace();
                    let names: Vec<String> = names.map(|name| rename(name).unwrap_or(name.to_owned())).collect();
                    service.add("Unit", &entry.key, &names.join(" "));
                }
                section => service.add(section, &entry.key, &entry.value),
            }
        }
        service.links = links(&quadlet.file, &service.name)?;
        Ok(service)
    }

    pub fn add(&mut self, section: &str, key: &str, value: &str) {
        let pair = (key.to_owned(), value.to_owned());
        match self.sections.iter_mut().find(|(name, _)| name == section) {
            Some((_, pairs)) => pairs.push(pair),
            None => self.sections.push((section.to_owned(), vec![pair])),
        }
    }

    /// What counts of a key.
    pub fn last(&self, section: &str, key: &str) -> Option<&str> {
        let (_, pairs) = self.sections.iter().find(|(name, _)| name == section)?;
        let (_, value) = pairs.iter().rev().find(|(name, _)| name == key)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Says it, unless the quadlet has.
    pub fn default(&mut self, section: &str, key: &str, value: &str) {
        if self.last(section, key).is_none() {
            self.add(section, key, value);
        }
    }

    /// The unit is started behind another one, and not without it.
    pub fn depend_on(&mut self, unit: &str) {
        self.add("Unit", "Requires", unit);
        self.add("Unit", "After", unit);
    }

    pub fn command(&mut self, key: &str, words: &[String]) {
        self.add("Service", key, &words::join(words));
    }

    pub fn text(&self) -> String {
        let section = |(name, pairs): &(String, Vec<(String, String)>)| {
            let lines: String = pairs.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
            format!("[{name}]\n{lines}")
        };
        self.sections.iter().map(section).collect::<Vec<_>>().join("\n")
    }
}

/// What `systemctl enable` would make.
fn links(file: &UnitFile, name: &str) -> Result<Vec<(String, String)>, Error> {
    let mut links: Vec<(String, String)> =
        named(file, "Alias")?.into_iter().map(|alias| (alias, name.to_owned())).collect();
    // A template is enabled as one of its instances.
    let enabled = match name.split_once("@.") {
        Some((template, suffix)) => {
            let instance = file.last("Install", "DefaultInstance").map(Entry::text).filter(|text| !text.contains('/'));
            instance.map(|instance| format!("{template}@{instance}.{suffix}"))
        }
        None => Some(name.to_owned()),
    };
    let Some(enabled) = enabled else { return Ok(links) };
    for (key, folder) in FOLDERS {
        let folders = named(file, key)?.into_iter().map(|unit| format!("{unit}.{folder}/{enabled}"));
        links.extend(folders.map(|link| (link, format!("../{name}"))));
    }
    Ok(links)
}

/// The units that a key of `[Install]` names: what is a path is none.
fn named(file: &UnitFile, key: &str) -> Result<Vec<String>, Error> {
    let words: Vec<_> = file.values("Install", key).into_iter().map(Entry::words).collect::<Result<_, _>>()?;
    Ok(words.concat().into_iter().filter(|word| !word.contains('/')).collect())
}
