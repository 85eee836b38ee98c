//! `ps`: which containers there are.

pub mod filter;
pub mod row;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::Value;

use self::filter::Filter;
use self::row::{NAMESPACES, Row, Shown, Size, broken, broken_object};
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table};
use crate::cli::{Context, Report};
use crate::container::find::{self, Broken};
use crate::container::life;
use crate::container::size::Sizes;
use crate::host::message;
use crate::store::Store;

/// List containers
#[derive(Debug, Args)]
pub struct Ps {
    /// All, not only those that run
    #[arg(long, short)]
    all: bool,
    /// Accepted for scripts: other programs' containers are never in this store
    #[arg(long, hide = true)]
    external: bool,
    /// Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`, `before=`, `since=`, `until=`, `exited=`, `command=`,
    /// `network=`, `volume=`; of one key any, of different keys all
    #[arg(long, short, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Only the one created last
    #[arg(long, short)]
    latest: bool,
    /// Only the last N created
    #[arg(long, short = 'n', value_name = "N")]
    last: Option<i64>,
    /// Whole IDs and commands
    #[arg(long)]
    no_trunc: bool,
    /// No line of headings
    #[arg(long)]
    noheading: bool,
    /// The namespaces of each
    #[arg(long)]
    ns: bool,
    /// The pod of each
    #[arg(long, short)]
    pod: bool,
    /// Only IDs
    #[arg(long, short)]
    quiet: bool,
    /// How much each has written, and how much that is with its image
    #[arg(long, short)]
    size: bool,
    /// What to sort by
    #[arg(long, value_enum, value_name = "KEY", default_value_t = Sort::Created, hide_default_value = true)]
    sort: Sort,
    /// Accepted for scripts: the state shown is always the true one
    #[arg(long, hide = true)]
    sync: bool,
    /// Show it again and again, with so many seconds between
    #[arg(long, short, value_name = "SECONDS")]
    watch: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum Sort {
    Command,
    Created,
    Id,
    Image,
    Names,
    RunningFor,
    Size,
    Status,
}

impl Ps {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        self.check()?;
        let store = context.store()?;
        let Some(seconds) = self.watch else {
            output::print(&self.look(&store)?);
            return Ok(ExitCode::SUCCESS);
        };
        loop {
            output::repaint(&self.look(&store)?);
            std::thread::sleep(Duration::from_secs(seconds));
        }
    }

    fn check(&self) -> Result<(), Report> {
        let refuse = |words: &str| Err(Report::new(words));
        match self {
            Self { latest: true, last: Some(_), .. } => refuse("last and latest are mutually exclusive"),
            Self { quiet: true, size: true, .. } | Self { quiet: true, ns: true, .. } => {
                refuse("quiet conflicts with size and namespace")
            }
            Self { ns: true, size: true, .. } => refuse("size and namespace options conflict"),
            Self { watch: Some(0), .. } => refuse("the watch interval must be a positive number of seconds"),
            _ => Ok(()),
        }
    }

    /// What is to be shown.
    fn look(&self, store: &Store) -> Result<String, Report> {
        let filter = Filter::parse(&self.filter, store)?;
        let last = if self.latest {
            Some(1)
        } else {
            self.last.and_then(|last| usize::try_from(last).ok()).filter(|last| *last > 0)
        };
        let everything = self.all || last.is_some() || filter.names_a_state();
        let mut shown = Vec::new();
        let find::All { found, mut broken } = if everything { self.all(store)? } else { find::living(store)? };
        for found in found {
            match found.state() {
                Ok(state) if everything || state.lives() && !state.paused => {
                    if filter.fits(&found, &state)? {
                        shown.push(Shown { found, state, size: None });
                    }
                }
                Ok(_) => {}
                Err(error) => broken.push(Broken { id: found.container.id, error }),
            }
        }
        if let Some(last) = last {
            shown.drain(..shown.len().saturating_sub(last));
        }
        for Broken { error, .. } in &broken {
            message::warn(|| error.to_string());
        }
        // Nothing of it is known that a filter could ask for; it is shown until somebody removes it.
        if !filter.is_empty() {
            broken.clear();
        }
        if self.size {
            measure(store, &mut shown)?;
        }
        self.sort(&mut shown);
        self.text(&shown, &broken)
    }

    /// Only where one is to remove itself, it may be that it should have by now.
    fn all(&self, store: &Store) -> Result<find::All, Report> {
        let all = find::list(store)?;
        if self.all && all.found.iter().any(|found| found.container.remove) {
            life::sweep::sweep(store);
            return Ok(find::list(store)?);
        }
        Ok(all)
    }

    fn sort(&self, shown: &mut [Shown]) {
        match self.sort {
            // As they come.
            Sort::Created => {}
            Sort::Command => shown.sort_by_key(|one| one.found.container.args()),
            Sort::Id => shown.sort_by(|a, b| a.found.container.id.cmp(&b.found.container.id)),
            Sort::Image => shown.sort_by(|a, b| a.found.container.image_name().cmp(b.found.container.image_name())),
            Sort::Names => shown.sort_by(|a, b| a.found.container.name.cmp(&b.found.container.name)),
            Sort::RunningFor => shown.sort_by(|a, b| a.state.started_at.cmp(&b.state.started_at)),
            Sort::Size => shown.sort_by_key(|one| one.size.map_or(0, |size| size.whole)),
            Sort::Status => shown.sort_by_key(|one| one.state.name()),
        }
    }

    fn text(&self, shown: &[Shown], broken: &[Broken]) -> Result<String, Report> {
        match self.format.as_deref() {
            Some("json") => {
                let objects: Vec<Value> =
                    shown.iter().map(Shown::object).chain(broken.iter().map(broken_object)).collect();
                format::json(&objects)
            }
            _ if self.quiet => {
                // Scripts stop what `ps -q` lists, and remove what `ps -aq` does.
                let broken = broken.iter().filter(|_| self.all).map(|broken| broken.id.as_str());
                let ids = broken.chain(shown.iter().map(|one| one.found.container.id.as_str()));
                let cut = |id: &str| if self.no_trunc { id.to_owned() } else { id.chars().take(12).collect() };
                Ok(ids.map(|id| cut(id) + "\n").collect())
            }
            Some(text) => self.text_by(&Template::parse("ps", text)?, shown, broken),
            None => Ok(self.table(self.rows(shown, broken))),
        }
    }

    fn text_by(&self, template: &Template, shown: &[Shown], broken: &[Broken]) -> Result<String, Report> {
        if template.is_json() {
            let objects: Vec<Value> = shown.iter().map(Shown::object).chain(broken.iter().map(broken_object)).collect();
            return template.each(&objects);
        }
        let rows: Vec<Row> = self.rows(shown, broken).collect();
        template.list(&rows, &[("ID", "CONTAINER ID")], self.noheading)
    }

    fn rows(&self, shown: &[Shown], unreadable: &[Broken]) -> impl Iterator<Item = Row> {
        let known = shown.iter().map(|one| one.row(self.no_trunc));
        known.chain(unreadable.iter().map(|one| broken(one, self.no_trunc)))
    }

    fn table(&self, rows: impl Iterator<Item = Row>) -> String {
        let mut headings: Vec<&str> = match self.ns {
            true => ["CONTAINER ID", "NAMES", "PID"].into_iter().chain(NAMESPACES.map(|(field, _)| field)).collect(),
            false => vec!["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"],
        };
        if self.pod {
            headings.extend(["POD ID", "PODNAME"]);
        }
        if self.size {
            headings.push("SIZE");
        }
        let mut lines: Vec<Vec<String>> = vec![headings.into_iter().map(str::to_owned).collect()];
        for mut row in rows {
            let mut line = match self.ns {
                true => {
                    let mut namespaces = std::mem::take(&mut row.namespaces);
                    let numbers = NAMESPACES.map(|(field, _)| namespaces.remove(field).unwrap_or_default());
                    [row.id, row.names, row.pid.to_string()].into_iter().chain(numbers).collect()
                }
                false => vec![row.id, row.image, row.command, row.created_human, row.status, row.ports, row.names],
            };
            if self.pod {
                line.extend([row.pod, row.pod_name]);
            }
            if self.size {
                line.push(row.size);
            }
            lines.push(line);
        }
        if self.noheading {
            lines.remove(0);
        }
        table::table(&lines)
    }
}

fn measure(store: &Store, shown: &mut [Shown]) -> Result<(), Report> {
    let sizes = Sizes::measure(store, shown.iter().map(|one| &one.found))?;
    for one in shown {
        let (written, whole) = sizes.of(store, &one.found);
        one.size = Some(Size { written, whole });
    }
    Ok(())
}
