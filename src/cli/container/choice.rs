//! Which containers a command is about: those that are named, the latest, those of files; and where it has such flags, all, or
//! those that fit filters.

use std::path::PathBuf;

use clap::Args;

use super::latest::latest;
use super::ps::filter::Filter;
use crate::cli::Report;
use crate::container::{Error, find};
use crate::store::Store;

#[derive(Debug, Args)]
#[group(skip)]
pub struct Choice {
    /// Read a container's ID from this file
    #[arg(long, value_name = "FILE")]
    cidfile: Vec<PathBuf>,
    /// The container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Names or IDs
    containers: Vec<String>,
}

/// How the flags of a command widen its choice.
#[derive(Debug, Default)]
pub struct Wide<'a> {
    pub all: bool,
    /// As those of `ps`.
    pub filters: &'a [String],
    /// What is not there is no failure.
    pub ignore: bool,
    /// Else its exit code, if that is not the usual one.
    pub absent: Option<u8>,
}

impl Choice {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.cidfile.is_empty() && !self.latest
    }

    /// Names and IDs as they were given; IDs of what was chosen otherwise. One that names nothing keeps the command from doing
    /// anything, unless it is to be ignored.
    pub fn names(&self, store: &Store, wide: &Wide<'_>) -> Result<Vec<String>, Report> {
        let mut names = self.containers.clone();
        names.extend(self.of_files(wide.ignore)?);
        match (wide.all, self.latest, wide.filters.is_empty()) {
            (true, true, _) => return Err(Report::new("--all and --latest cannot be used together")),
            (true, ..) if !names.is_empty() => return Err(Report::new("no arguments are needed with --all")),
            (_, true, _) if !names.is_empty() => {
                return Err(Report::new("--latest and containers cannot be used together"));
            }
            (false, false, true) if self.is_empty() => {
                return Err(Report::new("you must provide at least one name or id"));
            }
            (true, _, true) => return all(store),
            (_, true, _) => return Ok(vec![latest(store)?.container.id]),
            _ => {}
        }
        let known = |name: &String| match find::find_id(store, name) {
            Err(Error::NotFound(_)) if wide.ignore => Ok(false),
            Err(error @ Error::NotFound(_)) => Err(Report::from(error).code(wide.absent.unwrap_or(125))),
            other => Ok(other.map(|_| true)?),
        };
        let known = names.iter().map(known).collect::<Result<Vec<bool>, Report>>()?;
        let names: Vec<String> =
            names.into_iter().zip(known).filter_map(|(name, known)| known.then_some(name)).collect();
        if wide.filters.is_empty() { Ok(names) } else { fitting(store, wide.filters, &names) }
    }

    /// The first line of each file.
    fn of_files(&self, ignore: bool) -> Result<Vec<String>, Report> {
        let mut ids = Vec::new();
        for path in &self.cidfile {
            match std::fs::read_to_string(path) {
                Ok(text) => ids.extend(text.lines().next().map(|line| line.trim().to_owned())),
                Err(error) if ignore && error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Report::new(format!("reading CIDFile: {}: {error}", path.display())));
                }
            }
        }
        Ok(ids)
    }
}

/// The IDs of those containers that fit the filters, among all or those that are named.
fn fitting(store: &Store, filters: &[String], names: &[String]) -> Result<Vec<String>, Report> {
    let filter = Filter::parse(filters, store)?;
    let among = names.iter().map(|name| find::find_id(store, name)).collect::<Result<Vec<String>, Error>>()?;
    let mut fitting = Vec::new();
    for found in find::list(store)?.found {
        let id = &found.container.id;
        if (among.is_empty() || among.contains(id)) && filter.fits(&found, &found.state()?)? {
            fitting.push(found.container.id);
        }
    }
    Ok(fitting)
}

/// The ID of each container, oldest first, also of those whose records can't be read.
fn all(store: &Store) -> Result<Vec<String>, Report> {
    let find::All { found, broken } = find::list(store)?;
    let found = found.into_iter().map(|found| found.container.id);
    Ok(found.chain(broken.into_iter().map(|broken| broken.id)).collect())
}
