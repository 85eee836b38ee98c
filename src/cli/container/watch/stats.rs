//! `stats`: what containers use of this machine, from their control groups, and from /proc where those do not count.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::cli::container::latest::latest;
use crate::cli::output::template::Template;
use crate::cli::output::{self, format, table, time};
use crate::cli::{Context, Report};
use crate::container::find::{self, Found};
use crate::container::record::Network;
use crate::container::state::{State, Status};
use crate::container::watch::processes::{self, Process};
use crate::host::{kernel, system_file};
use crate::runtime::cgroup::Group;
use crate::store::Store;

/// Show what containers use of processors, memory and networks
#[derive(Debug, Args)]
pub struct Stats {
    /// All containers, not only those that run
    #[arg(long, short)]
    all: bool,
    /// `json`, or a Go template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Seconds between two looks
    #[arg(long, short, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    interval: u64,
    /// Only the container that was created last
    #[arg(long, short)]
    latest: bool,
    /// Show what is new below what is old
    #[arg(long)]
    no_reset: bool,
    /// Look once
    #[arg(long)]
    no_stream: bool,
    /// Whole IDs
    #[arg(long)]
    no_trunc: bool,
    /// Names or IDs [default: all that run]
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// What is not known without a control group of the container's own.
const UNKNOWN: &str = "--";

const HEADINGS: [(&str, &str); 9] = [
    ("CPUPerc", "CPU %"),
    ("MemUsage", "MEM USAGE / LIMIT"),
    ("MemUsageBytes", "MEM USAGE / LIMIT"),
    ("MemPerc", "MEM %"),
    ("NetIO", "NET IO"),
    ("BlockIO", "BLOCK IO"),
    ("PIDS", "PIDS"),
    ("UpTime", "CPU TIME"),
    ("AVGCPU", "AVG CPU %"),
];

/// One look at a container that runs.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    used: Duration,
    age: Duration,
    memory: u64,
    /// Bytes that it may use.
    memory_limit: u64,
    processes: u64,
    /// Bytes received and sent by its own network namespace.
    network: Option<(u64, u64)>,
    /// Bytes read from devices and written to them.
    block: Option<(u64, u64)>,
}

/// A row as templates see it: Podman's fields.
#[derive(Debug, Default, Serialize)]
pub struct Row {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "CPU")]
    cpu: f64,
    #[serde(rename = "CPUPerc")]
    cpu_percent: String,
    #[serde(rename = "AVGCPU")]
    average: String,
    #[serde(rename = "UpTime")]
    used: String,
    #[serde(rename = "Duration")]
    used_nanoseconds: u64,
    #[serde(rename = "MemUsage")]
    memory: String,
    #[serde(rename = "MemUsageBytes")]
    memory_in_powers_of_two: String,
    #[serde(rename = "MemLimit")]
    memory_limit: u64,
    #[serde(rename = "MemPerc")]
    memory_percent: String,
    #[serde(rename = "NetIO")]
    network: String,
    #[serde(rename = "BlockIO")]
    block: String,
    #[serde(rename = "PIDS")]
    processes: String,
}

impl Stats {
    pub fn run(self, context: &Context) -> Result<ExitCode, Report> {
        let store = context.store()?;
        if self.latest && !self.containers.is_empty() || self.all && (self.latest || !self.containers.is_empty()) {
            return Err(Report::new("--all, --latest and containers cannot be used together"));
        }
        let template = match self.format.as_deref() {
            None | Some("json") => None,
            Some(text) => Some(Template::parse("stats", text)?),
        };
        let mut before = BTreeMap::new();
        loop {
            let rows = self.look(&store, &mut before)?;
            let text = self.text(&rows, template.as_ref())?;
            if self.no_stream || self.no_reset || self.format.is_some() {
                output::print(&text);
            } else {
                output::repaint(&text);
            }
            if self.no_stream {
                return Ok(ExitCode::SUCCESS);
            }
            std::thread::sleep(Duration::from_secs(self.interval));
        }
    }

    fn chosen(&self, store: &Store) -> Result<Vec<Found>, Report> {
        if self.latest {
            return Ok(vec![latest(store)?]);
        }
        if self.containers.is_empty() {
            return Ok(find::list(store)?.found);
        }
        Ok(self.containers.iter().map(|name| find::find(store, name)).collect::<Result<_, _>>()?)
    }

    fn look(&self, store: &Store, before: &mut BTreeMap<String, Look>) -> Result<Vec<Row>, Report> {
        let mut rows = Vec::new();
        for found in self.chosen(store)? {
            let state = found.state()?;
            let look = if state.status == Status::Running { look(&found, &state) } else { None };
            if look.is_none() && self.containers.is_empty() && !self.all && !self.latest {
                continue;
            }
            let id = &found.container.id;
            let earlier = look.and_then(|look| before.insert(id.clone(), look));
            rows.push(Row {
                id: if self.no_trunc { id.clone() } else { found.container.short_id().to_owned() },
                name: found.container.name.clone(),
                ..row(look, earlier)
            });
        }
        Ok(rows)
    }

    fn text(&self, rows: &[Row], template: Option<&Template>) -> Result<String, Report> {
        if let Some(template) = template {
            return template.list(rows, &HEADINGS, false);
        }
        if self.format.is_some() {
            return format::json(&rows.iter().map(object).collect::<Vec<_>>());
        }
        let headings = [
            "ID",
            "NAME",
            "CPU %",
            "MEM USAGE / LIMIT",
            "MEM %",
            "NET IO",
            "BLOCK IO",
            "PIDS",
            "CPU TIME",
            "AVG CPU %",
        ];
        let mut lines = vec![headings.map(str::to_owned).to_vec()];
        lines.extend(rows.iter().map(|row| {
            [
                &row.id,
                &row.name,
                &row.cpu_percent,
                &row.memory,
                &row.memory_percent,
                &row.network,
                &row.block,
                &row.processes,
                &row.used,
                &row.average,
            ]
            .map(String::clone)
            .to_vec()
        }));
        Ok(table::table(&lines))
    }
}

/// `None`: it has just ended, or runs elsewhere.
fn look(found: &Found, state: &State) -> Option<Look> {
    let all = processes::of(found, state).ok()?;
    let first = all.first()?;
    let own = found.container.network != Network::Host;
    let group = (!state.cgroup.is_empty()).then(|| Group::named(&state.cgroup));
    let usage = group.as_ref().and_then(Group::usage).map(|usage| usage.since(state.used_before));
    let counted = |file: &str| group.as_ref().and_then(|group| group.number(file, None));
    let total = kernel::memory().total;
    let times = || all.iter().map(Process::times).map(|(own, children)| own + children).sum();
    Some(Look {
        at: Instant::now(),
        used: usage.map_or_else(times, |usage| Duration::from_micros(usage.processors)),
        age: first.age(),
        memory: counted("memory.current").unwrap_or_else(|| all.iter().map(Process::memory).sum()),
        memory_limit: counted("memory.max").unwrap_or(total).min(total),
        processes: counted("pids.current").unwrap_or(all.len() as u64),
        network: own.then(|| network(state.pid)),
        block: usage.and_then(|usage| usage.devices),
    })
}

/// What all interfaces but loopback have received and sent.
fn network(pid: i32) -> (u64, u64) {
    let text = system_file::read(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.trim_start().split_once(':')).filter(|(name, _)| *name != "lo");
    let numbers =
        |fields: &str, place| fields.split_whitespace().nth(place).and_then(|field| field.parse().ok()).unwrap_or(0);
    lines.fold((0, 0), |(received, sent), (_, fields)| (received + numbers(fields, 0), sent + numbers(fields, 8)))
}

/// Of one that does not run: nothing.
fn row(look: Option<Look>, earlier: Option<Look>) -> Row {
    let limit = look.map_or(0, |look| look.memory_limit);
    let share = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
    let percent = |value: f64| format!("{value:.2}%");
    let (used, memory, processes) = look.map_or_else(Default::default, |look| (look.used, look.memory, look.processes));
    let average = look.map_or(0.0, |look| share(look.used.as_secs_f64(), look.age.as_secs_f64()));
    let cpu = match (look, earlier) {
        (Some(look), Some(earlier)) => share(
            look.used.saturating_sub(earlier.used).as_secs_f64(),
            look.at.duration_since(earlier.at).as_secs_f64(),
        ),
        _ => average,
    };
    let pair = |(a, b): (u64, u64)| format!("{} / {}", time::go_size(a), time::go_size(b));
    Row {
        cpu,
        cpu_percent: percent(cpu),
        average: percent(average),
        used: time::go_text(used),
        used_nanoseconds: used.as_nanos() as u64,
        memory: pair((memory, limit)),
        memory_in_powers_of_two: format!("{} / {}", time::binary_size(memory), time::binary_size(limit)),
        memory_limit: limit,
        memory_percent: percent(share(memory as f64, limit as f64)),
        network: look
            .map_or_else(|| pair((0, 0)), |look| look.network.map_or_else(|| format!("{UNKNOWN} / {UNKNOWN}"), pair)),
        block: look
            .map_or_else(|| pair((0, 0)), |look| look.block.map_or_else(|| format!("{UNKNOWN} / {UNKNOWN}"), pair)),
        processes: processes.to_string(),
        ..Row::default()
    }
}

fn object(row: &Row) -> serde_json::Value {
    json!({
        "id": row.id,
        "name": row.name,
        "cpu_time": row.used,
        "cpu_percent": row.cpu_percent,
        "avg_cpu": row.average,
        "mem_usage": row.memory,
        "mem_percent": row.memory_percent,
        "net_io": row.network,
        "block_io": row.block,
        "pids": row.processes,
    })
}
