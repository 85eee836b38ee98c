//! `ps`: which containers there are.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table, time};
use crate::cli::{Context, Report};
use crate::container::find::{self, Broken, Found};
use crate::container::life;
use crate::container::mount::shown;
use crate::container::state::{State, Status};

/// List containers
#[derive(Debug, Args)]
pub struct Ps {
    /// All, not only those that run
    #[arg(long, short)]
    all: bool,
    /// Only those that fit: `name=`, `id=`, `status=`, `label=`, `ancestor=`
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
    last: Option<usize>,
    /// Whole IDs and commands
    #[arg(long)]
    no_trunc: bool,
    /// No line of headings
    #[arg(long)]
    noheading: bool,
    /// Only IDs
    #[arg(long, short)]
    quiet: bool,
}

/// The state of a container whose record can't be read.
const BROKEN: &str = "broken";

/// A row as `--format` sees it: Podman's keys.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Id")]
    full_id: String,
    names: String,
    image: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    command: String,
    created: String,
    created_at: String,
    started_at: String,
    status: String,
    state: &'static str,
    exit_code: i32,
    exited: bool,
    pid: i32,
    ports: String,
    labels: String,
    networks: String,
    auto_remove: bool,
}

impl Ps {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        if self.all {
            life::sweep::sweep(&store);
        }
        let mut listed = Vec::new();
        let find::All { found, mut broken } = find::list(&store)?;
        for found in found {
            let state = match found.state() {
                Ok(state) => state,
                Err(error) => {
                    broken.push(find::Broken { id: found.container.id, error });
                    continue;
                }
            };
            let running = state.status == Status::Running;
            if self.fits(&found, &state)?
                && (running || self.all || self.latest || self.last.is_some() || self.names_a_status())
            {
                listed.push((found, state));
            }
        }
        if let Some(last) = if self.latest { Some(1) } else { self.last } {
            listed.drain(..listed.len().saturating_sub(last));
        }
        for Broken { error, .. } in &broken {
            output::complain(&format!("warning: {}", output::printable(&error.to_string())));
        }
        // Nothing of it is known that a filter could ask for; it is shown until somebody removes it.
        if !self.filter.is_empty() {
            broken.clear();
        }
        self.print(&listed, &broken)?;
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, listed: &[(Found, State)], broken: &[Broken]) -> Result<(), Report> {
        if self.quiet {
            // Scripts stop what `ps -q` lists, and remove what `ps -aq` does.
            broken.iter().filter(|_| self.all).for_each(|Broken { id, .. }| {
                output::line(if self.no_trunc { id } else { id.get(..12).unwrap_or(id) });
            });
            let id = |found: &Found| {
                if self.no_trunc { found.container.id.clone() } else { found.container.short_id().to_owned() }
            };
            listed.iter().for_each(|(found, _)| output::line(&id(found)));
            return Ok(());
        }
        match self.format.as_deref() {
            Some("json") => {
                let broken = broken
                    .iter()
                    .map(|broken| serde_json::json!({ "Id": broken.id, "State": BROKEN, "Status": "Broken" }));
                let objects: Vec<_> = listed.iter().map(|(found, state)| object(found, state)).chain(broken).collect();
                output::print(&format::json(&objects)?);
            }
            Some(text) => {
                let rows: Vec<Row> = self.rows(listed, broken).collect();
                output::print(&Template::parse("ps", text)?.list(&rows, &[("ID", "CONTAINER ID")], self.noheading)?);
            }
            None => {
                let headings = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
                let mut rows = vec![headings.map(str::to_owned).to_vec()];
                for row in self.rows(listed, broken) {
                    rows.push(vec![row.id, row.image, row.command, row.created, row.status, row.ports, row.names]);
                }
                if self.noheading {
                    rows.remove(0);
                }
                output::print(&table::table(&rows));
            }
        }
        Ok(())
    }

    fn rows(&self, listed: &[(Found, State)], broken: &[Broken]) -> impl Iterator<Item = Row> {
        let known = listed.iter().map(|(found, state)| row(found, state, self.no_trunc));
        known.chain(broken.iter().map(|Broken { id, .. }| Row {
            id: if self.no_trunc { id.clone() } else { id.chars().take(12).collect() },
            full_id: id.clone(),
            status: "Broken".into(),
            state: BROKEN,
            ..Row::default()
        }))
    }

    fn names_a_status(&self) -> bool {
        self.filter.iter().any(|filter| filter.starts_with("status="))
    }

    /// Filters of one key: any of them; of different keys: all.
    fn fits(&self, found: &Found, state: &State) -> Result<bool, Report> {
        let container = &found.container;
        let mut keys: std::collections::BTreeMap<&str, bool> = std::collections::BTreeMap::new();
        for filter in &self.filter {
            let (key, value) =
                filter.split_once('=').ok_or_else(|| Report::new(format!("the filter `{filter}` is not KEY=VALUE")))?;
            let fits = match key {
                "id" => container.id.starts_with(value),
                "name" => container.name.contains(value),
                "status" => value == state.status.name() || (value == "stopped" && state.status == Status::Exited),
                "label" => match value.split_once('=') {
                    Some((name, value)) => container.labels.get(name).is_some_and(|found| found == value),
                    None => container.labels.contains_key(value),
                },
                "ancestor" => {
                    container.image.is_some()
                        && (container.image_name().contains(value) || container.image_id().starts_with(value))
                }
                "volume" => container.mounts.iter().any(|mount| shown::is_named(mount, value)),
                _ => {
                    return Err(Report::new(format!("the filter `{key}` is not known"))
                        .hint("`ancestor`, `id`, `label`, `name`, `status` and `volume` are"));
                }
            };
            let one = keys.entry(key).or_insert(key == "label");
            *one = if key == "label" { *one && fits } else { *one || fits };
        }
        Ok(keys.values().all(|fits| *fits))
    }
}

fn seconds(time: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time).map_or(0, |time| time.timestamp())
}

/// `Up 3 seconds`, `Exited (137) 3 seconds ago`; a code that nobody saw is not made up.
fn status(state: &State) -> String {
    match state.status {
        Status::Created => "Created".into(),
        Status::Running if state.is_here() => {
            format!("Up {}", time::duration(time::now() - seconds(&state.started_at)))
        }
        Status::Running => format!("Up on {}", state.host),
        Status::Exited => match state.exit_code {
            Some(code) => format!("Exited ({code}) {}", time::ago(seconds(&state.finished_at))),
            None => "Exited (unknown)".into(),
        },
    }
}

fn row(found: &Found, state: &State, whole: bool) -> Row {
    let container = &found.container;
    let mut command = container.args().join(" ");
    if !whole && command.chars().count() > 20 {
        command = command.chars().take(17).chain("...".chars()).collect();
    }
    Row {
        id: if whole { container.id.clone() } else { container.short_id().to_owned() },
        full_id: container.id.clone(),
        names: container.name.clone(),
        image: container.image_name().to_owned(),
        image_id: container.image_id().to_owned(),
        command,
        created: time::ago(seconds(&container.created)),
        created_at: container.created.clone(),
        started_at: state.started_at.clone(),
        status: status(state),
        state: state.status.name(),
        exit_code: state.exit_code.unwrap_or(if state.status == Status::Exited { -1 } else { 0 }),
        exited: state.status == Status::Exited,
        pid: state.pid,
        ports: String::new(),
        labels: container.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
        networks: container.network.name().to_owned(),
        auto_remove: container.remove,
    }
}

/// An element of `--format json`: lists and maps stay what they are.
fn object(found: &Found, state: &State) -> serde_json::Value {
    let container = &found.container;
    let row = row(found, state, true);
    serde_json::json!({
        "AutoRemove": container.remove,
        "Command": container.args(),
        "Created": seconds(&container.created),
        "CreatedAt": row.created,
        "Exited": row.exited,
        "ExitedAt": seconds(&state.finished_at),
        "ExitCode": row.exit_code,
        "Id": container.id,
        "Image": container.image_name(),
        "ImageID": row.image_id,
        "Labels": container.labels,
        "Mounts": shown::targets(container),
        "Names": [&container.name],
        "Networks": [row.networks],
        "Pid": state.pid,
        "Ports": [],
        "StartedAt": seconds(&state.started_at),
        "State": row.state,
        "Status": row.status,
    })
}
