//! `diff`: what a container changed, or the topmost layer of an image.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::container::latest;
use crate::cli::output::{self, format};
use crate::cli::{Context, Report};
use crate::container::diff::{Subject, diff};
use crate::container::{Error, find};
use crate::image;
use crate::layer::changes::{Change, Kind};
use crate::store::Store;

/// Show what a container, or the topmost layer of an image, changed
#[derive(Debug, Args)]
pub struct Diff {
    /// The container that was made last
    #[arg(long, short)]
    latest: bool,
    #[command(flatten)]
    common: Common,
}

/// Show what a container changed
#[derive(Debug, Args)]
pub struct DiffContainer {
    /// The container that was made last
    #[arg(long, short)]
    latest: bool,
    #[command(flatten)]
    common: Common,
}

/// Show what the topmost layer of an image changed
#[derive(Debug, Args)]
pub struct DiffImage {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// `json`: three lists instead of lines
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Name or ID; and that of what it is compared with [default: what it was made from]
    #[arg(value_name = "NAME", num_args = 0..=2)]
    names: Vec<String>,
}

impl Diff {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        self.common.run(context, self.latest, subject)
    }
}

impl DiffContainer {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        self.common.run(context, self.latest, |store, name| Ok(Subject::Container(Box::new(find::find(store, name)?))))
    }
}

impl DiffImage {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        self.common.run(context, false, |store, name| match image::find::find(store, name)? {
            Some(found) => Ok(Subject::Image(Box::new(found))),
            None => Err(image::Error::Unknown { name: name.to_owned() }.into()),
        })
    }
}

impl Common {
    fn run(
        self,
        context: &Context,
        latest: bool,
        first: impl Fn(&Store, &str) -> Result<Subject, Report>,
    ) -> Result<ExitCode, Report> {
        if let Some(format) = self.format.as_deref().filter(|format| *format != "json" && !format.is_empty()) {
            return Err(Report::new("only supported value for '--format' is 'json'").hint(format!("not `{format}`")));
        }
        let store = context.store()?;
        let mut names = self.names.iter();
        let of = match (latest, names.next()) {
            (true, None) => Subject::Container(Box::new(latest::latest(&store)?)),
            (false, Some(name)) => first(&store, name)?,
            (true, Some(_)) => return Err(Report::new("`--latest` and the name of a container exclude each other")),
            (false, None) => return Err(Report::new("a name or ID is needed: of a container or an image")),
        };
        let other = names.next().map(|name| subject(&store, name)).transpose()?;
        let changes = diff(&store, &of, other.as_ref())?;
        match self.format.as_deref() {
            Some("json") => output::print(&format::json(&Lists::of(&changes))?),
            _ => output::print(&changes.iter().map(line).collect::<String>()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A container, or an image where no container has the name.
fn subject(store: &Store, name: &str) -> Result<Subject, Report> {
    match find::find(store, name) {
        Ok(found) => return Ok(Subject::Container(Box::new(found))),
        Err(Error::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match image::find::find(store, name)? {
        Some(found) => Ok(Subject::Image(Box::new(found))),
        None => Err(Report::new(format!("{name} not found: no such container or image"))),
    }
}

fn line(change: &Change) -> String {
    let kind = match change.kind {
        Kind::Added => 'A',
        Kind::Changed => 'C',
        Kind::Deleted => 'D',
    };
    // A name may hold anything, and a line must stay one.
    format!("{kind} {}\n", output::printable(&path(change)).replace('\n', "\\n"))
}

fn path(change: &Change) -> String {
    String::from_utf8_lossy(&change.path).into_owned()
}

/// As Podman's JSON has them: what is empty is left out.
#[derive(Serialize)]
struct Lists {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<String>,
}

impl Lists {
    fn of(changes: &[Change]) -> Self {
        let all = |kind| changes.iter().filter(|change| change.kind == kind).map(path).collect();
        Self { changed: all(Kind::Changed), added: all(Kind::Added), deleted: all(Kind::Deleted) }
    }
}
